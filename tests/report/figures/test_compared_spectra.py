from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from synthetic import comparison_of, deep_variant, fused_variant, variant

from oversmooth.report.figures.compared_spectra import compared_spectra
from oversmooth.report.figures.identity import identity
from oversmooth.report.figures.theme import DARK, LIGHT
from oversmooth.results.measurement import Note


def _strong(figure: go.Figure, axis: str = "y") -> list[Any]:
    return [trace for trace in figure.data if trace.name and (trace.yaxis or "y") == axis]


def _words(figure: go.Figure) -> str:
    return " ".join(note.text for note in figure.layout.annotations).replace("<br>", " ")


@pytest.mark.parametrize("centred", [False, True])
def test_the_drawn_values_are_those_of_every_side(centred: bool) -> None:
    comparison = comparison_of(3)
    figure = compared_spectra(comparison, "4", centred=centred, logarithmic=True, theme=LIGHT)
    values, shares = _strong(figure), _strong(figure, "y2")
    assert len(values) == len(shares) == 4
    for line, share, side in zip(values, shares, comparison.measurements.values(), strict=True):
        expected = side.spectra["centred" if centred else "raw"].sel(point="4").values[0]
        expected = expected[np.isfinite(expected)]
        np.testing.assert_array_equal(line.y, expected)
        np.testing.assert_allclose(share.y, np.cumsum(expected**2) / np.sum(expected**2), rtol=1e-12)
    assert "At block 4" in _words(figure)


@pytest.mark.parametrize("variants", range(1, 7))
def test_sides_look_as_their_position_says_and_are_named_once(variants: int) -> None:
    comparison = comparison_of(variants)
    figure = compared_spectra(comparison, "4", centred=False, logarithmic=False, theme=DARK)
    for axis in ("y", "y2"):
        for position, line in enumerate(_strong(figure, axis)):
            looks = identity(DARK, position)
            assert (line.line.color, line.line.dash, line.marker.symbol) == (looks.colour, looks.dash, looks.symbol)
    assert figure.layout.showlegend
    assert [line.name for line in figure.data if line.showlegend is not False] == list(comparison.measurements)
    assert len(figure.to_json()) < 80_000


def test_many_components_have_few_markers() -> None:
    words = [f"w{n}" for n in range(48)]
    figure = compared_spectra(
        comparison_of({"a": variant(-0.1, words=words)}), "4", centred=False, logarithmic=True, theme=LIGHT
    )
    few, many = _strong(figure)
    assert few.marker.maxdisplayed == 0
    assert 5 <= many.marker.maxdisplayed <= 20
    assert figure.layout.xaxis2.range[1] > 48


def test_values_below_the_resolution_are_grey_and_every_floor_is_drawn() -> None:
    comparison = comparison_of({"a": variant(-0.1, words=["a", "b", "c", "d"])})
    comparison.measurements["a"].spectra["raw"].loc[0, "4"] = [10.0, 1.0, 1e-5, 1e-8]
    for label, floor in (("baseline", 2e-6), ("a", 1e-6)):
        comparison.measurements[label].spectra["floor"].loc[0] = floor
    figure = compared_spectra(comparison, "4", centred=False, logarithmic=True, theme=LIGHT)
    assert [shape.y0 for shape in figure.layout.shapes] == [1e-6, 2e-6]
    assert {(shape.line.color, shape.line.width) for shape in figure.layout.shapes} == {(LIGHT.muted, 1)}
    assert "resolution of a float32 pass, 1×10⁻⁶ to 2×10⁻⁶" in _words(figure)
    np.testing.assert_array_equal(_strong(figure)[1].y, [10.0, 1.0, 1e-5, math.nan])
    (grey,) = [trace for trace in figure.data if trace.line.color == LIGHT.muted]
    assert list(grey.y) == [1e-5, 1e-8]
    assert grey.marker.symbol == "square"


def test_the_axis_stays_while_the_layer_changes_and_holds_every_side() -> None:
    comparison = comparison_of(2)
    comparison.measurements["gfsa:weight=-0.2"].spectra["raw"].loc[0, "1"][0] = 500.0
    ranges = {
        tuple(compared_spectra(comparison, point, centred=False, logarithmic=False, theme=LIGHT).layout.yaxis.range)
        for point in comparison.baseline.points
    }
    assert len(ranges) == 1
    assert ranges.pop()[1] > 500


def test_sides_without_a_spectrum_are_named_with_the_reason() -> None:
    broken = variant(-0.1, notes=[Note("missing", 0, "4", "token_cosine", "overflow of <x>")])
    broken.spectra["raw"].loc[0, "4"] = math.nan
    comparison = comparison_of({"broken": broken, "fused": fused_variant(), "deep": deep_variant()})
    figure = compared_spectra(comparison, "4", centred=False, logarithmic=True, theme=LIGHT)
    assert [line.name for line in _strong(figure)] == ["baseline", "fused", "deep"]
    assert "broken: overflow of &lt;x&gt;." in _words(figure)
    fusion = compared_spectra(comparison, "fusion", centred=False, logarithmic=True, theme=LIGHT)
    assert [line.name for line in _strong(fusion)] == ["fused"]
    assert "baseline, broken and deep: it has no such point." in _words(fusion)


def test_nothing_to_draw_says_why() -> None:
    figure = compared_spectra(
        comparison_of({"a": variant(-0.1)}), "fusion", centred=False, logarithmic=True, theme=LIGHT
    )
    assert not figure.data
    assert _words(figure) == ("No spectrum at the fusion of all blocks: baseline and a: it has no such point.")
