"""What README says is run."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from oversmooth import metrics
from oversmooth.cli.main import run

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def printed(code: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {})
    return out.getvalue()


def points(text: str) -> list[tuple[str, str]]:
    """Point and value of a printed curve."""
    return re.findall(r"'(\w+)': (-?[\d.]+)", text)


def test_the_python_lines_print_a_curve() -> None:
    code = blocks("python")[0]
    assert len([line for line in code.splitlines() if line]) == 3
    # The same two numbers that the finding quoted in README names.
    curve = points(printed(code))
    assert [point for point, _ in curve] == ["embedding", "0", "1", "2", "3", "4", "5"]
    first, last = re.search(r"mean cosine ([\d.]+) → ([\d.]+) over 6 blocks", README).groups()  # type: ignore[union-attr]
    assert round(float(curve[0][1]), 2) == float(first)
    assert round(float(curve[-1][1]), 2) == float(last)


def test_the_comparison_prints_its_deltas() -> None:
    deltas = points(printed(blocks("python")[1]))
    assert [point for point, _ in deltas] == ["embedding", "0", "1", "2", "3", "4", "5"]
    # SoftDecay acts on the last block alone, and lowers the mean cosine there.
    assert {float(value) for _, value in deltas[:-1]} == {0.0}
    assert float(deltas[-1][1]) < 0


def test_the_guide_to_comparing_runs() -> None:
    guide = (ROOT / "docs" / "comparing.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", guide, flags=re.DOTALL | re.MULTILINE)
    found: dict[str, Any] = {}
    exec(compile(code, "comparing.md", "exec"), found)
    comparison = found["comparison"]
    assert not comparison.failures
    assert comparison.deltas("token_cosine", "as text") == comparison.deltas("token_cosine", "as objects")
    (command,) = re.findall(r"^```sh\n(.*?)^```", guide, flags=re.DOTALL | re.MULTILINE)
    assert {"compare", "--mitigation", "--out"} <= set(shlex.split(command))
    assert set(metrics.fidelity_names()) == set(re.findall(r"^\| `(\w+)` \| each text", guide, flags=re.MULTILINE))


def test_the_commands_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews.csv").write_text("stars,review\n5,A good film\n1,A bad film\n", encoding="utf-8")
    commands = [shlex.split(line) for line in "".join(blocks("sh")).splitlines() if "oversmooth" in line.split()[0]]
    assert len(commands) >= 8
    for program, *arguments in commands:
        assert program == ".venv/bin/oversmooth"
        if arguments[0] != "app":  # runs until it is stopped; tests/test_packaging.py starts it
            assert run(arguments) == 0, (arguments, capsys.readouterr().err)
    for name in ("curves.csv", "spectra.csv"):
        assert (tmp_path / "result" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_the_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", README)) <= targets


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_number_of_metrics_is_the_true_one() -> None:
    assert f"{len(metrics.usual_names())} metrics" in README
