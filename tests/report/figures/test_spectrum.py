from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic import SENTENCE, measurement

from oversmooth.report.figures.spectrum import spectrum
from oversmooth.report.figures.theme import DARK, LIGHT, Theme
from oversmooth.results.measurement import Measurement, Note


def _collapsed() -> Measurement:
    """Block 1 has four values above the floor of 1e-6 and two below, one of them exactly 0."""
    result = measurement(words=SENTENCE[:6], blocks=2, final_norm=False)
    result.spectra["raw"].loc[0, "1"] = [10.0, 1.0, 1e-3, 1e-5, 2e-7, 0.0]
    result.spectra["floor"].loc[0, :] = 1e-6
    return result


def _strong(
    result: Measurement, point: str, theme: Theme = LIGHT, *, centred: bool = False
) -> list[NDArray[np.float64]]:
    figure = spectrum(result, point, centred=centred, logarithmic=True, theme=theme)
    return [np.asarray(trace.y, float) for trace in figure.data if trace.line.width and trace.line.width > 2]


@pytest.mark.parametrize("centred", [False, True])
def test_the_drawn_values_are_the_measured_ones(centred: bool) -> None:
    result = measurement()
    values, shares = _strong(result, "3", centred=centred)
    expected = result.spectra["centred" if centred else "raw"].sel(point="3").values[0]
    expected = expected[np.isfinite(expected)]
    np.testing.assert_array_equal(values, expected)
    assert values.size == len(SENTENCE) - centred
    by_hand = [sum(v**2 for v in expected[: k + 1]) / sum(v**2 for v in expected) for k in range(expected.size)]
    np.testing.assert_allclose(shares, by_hand, rtol=1e-12)


def test_every_other_point_is_a_thin_line_coloured_by_depth() -> None:
    result = measurement(points=["embedding", "0.attention", "0", "1", "final_norm"])
    figure = spectrum(result, "0", centred=False, logarithmic=False, theme=DARK)
    fan = [trace for trace in figure.data if trace.line.width == 1 and (trace.yaxis or "y") == "y"]
    assert [trace.text for trace in fan] == ["the embedding", "block 1", "the final norm"]
    assert [trace.line.color for trace in fan] == [DARK.depth_colour(share) for share in (0, 2 / 3, 1)]
    key = figure.layout.annotations[0].text
    assert all(name in key for name in ("embedding", " 0", " 1", "final norm"))


def test_values_below_the_resolution_are_grey_and_its_line_is_drawn() -> None:
    figure = spectrum(_collapsed(), "1", centred=False, logarithmic=True, theme=LIGHT)
    (grey,) = [trace for trace in figure.data if trace.marker.color == LIGHT.paper]
    assert list(zip(grey.x, grey.y, strict=True)) == [(4, 1e-5), (5, 2e-7), (6, 0.0)]
    values, _ = _strong(_collapsed(), "1")
    np.testing.assert_array_equal(values, [10.0, 1.0, 1e-3, 1e-5, math.nan, math.nan])
    (line,) = figure.layout.shapes
    assert (line.y0, line.y1, line.line.dash) == (1e-6, 1e-6, "dash")
    label = next(note for note in figure.layout.annotations if "resolution" in note.text)
    assert label.y == pytest.approx(-6)
    low, high = figure.layout.yaxis.range
    assert low <= -7
    assert high >= 1


def test_the_resolution_is_not_drawn_where_it_is_out_of_view() -> None:
    assert not spectrum(measurement(), "1", centred=False, logarithmic=True, theme=LIGHT).layout.shapes
    assert not spectrum(_collapsed(), "1", centred=False, logarithmic=False, theme=LIGHT).layout.shapes


