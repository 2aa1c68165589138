"""Every metric against a formula written a second time from its definition."""

from __future__ import annotations

import numpy as np
import pytest
from reference import formulas, matrices
from reference.sample import Sample
from reference.single import Single, number

from oversmooth.metrics import Metric, UndefinedError, all_metrics, names

pytestmark = pytest.mark.usefixtures("_backend")

SHAPES = [(5, 9), (24, 48), (6, 6), (9, 5), (40, 16), (2, 7), (2, 1), (7, 1), (3, 2)]

every_metric = pytest.mark.parametrize("metric", all_metrics(), ids=names())


@every_metric
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_float64_states_give_the_reference_to_ten_digits(metric: Metric, shape: tuple[int, int]) -> None:
    if metric.name == "spectrum_skewness" and min(shape) == 1:
        with pytest.raises(UndefinedError, match="singular values are equal"):
            number(metric, Single(matrices.plain(*shape, seed=1)))
        return
    for seed in range(4):
        sample = matrices.sample(matrices.plain(*shape, seed=seed), seed)
        value = number(metric, Single(sample.tokens, sample.classification))
        assert value == pytest.approx(formulas.of(metric.name)(sample), rel=1e-10, abs=1e-12)


@every_metric
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape[1] > 1], ids=str)
def test_float32_states_give_the_reference_of_the_unrounded_states_to_five_digits(
    metric: Metric, shape: tuple[int, int]
) -> None:
    for seed in range(4):
        sample = matrices.sample(matrices.plain(*shape, seed=seed), seed)
        rounded = Single(sample.tokens.astype(np.float32), sample.classification.astype(np.float32))
        # The absolute part is for cosines and a skewness that happen to lie near 0.
        assert number(metric, rounded) == pytest.approx(formulas.of(metric.name)(sample), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("row", [0, 3])
def test_a_cls_token_among_the_tokens_is_not_compared_to_itself(row: int) -> None:
    tokens = matrices.plain(7, 12, seed=3)
    states = Single(tokens, tokens[row], includes_classification=True)
    expected = formulas.of("cls_uniformity")(Sample(tokens, tokens[row], row))
    assert number("cls_uniformity", states) == pytest.approx(expected, rel=1e-12)


def test_numerical_rank_counts_what_float32_tells_from_rounding() -> None:
    threshold = 2.0**-23 * 8
    spectrum = np.array([1.0, 0.1, 1.2 * threshold, 0.8 * threshold, 0.1 * threshold])
    tokens = matrices.with_spectrum(spectrum, 6, 8, np.random.default_rng(5))
    assert number("numerical_rank", Single(tokens)) == 3
    assert formulas.of("numerical_rank")(matrices.sample(tokens)) == 3


def test_a_metric_without_a_reference_formula_fails() -> None:
    with pytest.raises(LookupError, match="needs one reference formula"):
        formulas.of("unheard_of")
