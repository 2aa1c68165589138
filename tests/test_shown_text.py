"""Of several texts, what is drawn, told or written of one of them is of the one that was chosen, not of the first."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import alternatives
import numpy as np
import pytest
from tiny import tiny

from oversmooth import Comparison, Measurement, Settings, compare, measure
from oversmooth.report.export.latex import caption
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.figures.registry import Drawable
from oversmooth.results.files.arrays import arrays
from oversmooth.results.files.document import Document
from oversmooth.results.files.tables import tables_of

TEXTS = ["the cat sat on mat and dog saw rain", "sun moon tree bird sky river stone house door key bread"]
OF_ONE_TEXT = {"similarity_2", "spectrum_2", "spectrum_2_centred", "spectrum_cdf", "norm_deviation", "dominance"}
"""Figures of a measurement that draw one text."""
METHOD = "pairnorm"


def measured(*texts: str, shown: int = 0) -> Measurement:
    settings = Settings.of(texts=texts, shown=shown, explanation=True, similarity=True, centred_spectra=True)
    return measure(settings, model=tiny("bert"))


def compared(*texts: str, shown: int = 0) -> Comparison:
    settings = Settings.of(texts=texts, shown=shown, similarity=True, centred_spectra=True)
    return compare(settings, [METHOD], model=tiny("bert"))


@pytest.fixture(scope="module")
def second() -> Measurement:
    """Both texts, of which the second is shown."""
    return measured(*TEXTS, shown=1)


@pytest.fixture(scope="module")
def alone() -> Measurement:
    """The second text and no other: what must be shown of it."""
    return measured(TEXTS[1])


@pytest.fixture(scope="module")
def sides() -> tuple[Comparison, Comparison]:
    """A comparison of both texts with the second shown, and one of the second alone."""
    return compared(*TEXTS, shown=1), compared(TEXTS[1])


def numbers(figure: Drawable) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """Every array of numbers that a figure draws, in order."""
    found = []
    for trace in figure.build().data:
        for axis in ("x", "y", "z"):
            values = getattr(trace, axis, None)
            if values is not None and np.asarray(values).dtype.kind in "fiu":
                found.append(np.asarray(values, dtype=np.float64))
    return found


def assert_alike(ours: Drawable, theirs: Drawable) -> None:
    mine, other = numbers(ours), numbers(theirs)
    assert mine
    assert [each.shape for each in mine] == [each.shape for each in other]
    for one, two in zip(mine, other, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)


class TestFigures:
    @pytest.mark.parametrize("name", sorted(OF_ONE_TEXT))
    def test_of_one_text_draw_the_one_that_was_chosen(self, second: Measurement, alone: Measurement, name: str) -> None:
        assert_alike(figures_of(second)[name], figures_of(alone)[name])

    def test_of_a_comparison_draw_the_one_that_was_chosen(self, sides: tuple[Comparison, Comparison]) -> None:
        both, only = (figures_of(each) for each in sides)
        names = [name for name in only if name.startswith(("similarity_", "difference_", "spectra_"))]
        assert {name.split("_")[0] for name in names} == {"similarity", "difference", "spectra"}
        for name in names:
            assert_alike(both[name], only[name])


def with_floors(measurement: Measurement, *floors: float) -> Measurement:
    """The same, with another resolution of each text's states at every point."""
    dims, shape = measurement.spectra["floor"].dims, measurement.spectra["floor"].shape
    given = np.broadcast_to(np.asarray(floors)[:, None], shape)
    return replace(measurement, spectra=measurement.spectra.assign(floor=(dims, given)))


