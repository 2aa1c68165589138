"""The examples of docs/ are run as they stand: the notebook's cells and the guide's lines."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from oversmooth import Comparison, Measurement

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "docs" / "examples" / "first_look.ipynb"
GUIDE = ROOT / "docs" / "python.md"

pytestmark = pytest.mark.slow


def run(sources: list[str], names: dict[str, Any]) -> list[Any]:
    """Run cells in one namespace; what the last line of each is worth, as a notebook shows it."""
    shown = []
    for source in sources:
        tree = ast.parse(source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), names)
        if isinstance(last, ast.Expr):
            shown.append(eval(compile(ast.Expression(last.value), "cell", "eval"), names))
    return shown


@cache
def notebook() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return read


def lines_of(figure: go.Figure) -> dict[str | None, list[float]]:
    """Values of the lines with markers, by name."""
    return {trace.name: list(trace.y) for trace in figure.data if trace.mode == "lines+markers"}


def test_the_notebook_is_stored_without_outputs() -> None:
    book = notebook()
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    names = [cell["id"] for cell in book["cells"]]
    assert len(set(names)) == len(names)
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
        else:
            assert set(cell) == {"cell_type", "id", "metadata", "source"}


def test_the_notebook_runs_and_draws_the_numbers_it_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    sources = ["".join(cell["source"]) for cell in notebook()["cells"] if cell["cell_type"] == "code"]
    shown = run(sources, names)
    measurement: Measurement = names["measurement"]
    comparison: Comparison = names["comparison"]
    assert len(comparison.variants) == 3
    assert not comparison.failures
    curve, similarity, spectrum, compared, deltas, difference, plane = (
        each for each in shown if isinstance(each, go.Figure)
    )
    first, last = (f"{measurement.curve('token_cosine')[point]:.2f}" for point in ("embedding", "5"))
    assert f"mean cosine {first} → {last}" in capsys.readouterr().out

    # Every number on a figure is that of the arrays, read here without the code that draws.
    mean = measurement.curves["token_cosine"].values.mean(axis=0)
    np.testing.assert_allclose(lines_of(curve)[None], mean, rtol=1e-12)
    maps = {label: each.similarity.sel(point="5").values for label, each in comparison.measurements.items()}  # type: ignore[union-attr]
    assert measurement.similarity is not None
    np.testing.assert_array_equal(similarity.data[0].z, measurement.similarity.sel(point="5").values)
    np.testing.assert_array_equal(difference.data[0].z, maps["neutreno:strength=0.4"] - maps["baseline"])
    sigma = measurement.spectra["raw"].sel(input=0, point="5").dropna("component").values
    assert any(trace.y is not None and np.array_equal(trace.y, sigma) for trace in spectrum.data)
    cosines = {label: each.curves["token_cosine"].values for label, each in comparison.measurements.items()}
    assert set(lines_of(compared)) == set(cosines)
    for label, values in cosines.items():
        np.testing.assert_allclose(lines_of(compared)[label], values.mean(axis=0), rtol=1e-12)
    assert set(lines_of(deltas)) == set(comparison.variants)
    for label in comparison.variants:
        expected = (cosines[label] - cosines["baseline"]).mean(axis=0)
        np.testing.assert_allclose(lines_of(deltas)[label], expected, rtol=1e-9, atol=1e-15)
    placed = {trace.name: (trace.x[0], trace.y[0]) for trace in plane.data if trace.mode == "markers"}
    for label in comparison.variants:
        kept = comparison.measurements[label].curves["cka_to_baseline"].sel(point="5").values.mean()
        assert placed[label] == pytest.approx((kept, cosines[label][:, -1].mean()))
    assert sum(trace.mode == "lines+markers" for trace in plane.data) == 2

    table = next(each for each in shown if hasattr(each, "columns"))
    assert list(table.value) == [values[text, -1] for values in cosines.values() for text in range(2)]
    assert (tmp_path / "token_cosine.pdf").read_bytes().startswith(b"%PDF-")


def test_the_guide_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        # Each line that is worth something on its own is a thing the reader may look at: none of them fails.
        run(blocks, names)
    told = re.findall(r"print\(error\)  # (.+)", blocks[-1])
    assert told
    assert printed.getvalue().splitlines()[-1:] == told
    assert not names["comparison"].failures
    assert "difference_5_2_neutreno_strength_0_4" in names["figures"]
    assert (tmp_path / "compared" / "curves.csv").exists()
    assert (tmp_path / "token_cosine.pdf").read_bytes().startswith(b"%PDF-")
    states = names["states"]
    with names["torch"].no_grad():
        plain = names["model"].network(**names["tokens"]).last_hidden_state
    assert not names["torch"].allclose(states, plain, atol=1e-3)


def test_links_of_the_guide_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", GUIDE.read_text(encoding="utf-8")) if "://" not in link]
    assert links
    assert [link for link in links if not (GUIDE.parent / link).exists()] == []