def test_the_axis_stays_while_the_layer_changes() -> None:
    result = measurement()
    for logarithmic in (False, True):
        ranges = {
            tuple(spectrum(result, point, centred=False, logarithmic=logarithmic, theme=LIGHT).layout.yaxis.range)
            for point in result.points
        }
        assert len(ranges) == 1
        low, high = ranges.pop()
        top = float(result.spectra["raw"].max())
        assert high >= (math.log10(top) if logarithmic else top)
        assert low < high


def test_powers_of_ten_over_many_decades_and_plain_numbers_over_few() -> None:
    wide = spectrum(_collapsed(), "1", centred=False, logarithmic=True, theme=LIGHT).layout.yaxis
    assert (wide.type, wide.exponentformat, wide.tickvals) == ("log", "power", None)
    narrow = spectrum(measurement(), "1", centred=False, logarithmic=True, theme=LIGHT).layout.yaxis
    assert {"1", "2", "5", "10", "20"} <= set(narrow.ticktext)
    assert spectrum(measurement(), "1", centred=False, logarithmic=False, theme=LIGHT).layout.yaxis.type is None


def test_the_energy_is_told_in_words() -> None:
    texts = [
        note.text
        for note in spectrum(_collapsed(), "1", centred=False, logarithmic=True, theme=LIGHT).layout.annotations
    ]
    assert "90 % of the energy in 1 of 6" in texts
    assert "<b>block 1</b>: largest 10, smallest 0" in texts


def test_points_without_a_spectrum_say_why_and_do_not_take_the_others() -> None:
    result = measurement(notes=[Note("missing", 0, "2", "token_cosine", "3 activations are infinite")])
    result.spectra["raw"].loc[0, "2"] = math.nan
    result.spectra["floor"].loc[0, "2"] = math.nan
    broken = spectrum(result, "2", centred=False, logarithmic=True, theme=LIGHT)
    assert not broken.data
    text = broken.layout.annotations[0].text.replace("<br>", " ")
    assert text == "No spectrum at block 2: 3 activations are infinite."
    assert spectrum(result, "3", centred=False, logarithmic=True, theme=LIGHT).data


def test_one_token_has_a_raw_value_and_no_centred_one() -> None:
    one = measurement(words=["cat"], blocks=1)
    assert spectrum(one, "0", centred=False, logarithmic=True, theme=LIGHT).data
    blank = spectrum(one, "0", centred=True, logarithmic=True, theme=LIGHT)
    assert "one token less its mean leaves nothing" in blank.layout.annotations[0].text.replace("<br>", " ")


def test_equal_tokens_have_no_centred_spectrum_to_draw() -> None:
    result = measurement(words=["a", "b", "c"], blocks=1, final_norm=False)
    result.spectra["centred"].loc[0, "0", [1, 2]] = 0.0
    figure = spectrum(result, "0", centred=True, logarithmic=True, theme=LIGHT)
    assert "all its values are 0" in figure.layout.annotations[0].text.replace("<br>", " ")


def test_only_the_first_text_is_drawn() -> None:
    result = measurement({"token_cosine": [[0.1, 0.2], [0.3, 0.4]]}, blocks=1, final_norm=False)
    result.spectra["raw"].loc[1] = 99.0
    values, _ = _strong(result, "0")
    assert values.max() < 99


def test_a_long_text_through_a_deep_model_stays_light() -> None:
    result = measurement({"token_cosine": np.zeros(82).tolist()}, words=["a", "b"], blocks=80, similarity=False)
    wide = np.sort(np.random.default_rng(0).random((1, 82, 4096)), axis=-1)[..., ::-1]
    spectra = result.spectra.drop_dims("component").assign(
        {name: (("input", "point", "component"), wide) for name in ("raw", "centred")}
    )
    object.__setattr__(result, "spectra", spectra)
    figure = spectrum(result, "40", centred=False, logarithmic=True, theme=LIGHT)
    assert len(figure.to_json()) < 2_000_000
    strong = next(trace for trace in figure.data if trace.line.width and trace.line.width > 2)
    assert (strong.x[0], strong.x[1], strong.x[-1]) == (1, 2, 4096)