class TestResolution:
    """A floor in the middle of the singular values of the text that was chosen, and one out of sight of the other."""

    @pytest.fixture
    def drawn(self, second: Measurement, alone: Measurement) -> tuple[Measurement, Measurement]:
        middle = float(np.median(alone.spectra["raw"].sel(point="2").values[0]))
        return with_floors(second, 1e-30, middle), with_floors(alone, middle)

    def test_of_a_spectrum_is_that_of_the_one_that_was_chosen(self, drawn: tuple[Measurement, Measurement]) -> None:
        ours, theirs = (figures_of(each)["spectrum_2"].build().layout for each in drawn)
        assert [shape.y0 for shape in ours.shapes] == [shape.y0 for shape in theirs.shapes] != []
        assert ours.yaxis.range == pytest.approx(theirs.yaxis.range, rel=1e-4)

    def test_of_compared_spectra_too(self, drawn: tuple[Measurement, Measurement]) -> None:
        ours, theirs = (
            figures_of(Comparison({"baseline": each, "other": each}, {}, {"baseline": 0, "other": 1}))[
                "spectra_2"
            ].build()
            for each in drawn
        )
        assert [shape.y0 for shape in ours.layout.shapes] == [shape.y0 for shape in theirs.layout.shapes] != []

    def test_of_alternatives_too(self, drawn: tuple[Measurement, Measurement]) -> None:
        told = [alternatives.spectrum(each, "2", centred=False).partition("90 %")[2] for each in drawn]
        assert told[0] == told[1]
        assert "lie below the resolution" in told[0]


class TestWords:
    def test_alternatives_tell_of_the_one_that_was_chosen(self, second: Measurement, alone: Measurement) -> None:
        assert alternatives.similarity(second, "2") == alternatives.similarity(alone, "2")
        for centred in (False, True):
            assert alternatives.spectrum(second, "2", centred=centred).replace("text 2 of 2", "") == (
                alternatives.spectrum(alone, "2", centred=centred)
            )

    def test_a_caption_counts_the_tokens_of_the_one_that_was_chosen(self, second: Measurement) -> None:
        told = caption(second, figures_of(second)["similarity_2"])
        assert "text 2 of 2, of 11 tokens" in told

    @pytest.mark.parametrize(("shown", "cut"), [(0, False), (1, True)])
    def test_a_caption_tells_of_a_cut_where_the_text_that_it_is_about_was_cut(self, shown: int, cut: bool) -> None:
        settings = Settings.of(texts=TEXTS, shown=shown, max_tokens=12)
        result = measure(settings, model=tiny("bert"))
        drawn = figures_of(result)
        assert ("what is longer cut off" in caption(result, drawn["similarity_2"])) == cut
        assert "what is longer cut off" in caption(result, drawn["token_cosine"])


class TestFiles:
    def test_json_holds_the_map_the_tokens_and_the_deviations_of_the_one_that_was_chosen(
        self, second: Measurement, alone: Measurement
    ) -> None:
        ours, theirs = (json.loads(Document.of(each).to_json())["sides"][0] for each in (second, alone))
        assert ours["similarity"]["positions"] == theirs["similarity"]["positions"]
        np.testing.assert_allclose(ours["similarity"]["values"], theirs["similarity"]["values"], atol=1e-5)
        assert ours["tokens"][1] == theirs["tokens"][0]
        assert ours["tokens"][0] != theirs["tokens"][0]
        np.testing.assert_allclose(
            ours["spectra"]["raw"][1], np.asarray(theirs["spectra"]["raw"][0], dtype=float), rtol=1e-4, atol=1e-5
        )
        np.testing.assert_allclose(
            ours["explanation"]["norms"]["deviation"]["values"],
            theirs["explanation"]["norms"]["deviation"]["values"],
            rtol=1e-4,
        )

    def test_arrays_name_the_tokens_of_the_one_that_was_chosen(self, second: Measurement, alone: Measurement) -> None:
        ours, theirs = arrays(second), arrays(alone)
        for name in ("token", "token_id", "token_position"):
            np.testing.assert_array_equal(ours[name], theirs[name])
        np.testing.assert_allclose(ours["similarity"], theirs["similarity"], atol=1e-5)

    def test_tables_of_an_explanation_give_its_number(self, second: Measurement, alone: Measurement) -> None:
        ours, theirs = (tables_of(each)["norms"] for each in (second, alone))
        of_tokens = ours[ours["token"].notna()]
        assert set(of_tokens["input"]) == {1}
        np.testing.assert_allclose(
            of_tokens["value"].to_numpy(), theirs[theirs["token"].notna()]["value"].to_numpy(), rtol=1e-4
        )
