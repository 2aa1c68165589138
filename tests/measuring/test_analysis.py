"""Texts of equal length are computed together: each has the numbers, gaps and notes that it has alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from reference import matrices
from reference.single import array

from oversmooth import metrics
from oversmooth.measuring.analysis import Analysis
from oversmooth.measuring.measured_rows import Arrived, MeasuredRows, Place
from oversmooth.measuring.resolution import Resolution
from oversmooth.metrics.numerics import Array, namespace, on_host
from oversmooth.metrics.similarity import averaged
from oversmooth.results.measurement import Note

States = NDArray[np.float32]
POINT = "0"
USUAL = 2.0**-18
"""The floor of a float32 pass over ‖X‖_F."""

pytestmark = pytest.mark.usefixtures("_backend")


def texts(tokens: int, dimension: int) -> list[States]:
    """States of texts of [CLS], that many tokens and [SEP]: ordinary ones and such as have something undefined."""
    count = max(tokens, 4) + 2

    def plain(seed: int) -> States:
        return matrices.plain(count, dimension, seed).astype(np.float32)

    not_a_number, infinite, zero_token, massive, zero_cls, broken_cls, at_the_mean = (plain(seed) for seed in range(7))
    not_a_number[1, 1] = np.nan
    infinite[1] = np.inf
    zero_token[1] = 0.0
    massive[1] *= 1e6
    zero_cls[0] = 0.0
    broken_cls[0, 0] = np.nan
    at_the_mean[2] = -at_the_mean[1]
    at_the_mean[3:] = 0.0
    alike, long_tail = (matrices.over_smoothed(count, dimension, ratio, seed=8) for ratio in (1e-9, 1e-5))
    equal, zero = np.tile(plain(9)[:1], (count, 1)), np.zeros((count, dimension))
    states: list[NDArray[Any]] = [
        plain(10),
        not_a_number,
        zero_token,
        infinite,
        plain(11),
        equal,
        zero,
        at_the_mean,
        massive,
    ]
    states += [alike, long_tail, zero_cls, broken_cls, plain(12)]
    return [each[: tokens + 2].astype(np.float32) for each in states]


def rows(states: Sequence[States], *, special: bool, classification: int | None = 0) -> list[MeasuredRows]:
    return [
        MeasuredRows(
            np.arange(len(each)) if special else np.arange(1, len(each) - 1), classification, np.arange(len(each))
        )
        for each in states
    ]


def analysed(states: Sequence[States], rows: Sequence[MeasuredRows], numbers: Sequence[int] | None = None) -> Analysis:
    """All at once, padded at the end with numbers that nobody may read."""
    analysis = Analysis(
        metrics.names(),
        (POINT,),
        rows,
        states[0].shape[1],
        resolution=Resolution(rows, np.dtype(np.float32), post_norm=True),
        similarity=True,
        shown=len(rows) - 1,
        centred=True,
    )
    width = max(len(each) for each in states) + 1
    padded = np.full((len(states), width, states[0].shape[1]), 1e30, dtype=np.float32)
    for row, each in enumerate(states):
        padded[row, : len(each)] = each
    order = list(range(len(states)) if numbers is None else numbers)
    analysis.take([Arrived(POINT, order, array(padded[order]), np.full(len(order), USUAL))])
    return analysis


def assert_as_alone(states: Sequence[States], rows: Sequence[MeasuredRows], together: Analysis) -> None:
    for number, (each, row) in enumerate(zip(states, rows, strict=True)):
        alone = analysed([each], [row])
        for name, curve in together.curves.items():
            np.testing.assert_allclose(curve[number], alone.curves[name][0], rtol=1e-12, atol=1e-14, err_msg=name)
        components = alone.spectra["raw"].shape[2]
        for form, tolerance in (("raw", 1e-12), ("centred", 1e-9)):
            values = together.spectra[form][number]
            np.testing.assert_allclose(values[:, :components], alone.spectra[form][0], rtol=tolerance)
            assert np.isnan(values[:, components:]).all()
        np.testing.assert_allclose(together.floor[number], alone.floor[0], rtol=1e-14)
        assert notes(together, number) == notes(alone, 0)
        assert together.non_finite.get(Place(number, POINT)) == alone.non_finite.get(Place(0, POINT))


def notes(analysis: Analysis, number: int) -> list[Note]:
    """Those of one input, but for the map, which only one text has."""
    return [
        replace(note, input=0)
        for note in analysis.ordered_notes()
        if note.input == number and note.metric != "similarity"
    ]


@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("shape", [(6, 12), (2, 12), (9, 4), (1, 12)], ids=str)
def test_no_text_changes_the_numbers_of_those_beside_it(shape: tuple[int, int], special: bool) -> None:
    states = texts(*shape)
    chosen = rows(states, special=special)
    assert_as_alone(states, chosen, analysed(states, chosen))


def test_the_bad_ones_are_bad_and_the_good_ones_good() -> None:
    states = texts(6, 12)
    together = analysed(states, rows(states, special=False))
    finite = {name: np.isfinite(curve[:, 0]) for name, curve in together.curves.items()}
    assert [number for number, _ in together.non_finite] == [1, 3]
    assert np.flatnonzero(~finite["mean_norm"]).tolist() == [1, 3]
    assert np.flatnonzero(~finite["token_cosine"]).tolist() == [1, 2, 3, 6, 7]
    assert np.flatnonzero(~finite["effective_rank"]).tolist() == [1, 3, 6]
    assert np.flatnonzero(~finite["cls_uniformity"]).tolist() == [1, 2, 3, 6, 7, 11, 12]
    for number in (0, 4, 13):
        assert all(each[number] for each in finite.values())
        assert not notes(together, number)


def test_texts_of_several_lengths_in_any_order() -> None:
    lengths = (5, 7, 5, 1, 7, 7, 1, 5, 2)
    states = [matrices.plain(length + 2, 12, seed).astype(np.float32) for seed, length in enumerate(lengths)]
    chosen = rows(states, special=False)
    order = np.random.default_rng(0).permutation(len(lengths)).tolist()
    assert_as_alone(states, chosen, analysed(states, chosen, order))


def test_more_texts_than_are_computed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oversmooth.measuring.measured_rows.STACK_BYTES", 8 * 5 * 12 * 3)
    states = [matrices.plain(7, 12, seed).astype(np.float32) for seed in range(8)]
    chosen = rows(states, special=False)
    assert_as_alone(states, chosen, analysed(states, chosen))


def test_a_text_with_a_classification_token_beside_one_without() -> None:
    states = [matrices.plain(6, 12, seed).astype(np.float32) for seed in range(3)]
    chosen = rows(states, special=False)
    chosen[1] = replace(chosen[1], classification=None)
    together = analysed(states, chosen)
    assert_as_alone(states, chosen, together)
    assert np.isfinite(together.curves["cls_uniformity"][:, 0]).tolist() == [True, False, True]


def test_a_decomposition_that_fails_for_one_text_is_there_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    states = [matrices.plain(6, 12, seed).astype(np.float32) for seed in range(3)]
    states[1] *= 100
    library = namespace(array([1.0])).linalg
    original = library.eigvalsh

    def fails(grams: Array) -> Array:
        if on_host(grams).trace(axis1=-2, axis2=-1).max() > 1000:
            raise np.linalg.LinAlgError
        return original(grams)

    monkeypatch.setattr(library, "eigvalsh", fails)
    chosen = rows(states, special=False)
    together = analysed(states, chosen)
    assert_as_alone(states, chosen, together)
    assert np.isfinite(together.curves["effective_rank"][:, 0]).tolist() == [True, False, True]
    assert np.isfinite(together.curves["token_cosine"]).all()
    assert {note.metric for note in notes(together, 1)} >= {"effective_rank", "spectrum"}


def test_a_map_of_neighbours_holds_the_mean_of_each_block_the_last_ones_too() -> None:
    matrix = np.arange(25.0).reshape(5, 5) ** 2
    edges = [slice(0, 2), slice(2, 4), slice(4, 5)]
    np.testing.assert_allclose(averaged(matrix, 2), [[matrix[row, column].mean() for column in edges] for row in edges])


@pytest.mark.parametrize(("most", "factor"), [(3, 2), (4, 1), (5, 1), (2, 2)])
def test_no_more_neighbours_share_a_row_than_a_map_needs(
    most: int, factor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oversmooth.measuring.analysis.MAP_TOKENS", most)
    states = [matrices.plain(6, 5, 1).astype(np.float32)]
    assert analysed(states, rows(states, special=False)).factor == factor


def test_notes_stand_by_text_and_then_by_point_whatever_came_first() -> None:
    names = ("embedding", "0", "1")
    states = np.full((1, 3, 4), np.nan, dtype=np.float32)
    of_texts = rows([states[0]] * 2, special=True)
    analysis = Analysis(
        ["token_cosine"],
        names,
        of_texts,
        4,
        resolution=Resolution(of_texts, np.dtype(np.float32), post_norm=True),
        similarity=False,
        centred=False,
    )
    for number, point in [(1, "0"), (0, "1"), (1, "embedding"), (0, "0"), (1, "1"), (0, "embedding")]:
        analysis.take([Arrived(point, [number], states, np.full(1, USUAL))])
    curves = [(note.input, note.point) for note in analysis.ordered_notes() if note.metric == "token_cosine"]
    assert curves == [(text, point) for text in (0, 1) for point in names]
