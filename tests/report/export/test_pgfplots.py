"""The pgfplots pair: the source is not compiled here; its options and the numbers that it reads are looked at."""

from __future__ import annotations

import csv
import io
import math
import re

import plotly.graph_objects as go
import pytest
from synthetic import broken_variant, comparison_of, deep_variant, fused_variant, measurement, variant

from oversmooth.report.export.pgfplots import pgfplots
from oversmooth.report.figures.canvas import blank
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.figures.theme import LIGHT
from oversmooth.report.paper.presets import PRESETS
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement, Note

PLOT = re.compile(r"% trace (\d+): (.*)\n\\addplot\[(.*)\] table\[(.*)\] \{(.*)\};")
LABEL = "50% of {a_b} & $x$ \\y ~^ #1"


def drawn(result: Measurement | Comparison, name: str) -> tuple[go.Figure, str, list[dict[str, str]]]:
    """The figure on screen, its source, and the rows of its table."""
    figure = figures_of(result)[name].build()
    found = pgfplots(figure, PRESETS["single"], f"pgfplots/{name}.csv")
    assert found is not None
    return figure, found[0], list(csv.DictReader(io.StringIO(found[1])))


def column(rows: list[dict[str, str]], name: str, count: int) -> list[float]:
    """The numbers of a trace; the rows behind its last are padding."""
    values = [float(row[name]) for row in rows]
    assert all(map(math.isnan, values[count:]))
    return values[:count]


@pytest.fixture
def comparison() -> Comparison:
    return comparison_of(
        {LABEL: variant(-0.1), "deep": deep_variant(), "broken": broken_variant(), "fused": fused_variant()}
    )


@pytest.mark.parametrize("name", ["token_cosine", "token_cosine_delta", "cka_to_baseline"])
def test_the_table_holds_the_very_numbers_of_the_screen(comparison: Comparison, name: str) -> None:
    figure, source, rows = drawn(comparison, name)
    plots = {int(number): options for number, *options in PLOT.findall(source)}
    assert sorted(plots) == list(range(1, len(figure.data) + 1))
    for number, trace in enumerate(figure.data, start=1):
        expected = [math.nan if value is None else float(value) for value in trace.y]
        assert column(rows, f"y{number}", len(expected)) == pytest.approx(expected, rel=0, abs=0, nan_ok=True)
        assert column(rows, f"x{number}", len(expected)) == [float(value) for value in trace.x]
        _, _, reads, path = plots[number]
        assert f"x=x{number}, y=y{number}, col sep=comma" in reads
        assert path == f"pgfplots/{name}.csv"


def test_lines_look_as_on_the_screen(comparison: Comparison) -> None:
    figure, source, _ = drawn(comparison, "token_cosine")
    options = {int(number): found for number, _, found, _, _ in PLOT.findall(source)}
    unit = PRESETS["single"].points / 12  # points of a screen pixel
    dashes = set()
    for number, trace in enumerate(figure.data, start=1):
        if trace.mode == "markers":
            assert "only marks" in options[number]
            continue
        assert f"color=oversmooth{trace.line.color[1:]}" in options[number]
        assert rf"\definecolor{{oversmooth{trace.line.color[1:]}}}{{HTML}}{{{trace.line.color[1:].upper()}}}" in source
        width = re.search(r"line width=([\d.]+)bp", options[number])
        assert width is not None
        assert float(width[1]) == pytest.approx(trace.line.width * unit, rel=0.01)
        dash = re.search(r"dash pattern=([^,]*)", options[number])
        assert (dash is None) == (trace.line.dash == "solid")
        dashes.add(dash[1] if dash else "")
        if trace.marker.symbol:
            assert f"mark=oversmooth-{trace.marker.symbol}" in options[number]
            assert rf"\pgfdeclareplotmark{{oversmooth-{trace.marker.symbol}}}" in source
    assert len(dashes) >= 5


def test_dashes_have_the_lengths_of_the_screen() -> None:
    figure, source, _ = drawn(comparison_of(5), "token_cosine")
    options = {int(number): found for number, _, found, _, _ in PLOT.findall(source)}
    unit = PRESETS["single"].points / 12
    # Plotly's own lengths, in widths of at least three pixels; lengths in pixels are as they are written.
    pixels = {"dash": [9, 9], "dashdot": [9, 3, 3, 3], "8px 2px 2px 2px 2px 2px": [8, 2, 2, 2, 2, 2]}
    seen = set()
    for number, trace in enumerate(figure.data, start=1):
        if "lines" in trace.mode and trace.line.dash in pixels:
            found = [float(length) for length in re.findall(r"(?:on|off) ([\d.]+)bp", options[number])]
            assert found == pytest.approx([length * unit for length in pixels[trace.line.dash]], rel=0.01)
            seen.add(trace.line.dash)
    assert seen == set(pixels)


