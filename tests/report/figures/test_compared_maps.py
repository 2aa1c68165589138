from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import plotly.colors
import plotly.graph_objects as go
import pytest
from synthetic import comparison_of, deep_variant, fused_variant, measurement, variant

from oversmooth.report.figures.compared_maps import compared_map, difference_map
from oversmooth.report.figures.panes import DIVERGING
from oversmooth.report.figures.theme import DARK, LIGHT
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Note


def _words(figure: go.Figure) -> str:
    return " ".join(note.text for note in figure.layout.annotations).replace("<br>", " ")


def _map_of(comparison: Comparison, label: str) -> Any:
    maps = comparison.measurements[label].similarity
    assert maps is not None
    return maps


def test_all_sides_and_points_share_one_colour_scale() -> None:
    comparison = comparison_of(3)
    _map_of(comparison, "gfsa:weight=-0.2").loc["3"][0, 1] = -0.87
    scales = set()
    for label, side in comparison.measurements.items():
        for point in side.points:
            heat = compared_map(comparison, label, point, theme=LIGHT).data[0]
            np.testing.assert_array_equal(heat.z, _map_of(comparison, label).sel(point=point).values)
            scales.add((heat.zmin, heat.zmax))
    assert scales == {(-0.9, 1.0)}


def test_a_map_is_named_with_its_side_and_point() -> None:
    label = "<b>gfsa</b>:weight=-0.1"
    words = _words(compared_map(comparison_of({label: variant(-0.1)}), label, "3", theme=DARK))
    assert "&lt;b&gt;gfsa&lt;/b&gt;:weight=-0.1 block 3" in words
    assert DARK.categories[0] in words


def test_a_point_that_a_side_does_not_have_says_so() -> None:
    comparison = comparison_of({"deep": deep_variant(), "fused": fused_variant()})
    assert compared_map(comparison, "deep", "11", theme=LIGHT).data
    assert _words(compared_map(comparison, "baseline", "11", theme=LIGHT)) == (
        "No similarity at block 11: the model has no such point."
    )
    assert compared_map(comparison, "fused", "fusion", theme=LIGHT).data


def test_sides_without_maps_do_not_take_the_scale_of_the_others() -> None:
    broken = variant(-0.1, notes=[Note("missing", 0, "2", "similarity", "overflow")])
    assert broken.similarity is not None
    broken.similarity[:] = math.nan
    comparison = comparison_of({"broken": broken, "none": variant(-0.2, similarity=False)})
    heat = compared_map(comparison, "baseline", "2", theme=LIGHT).data[0]
    assert np.isfinite([heat.zmin, heat.zmax]).all()
    assert _words(compared_map(comparison, "broken", "2", theme=LIGHT)) == "No similarity at block 2: overflow."
    assert "No similarity maps were kept" in _words(compared_map(comparison, "none", "2", theme=LIGHT))


def test_the_difference_is_variant_minus_baseline_on_one_symmetric_scale() -> None:
    comparison = comparison_of(3)
    scales = set()
    largest = 0.0
    for label in comparison.variants:
        for point in comparison.baseline.points:
            heat = difference_map(comparison, label, point, theme=LIGHT).data[0]
            ours, theirs = (_map_of(comparison, name).sel(point=point).values for name in (label, "baseline"))
            np.testing.assert_array_equal(heat.z, ours - theirs)
            scales.add((heat.zmin, heat.zmax))
            largest = max(largest, float(np.abs(ours - theirs).max()))
    ((low, high),) = scales
    assert low == -high
    assert largest <= high < largest + 0.1


def test_the_difference_scale_is_neutral_at_zero_and_survives_a_print_in_grey() -> None:
    def lightness(colour: str) -> float:
        red, green, blue = plotly.colors.hex_to_rgb(colour)
        return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)

    assert [share for share, _ in DIVERGING] == [0, 0.25, 0.5, 0.75, 1]
    assert len(set(plotly.colors.hex_to_rgb(DIVERGING[2][1]))) == 1
    greys = [lightness(colour) for _, colour in DIVERGING]
    assert greys == sorted(greys)
    assert min(b - a for a, b in itertools.pairwise(greys)) > 12


@pytest.mark.parametrize(("size", "ends"), [(0.034, ["−0.04", "0", "+0.04"]), (0.0, ["−0.001", "0", "+0.001"])])
def test_small_differences_have_a_scale_of_their_own_size(size: float, ends: list[str]) -> None:
    comparison = comparison_of({"a": variant(-0.1, seed=0)})
    _map_of(comparison, "a").loc["3"][0, 1] += size
    heat = difference_map(comparison, "a", "0", theme=LIGHT).data[0]
    assert list(heat.colorbar.ticktext) == ends
    assert heat.zmax == pytest.approx(float(ends[2]))


def test_only_the_same_tokens_have_a_difference() -> None:
    other = variant(-0.1, words=["a", "b", "c"])
    reduced = variant(-0.1, similarity_factor=2)
    comparison = comparison_of({"other": other, "reduced": reduced, "deep": deep_variant(), "a": variant(-0.1)})
    for label, why in {
        "other": "its tokens are not the same",
        "reduced": "their maps are averaged over other numbers of tokens",
        "deep": "it has 12 blocks, the baseline 6",
    }.items():
        figure = difference_map(comparison, label, "2", theme=LIGHT)
        assert not figure.data
        assert _words(figure) == f"No difference to the baseline: {why}."
    assert difference_map(comparison, "a", "2", theme=LIGHT).data


def test_a_broken_layer_of_either_side_is_told() -> None:
    broken = variant(-0.1, notes=[Note("missing", 0, "2", "similarity", "overflow")])
    assert broken.similarity is not None
    broken.similarity.loc["2"] = math.nan
    comparison = comparison_of({"a": broken})
    assert _words(difference_map(comparison, "a", "2", theme=LIGHT)) == "No similarity at block 2: overflow."
    backward = Comparison({"baseline": broken, "a": measurement()}, {})
    assert _words(difference_map(backward, "a", "2", theme=LIGHT)) == (
        "No similarity at block 2: overflow (in the baseline)."
    )
    assert np.isfinite(difference_map(comparison, "a", "3", theme=LIGHT).data[0].zmax)


def test_the_map_of_a_fusion_is_set_against_the_last_block() -> None:
    comparison = comparison_of({"fused": fused_variant()})
    heat = difference_map(comparison, "fused", "fusion", theme=LIGHT).data[0]
    ours, theirs = _map_of(comparison, "fused").sel(point="fusion"), _map_of(comparison, "baseline").sel(point="5")
    np.testing.assert_array_equal(heat.z, ours.values - theirs.values)


def test_long_texts_stay_light() -> None:
    words = [f"w{n}" for n in range(512)]
    sides = {label: measurement(words=words, blocks=1, seed=seed) for seed, label in enumerate(("baseline", "a"))}
    for figure in (
        compared_map(Comparison(sides, {}), "a", "0", theme=LIGHT),
        difference_map(Comparison(sides, {}), "a", "0", theme=LIGHT),
    ):
        assert len(figure.to_json()) < 1_000_000
        assert "mean over 2 × 2 neighbouring tokens" in _words(figure)
