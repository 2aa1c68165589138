from __future__ import annotations

import math

import numpy as np
import pytest
from synthetic import measurement

from oversmooth.report.figures.similarity import colour_range, similarity_map
from oversmooth.report.figures.theme import DARK, LIGHT
from oversmooth.results.measurement import Note


def test_the_drawn_cosines_are_the_measured_ones() -> None:
    result = measurement()
    assert result.similarity is not None
    heat = similarity_map(result, "3", theme=LIGHT).data[0]
    np.testing.assert_array_equal(heat.z, result.similarity.sel(point="3").values)
    assert np.asarray(heat.z).dtype == np.float32
    assert "%{y} × %{x}: <b>%{z:.2f}</b>" in heat.hovertemplate


def test_repeated_tokens_keep_their_own_rows_in_reading_order() -> None:
    figure = similarity_map(measurement(words=["the", "cat", "the"]), "0", theme=LIGHT)
    heat = figure.data[0]
    assert len(set(heat.x)) == 3
    assert heat.x == heat.y
    assert figure.layout.xaxis.ticktext == ("the", "cat", "the")
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "category"
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis.scaleanchor == "x"


def test_all_layers_share_one_colour_scale() -> None:
    result = measurement()
    assert result.similarity is not None
    scales = {
        (heat.zmin, heat.zmax) for point in result.points for heat in similarity_map(result, point, theme=DARK).data
    }
    assert scales == {colour_range([result])}
    low, high = scales.pop()
    assert low <= float(result.similarity.min())
    assert high >= 1.0
    assert low > float(result.similarity.min()) - 0.1


@pytest.mark.parametrize(("lowest", "rounded"), [(0.9, 0.9), (0.899, 0.8), (-0.31, -0.4), (0.0, 0.0), (1.0, 0.9)])
def test_the_scale_is_rounded_outward(lowest: float, rounded: float) -> None:
    result = measurement(words=["a", "b"], blocks=1)
    assert result.similarity is not None
    result.similarity[:] = np.array([[1, lowest], [lowest, 1]], dtype=np.float32)
    assert colour_range([result]) == pytest.approx((rounded, 1.0))


def test_one_broken_layer_does_not_take_the_scale_or_the_others() -> None:
    result = measurement(notes=[Note("missing", 0, "2", "similarity", "3 activations are infinite")])
    assert result.similarity is not None
    result.similarity.loc["2"] = math.nan
    broken = similarity_map(result, "2", theme=LIGHT)
    assert not broken.data
    text = broken.layout.annotations[0].text.replace("<br>", " ")
    assert text == "No similarity at block 2: 3 activations are infinite."
    assert np.isfinite(similarity_map(result, "3", theme=LIGHT).data[0].zmin)


def test_no_maps_say_so() -> None:
    figure = similarity_map(measurement(similarity=False), "2", theme=LIGHT)
    assert not figure.data
    assert "No similarity maps were kept" in figure.layout.annotations[0].text


@pytest.mark.parametrize(("tokens", "kept", "drawn"), [(256, 1, 1), (257, 1, 2), (512, 1, 2), (1024, 2, 4)])
def test_large_maps_are_reduced_and_say_by_how_much(tokens: int, kept: int, drawn: int) -> None:
    result = measurement(words=[f"w{n}" for n in range(tokens)], blocks=1, similarity_factor=kept)
    figure = similarity_map(result, "0", theme=LIGHT)
    heat = figure.data[0]
    assert np.asarray(heat.z).shape == (len(heat.y), len(heat.x)) == (-(-tokens // drawn),) * 2
    assert len(set(heat.x)) == len(heat.x)
    assert len(figure.to_json()) < 1_000_000
    words = [note.text for note in figure.layout.annotations]
    assert words == ([] if drawn == 1 else [f"Each cell is the mean over {drawn} × {drawn} neighbouring tokens"])
    assert len(figure.layout.xaxis.tickvals) <= 64


def test_a_reduced_cell_is_the_mean_of_its_tokens() -> None:
    result = measurement(words=[f"w{n}" for n in range(301)], blocks=1)
    assert result.similarity is not None
    full = result.similarity.sel(point="0").values.astype(float)
    heat = similarity_map(result, "0", theme=LIGHT).data[0]
    assert heat.z[1][2] == pytest.approx(full[2:4, 4:6].mean(), rel=1e-6)
    assert heat.z[150][2] == pytest.approx(full[300:, 4:6].mean(), rel=1e-6)
    assert "(3–4)" in heat.y[1]


def test_one_token_is_a_map_of_one_cell() -> None:
    heat = similarity_map(measurement(words=["cat"]), "0", theme=LIGHT).data[0]
    assert np.asarray(heat.z) == pytest.approx(1.0)
    assert heat.zmin < heat.zmax