def test_a_legend_names_every_side_in_order_with_its_words_escaped(comparison: Comparison) -> None:
    _, source, _ = drawn(comparison, "token_cosine")
    assert re.findall(r"\\addlegendentry\{(.*)\}", source) == [
        "baseline",
        r"50\% of \{a\_b\} \& \$x\$ \textbackslash{}y \textasciitilde{}\textasciicircum{} \#1",
        "deep",
        "broken",
        "fused",
    ]
    # Comments are not set: there the label is as it is.
    assert f"% trace 4: {LABEL}" in source


def test_another_depth_has_an_axis_of_its_own_above(comparison: Comparison) -> None:
    _, source, _ = drawn(comparison, "token_cosine")
    first, second, third = re.findall(r"\\begin\{axis\}\[(.*?)\n\]", source, flags=re.DOTALL)
    assert "xmin=-1.5, xmax=8.5" in first
    assert "axis x line*=bottom" in first
    assert "xmin=-2.0, xmax=18.0" in second
    assert "axis x line*=top" in second
    assert "xticklabels={{0},{2},{4},{6},{8},{10}}" in second
    # The row of missing values has neither axis.
    assert "axis x line=none" in third
    assert "axis y line=none" in third
    assert {first.count("width=3.25in"), second.count("width=3.25in")} == {1}
    assert "12 blocks" in source


def test_gaps_and_unresolved_values_are_kept_apart() -> None:
    values = [0.06, 0.08, math.nan, 0.12, 0.14, 0.16, 0.36, 0.35]
    notes = [Note("missing", 0, "1", "token_cosine", "why"), Note("unresolved", 0, "3", "token_cosine", "why")]
    figure, source, rows = drawn(measurement({"token_cosine": values}, notes=notes), "token_cosine")
    line = next(number for number, trace in enumerate(figure.data, start=1) if trace.mode == "lines+markers")
    assert [math.isnan(float(row[f"y{line}"])) for row in rows] == [False, False, True, False, False, False, False]
    marks = [row[f"mark{line}"] for row in rows]
    # A square for the embedding, a hollow circle where the value is below the resolution.
    assert marks == ["m0", "m1", "m1", "m1", "m2", "m1", "m1"]
    options = next(options for number, _, options, _, _ in PLOT.findall(source) if int(number) == line)
    assert "m0={mark=oversmooth-square" in options
    assert "m2={mark=oversmooth-circle, solid, draw=oversmooth0072b2, fill=oversmoothffffff" in options
    assert "unbounded coords=jump" in source
    assert re.search(r"\\fill\[oversmooth\w+\] .*1\.4.*rectangle", source) or re.search(r"\\fill", source)


@pytest.mark.parametrize("name", ["token_cosine", "token_cosine_delta"])
def test_environments_and_braces_are_balanced(comparison: Comparison, name: str) -> None:
    _, source, _ = drawn(comparison, name)
    code = "\n".join(line for line in source.splitlines() if not line.startswith("% "))
    bare = re.sub(r"\\.", "", code)
    assert bare.count("{") == bare.count("}")
    assert bare.count("[") == bare.count("]")
    assert code.count(r"\begin{axis}") == code.count(r"\end{axis}")
    assert set(re.findall(r"oversmooth[0-9a-f]{6}\b", code)) == set(re.findall(r"\\definecolor\{(\w+)\}", code))
    used, declared = (set(re.findall(pattern, code)) for pattern in (r"mark=([\w-]+)", r"plotmark\{([\w-]+)\}"))
    assert used - {"none"} == declared


def test_a_blank_figure_has_no_drawing() -> None:
    assert pgfplots(blank("Nothing.", LIGHT), PRESETS["single"], "x.csv") is None


def test_a_band_is_filled_from_the_table_without_an_outline() -> None:
    rows = [[0.1, 0.2, math.nan, 0.4, 0.5, 0.6, 0.7, 0.8], [0.3, 0.4, math.nan, 0.6, 0.7, 0.8, 0.9, 1.0]]
    figure, source, table = drawn(measurement({"token_cosine": rows}), "token_cosine")
    plots = {int(number): options for number, _, options, _, _ in PLOT.findall(source)}
    band = next(number for number, trace in enumerate(figure.data, start=1) if trace.fill)
    assert "draw=none, fill=oversmooth0072b2, fill opacity=0.2, mark=none" in plots[band]
    assert r"\closedcycle" not in source
    # There and back on each side of the gap.
    trace = figure.data[band - 1]
    found = column(table, f"y{band}", len(trace.y))
    assert found == pytest.approx([0.1, 0.2, 0.4, 0.3, math.nan, *rows[0][3:7], *rows[1][6:2:-1]], nan_ok=True)
    # The bar of the final norm is as faint.
    bar = next(n for n, trace in enumerate(figure.data, start=1) if trace.mode == "lines" and not trace.line.dash)
    assert "draw opacity=0.2" in plots[bar]
