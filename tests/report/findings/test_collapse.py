"""Whether tokens collapse, and whether they stay so."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from synthetic import measurement

from oversmooth.report.findings.collapse import collapse_sentence, collapsed_by, collapses, shrinkage_sentence, states
from oversmooth.report.findings.explanations import explanation_headline, in_words
from oversmooth.report.findings.whether import whether
from oversmooth.results.measurement import Measurement, Note

NAN = math.nan


def shares(*values: float, ratios: float | None = None) -> Measurement:
    """A high-frequency share at the embedding and each block, 1 − cosine beside it, and a massive-activation ratio."""
    curves = {"token_cosine": [1 - value for value in values], "high_frequency_share": list(values)}
    result = measurement(curves, blocks=len(values) - 1, final_norm=False)
    if ratios is None:
        return result
    found = xr.DataArray(np.full((1, len(values)), ratios), dims=("input", "point"))
    return replace(result, activation_ratios=found)


def test_to_the_end() -> None:
    result = shares(0.9, 0.5, 5e-5, 1e-9)
    assert collapsed_by(result) == "1"
    assert collapse_sentence(result) == (
        "Tokens collapse by block 1: from there on they differ from their mean by at most 1 % of their length "
        "(high-frequency share 5×10⁻⁵, limit 0.0001)."
    )


def test_that_recovers_is_told_as_such() -> None:
    result = shares(0.9, 0.5, 3e-6, 1e-9, 0.02, 0.4)
    assert collapsed_by(result) is None
    assert collapses(result) == ("1", "2")
    sentence = (
        "Tokens collapse at block 1 and block 2 and recover: the high-frequency share is 1×10⁻⁹ at block 2 and 0.40 at "
        "block 4 (limit 0.0001)."
    )
    assert collapse_sentence(result) == sentence
    assert whether(result)[0] == sentence
    assert explanation_headline(result).startswith(f"{sentence} Tokens grow ")
    assert "No collapse" not in in_words(result)


def test_up_to_a_broken_block_says_how_far_it_is_known() -> None:
    assert collapse_sentence(shares(0.9, 5e-5, 1e-6, NAN)) == (
        "Tokens collapse by block 0: from there on to block 1, the last with a value, they differ from their mean by "
        "at most 1 % of their length (high-frequency share 5×10⁻⁵, limit 0.0001)."
    )


def unresolved(result: Measurement, *places: str) -> Measurement:
    """With marks at these points."""
    names = ("high_frequency_share", "distance_to_mean")
    notes = [Note("unresolved", 0, place, name, "a reason") for place in places for name in names]
    return replace(result, notes=tuple(notes))


def test_noise_has_no_digits() -> None:
    assert collapse_sentence(unresolved(shares(0.9, 0.5, 3e-13), "1")) == (
        "Tokens collapse by block 1: from there on they differ from their mean by at most 1 % of their length "
        "(high-frequency share below what the pass resolves, limit 0.0001)."
    )
    result = unresolved(shares(0.9, 0.5, 3e-6, 1e-13, 0.02), "2")
    assert collapse_sentence(result) == (
        "Tokens collapse at block 1 and block 2 and recover: the high-frequency share is below what the pass resolves "
        "at block 2 and 0.020 at block 3 (limit 0.0001)."
    )


def test_noise_that_has_grown_is_no_recovery() -> None:
    result = unresolved(shares(0.9, 0.5, 1e-9, 5e-5, 0.4), "2", "3")
    assert collapsed_by(result) == "1"
    assert collapse_sentence(result) == (
        "Tokens collapse by block 1: from there on to block 1, the last with a resolved value, they differ from their "
        "mean by at most 1 % of their length (high-frequency share 1×10⁻⁹, limit 0.0001)."
    )


def test_what_became_of_the_tokens_is_not_told_by_noise() -> None:
    curves = {
        "high_frequency_share": [0.9, 0.5, 1e-13],
        "distance_to_mean": [9.0, 5.0, 1e-6],
        "mean_token_norm": [3.0, 3.0, 3.0],
    }
    result = measurement(curves, blocks=2, final_norm=False)
    assert shrinkage_sentence(result).startswith("Up to there the distance to the mean token became 1.1×10⁻⁷ times")
    assert shrinkage_sentence(unresolved(result, "1")) == ""


def test_none() -> None:
    assert collapse_sentence(shares(0.9, 0.02, 0.3)).startswith("No collapse: the high-frequency share is 0.020 at its")


@pytest.mark.parametrize(
    ("share", "ratio", "expected"),
    [
        # The synthetic model is 48 wide: the others may have h (1 + 2r²/46).
        (5e-5, 10, "collapsed"),
        (5e-5, 300, "outlier"),
        (5e-5, 5000, "outlier"),
        (1e-12, 5000, "collapsed"),
        (1e-3, 5000, "apart"),
    ],
)
def test_an_outlier_alone_is_none(share: float, ratio: float, expected: str) -> None:
    assert states(shares(0.9, share, ratios=ratio)) == {"0": expected}


def test_an_outlier_in_one_of_several_texts_is_enough_to_tell_none() -> None:
    values = [[0.9, 5e-5], [0.9, 5e-5]]
    curves = {"token_cosine": [[1 - value for value in text] for text in values], "high_frequency_share": values}
    result = measurement(curves, blocks=1, final_norm=False)
    found = xr.DataArray(np.array([[2.0, 2.0], [500.0, 500.0]]), dims=("input", "point"))
    assert states(replace(result, activation_ratios=found)) == {"0": "outlier"}
    assert states(replace(result, activation_ratios=0.0 * found + 2.0)) == {"0": "collapsed"}


def test_the_bound_beside_the_largest_dimension_holds() -> None:
    """The share of all dimensions but the largest is at most h (1 + 2r²/(d − 2))."""
    random = np.random.default_rng(0)
    for size in (3.0, 30.0, 300.0, 3000.0):
        tokens = random.normal(size=(12, 40)) + random.normal(size=40)
        tokens[:, 7] = size + random.normal(size=12) * size / 100

        def share(states: np.ndarray) -> float:
            return float(((states - states.mean(axis=0)) ** 2).sum() / (states**2).sum())

        ratio = np.abs(tokens).max() / np.median(np.abs(tokens))
        assert share(np.delete(tokens, 7, axis=1)) <= share(tokens) * (1 + 2 * ratio**2 / 38)


def test_a_collapse_before_an_outlier_says_both() -> None:
    result = shares(0.9, 1e-6, 2e-5)
    found = xr.DataArray([[5.0, 5.0, 2500.0]], dims=("input", "point"))
    assert collapse_sentence(replace(result, activation_ratios=found)) == (
        "Tokens collapse at block 0: the high-frequency share is 1×10⁻⁶ at block 0 (limit 0.0001). Later the "
        "high-frequency share is 2×10⁻⁵ at block 1, but one activation there is 2,500 times the median, and that "
        "outlier alone may bring the share below 0.0001."
    )
