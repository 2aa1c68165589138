"""Quantities of an explanation of two small matrices, against the formulas written out."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from oversmooth.core.errors import InputError
from oversmooth.dashboard.reference.matrices import LAYERS, TEXTS, layers, texts
from oversmooth.metrics import mechanisms

FIRST = np.array([[1.0, 0.2, 0.1], [-0.3, 1.0, 0.4], [0.5, -0.2, -0.9]])
SECOND = np.array([[0.3, 0.1, 2.0], [0.4, -1.0, 0.2]])


def mean_cosine(pairs: object) -> float:
    return float(np.mean([a @ b / np.sqrt((a @ a) * (b @ b)) for a, b in pairs]))  # type: ignore[attr-defined]


def test_every_example_is_of_quantities_that_are_declared() -> None:
    assert {*TEXTS.names, *LAYERS.names} <= set(mechanisms.names())


def test_two_texts_within_and_between() -> None:
    found = {each.name: each.value for each in texts(FIRST, SECOND)}
    within = np.mean([mean_cosine(combinations(text, 2)) for text in (FIRST, SECOND)])
    between = mean_cosine(product(FIRST, SECOND))
    assert found["within_cosine"] == pytest.approx(within)
    assert found["between_cosine"] == pytest.approx(between)
    assert found["within_minus_between"] == pytest.approx(within - between)


def test_a_text_of_zero_vectors_has_a_reason() -> None:
    assert all("zero vector" in each.note for each in texts(FIRST, np.zeros((2, 3))) if np.isnan(each.value))
    assert np.isnan(texts(FIRST, np.zeros((2, 3)))[1].value)


def test_a_block_that_halves_the_differences() -> None:
    after = FIRST.mean(axis=0) + 0.5 * (FIRST - FIRST.mean(axis=0))
    assert [str(each) for each in layers(FIRST, after)] == ["0.5000", "1"]


def test_equal_tokens_have_no_ratio() -> None:
    ratio, cka = layers(np.ones((3, 3)), FIRST)
    assert str(ratio) == str(cka) == "undefined"
    assert "before the block are all equal" in ratio.note
    assert "all equal" in cka.note


def test_other_tokens_are_refused() -> None:
    with pytest.raises(InputError, match="3 tokens before the block and 2 after it"):
        layers(FIRST, SECOND)
