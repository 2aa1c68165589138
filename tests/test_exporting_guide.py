"""What docs/exporting.md says is run, and its tables are those of the code."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest
from synthetic import measurement

from oversmooth.cli.main import run
from oversmooth.report.export.contents import files_beside_figures
from oversmooth.report.export.formats import figure_formats, folders
from oversmooth.report.paper.presets import PRESETS
from oversmooth.results.agreement import SMALL, TOLERANCE
from oversmooth.results.files.arrays import arrays
from oversmooth.results.files.formats import number_formats

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "exporting.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, flags=re.DOTALL | re.MULTILINE)


def test_the_commands_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line) for line in "".join(blocks("sh")).splitlines()]
    assert len(commands) == 6
    for program, *arguments in commands:
        assert program == ".venv/bin/oversmooth"
        assert run(arguments) == 0, (arguments, capsys.readouterr().err)
    for name in ("curves.csv", "spectra.csv"):
        written = [(tmp_path / folder / name).read_bytes() for folder in ("result", "repeated", "unpacked")]
        assert len(set(written)) == 1
    assert capsys.readouterr().out.count("The same bytes as before: curves.csv, spectra.csv.") == 3
    assert {path.name for path in (tmp_path / "paper").iterdir() if path.is_dir()} == set(folders())


def test_the_python_lines_print_what_they_read() -> None:
    (code,) = blocks("python")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "exporting.md", "exec"), {})
    assert out.getvalue().startswith("['the' 'cat' 'sat'")
    assert out.getvalue().count("[[0.") == 1


def test_every_file_name_and_array_is_explained() -> None:
    for name in (*files_beside_figures(), *number_formats(), *figure_formats()):
        assert name in GUIDE or name.endswith(".parquet"), name
    for name in arrays(measurement()):
        assert f"`{name}`" in GUIDE, name


def test_presets_and_tolerance_are_the_true_ones() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) in \| (\d+) pt \|", GUIDE, flags=re.MULTILINE)
    assert [(name, float(width), float(points)) for name, width, points in rows] == [
        (name, round(preset.width, 2), preset.points) for name, preset in PRESETS.items()
    ]
    assert "relative difference of 10⁻⁴" in GUIDE
    assert (TOLERANCE, SMALL) == (1e-4, 1e-2)


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", GUIDE) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
