"""Differences of variants to their baseline, on measurements with known numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from synthetic import BASE, broken_variant, comparison_of, deep_variant, fused_variant, measurement, variant

from oversmooth.results.comparison import BASELINE, Comparison

NAN = math.nan


def beside(ours: object, theirs: object, **options: object) -> Comparison:
    """Two measurements of a mean cosine over two blocks, one row of values for each text."""
    return Comparison(
        {
            BASELINE: measurement({"token_cosine": theirs}, blocks=2, final_norm=False),  # type: ignore[dict-item]
            "x": measurement({"token_cosine": ours}, blocks=2, final_norm=False, **options),  # type: ignore[arg-type,dict-item]
        },
        {},
    )


def test_the_first_is_the_baseline_and_the_others_are_variants() -> None:
    comparison = comparison_of(2, failures={"broken": "It broke."})
    assert comparison.baseline_label == BASELINE
    assert comparison.baseline is comparison.measurements[BASELINE]
    assert list(comparison.variants) == ["gfsa:weight=-0.1", "gfsa:weight=-0.2"]


def test_deltas_are_variant_minus_baseline_at_every_point() -> None:
    found = comparison_of({"half": variant(-0.5)}).deltas("token_cosine", "half")
    expected = [0.0, 0.0, *(-0.5 * value for value in BASE[2:])]
    assert list(found) == ["embedding", "0", "1", "2", "3", "4", "5", "final_norm"]
    assert list(found.values()) == pytest.approx(expected)


def test_a_metric_of_one_side_alone_has_no_deltas() -> None:
    comparison = comparison_of({"half": variant(-0.5)})
    assert comparison.deltas("cka_to_baseline", "half") == {}
    assert comparison.input_deltas("cka_to_baseline", "half") is None
    assert comparison.parting("cka_to_baseline", "half") is None
    assert comparison.largest("cka_to_baseline", "half") is None


def test_every_text_has_its_own_delta() -> None:
    comparison = beside([[0.1, 0.3, 0.5], [0.2, 0.2, 0.2]], [[0.1, 0.2, 0.3], [0.2, 0.4, 0.6]])
    found = comparison.input_deltas("token_cosine", "x")
    assert found is not None
    np.testing.assert_allclose(found.values, [[0.0, 0.1, 0.2], [0.0, -0.2, -0.4]], atol=1e-12)
    assert list(comparison.deltas("token_cosine", "x").values()) == pytest.approx([0.0, -0.05, -0.1])


def test_a_text_that_one_side_lacks_does_not_shift_the_difference() -> None:
    # The mean of the variant is over the first text alone: set against the baseline's mean over both it would be −0.3.
    comparison = beside([[0.1, 0.2, 0.3], [0.7, 0.8, NAN]], [[0.1, 0.2, 0.3], [0.7, 0.8, 0.9]])
    assert list(comparison.deltas("token_cosine", "x").values()) == pytest.approx([0.0, 0.0, 0.0])


def test_other_texts_are_set_against_the_mean_of_all() -> None:
    comparison = beside([[0.4, 0.5, 0.6]], [[0.1, 0.2, 0.3], [0.3, 0.4, 0.5]])
    assert not comparison.same_texts("x")
    found = comparison.input_deltas("token_cosine", "x")
    assert found is not None
    assert found.shape == (1, 3)
    assert list(comparison.deltas("token_cosine", "x").values()) == pytest.approx([0.2, 0.2, 0.2])


def test_models_of_other_depth_have_no_deltas_and_say_why() -> None:
    comparison = comparison_of({"deep": deep_variant()})
    assert comparison.incomparable("deep") == "it has 12 blocks, the baseline 6"
    deltas = comparison.deltas("token_cosine", "deep")
    assert len(deltas) == 14
    assert all(map(math.isnan, deltas.values()))
    assert comparison.parting("token_cosine", "deep") is None
    assert comparison.largest("token_cosine", "deep") is None


def test_a_fusion_is_set_against_the_last_block() -> None:
    comparison = comparison_of({"fusion": fused_variant()})
    assert comparison.end("fusion") == "fusion"
    assert comparison.end(BASELINE) == "5"
    deltas = comparison.deltas("token_cosine", "fusion")
    assert deltas["fusion"] == pytest.approx(0.2 - BASE[6])
    assert {point: delta for point, delta in deltas.items() if delta} == {"fusion": deltas["fusion"]}
    assert comparison.parting("token_cosine", "fusion") == "fusion"
    assert comparison.largest("token_cosine", "fusion") == ("fusion", deltas["fusion"])


def test_they_part_where_they_first_differ() -> None:
    comparison = comparison_of({"half": variant(-0.5)})
    assert comparison.parting("token_cosine", "half") == "1"
    point, size = comparison.largest("token_cosine", "half") or ("", NAN)
    assert point == "5"
    assert size == pytest.approx(-0.18)


def test_equal_sides_nowhere_part() -> None:
    comparison = comparison_of({"same": variant(0.0)})
    assert comparison.parting("token_cosine", "same") is None
    assert comparison.largest("token_cosine", "same") is None
    assert set(comparison.deltas("token_cosine", "same").values()) == {0.0}


def test_rounding_is_no_difference() -> None:
    theirs = [0.1, 0.2, 0.3]
    assert beside([0.1, 0.2 * (1 + 1e-11), 0.3], theirs).parting("token_cosine", "x") is None
    assert beside([0.1, 0.2 * (1 + 1e-7), 0.3], theirs).parting("token_cosine", "x") == "0"


def test_they_part_where_only_one_side_has_a_value() -> None:
    assert beside([0.1, NAN, NAN], [0.1, 0.2, 0.3]).parting("token_cosine", "x") == "0"
    assert beside([0.1, 0.2, 0.3], [0.1, 0.2, NAN]).parting("token_cosine", "x") == "1"
    assert beside([0.1, 0.2, NAN], [0.1, 0.2, NAN]).parting("token_cosine", "x") is None
    assert beside([0.1, NAN, NAN], [0.1, 0.2, 0.3]).largest("token_cosine", "x") is None


def test_missing_values_are_left_out_of_the_largest() -> None:
    comparison = comparison_of({"broken": broken_variant()})
    deltas = comparison.deltas("token_cosine", "broken")
    assert [point for point, delta in deltas.items() if math.isnan(delta)] == ["3", "4"]
    point, size = comparison.largest("token_cosine", "broken") or ("", NAN)
    assert point == "5"
    assert size == pytest.approx(0.14)
