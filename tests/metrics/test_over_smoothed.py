"""Tokens that are nearly one vector, X = 1mᵀ + noise: where careless arithmetic measures its own rounding.

The truth is computed in 60 digits. What is promised, and held here, with σ₂/σ₁ from 1e-3 down to 1e-8:

* float64 states: what comes from the residual alone, every mean of cosines and every rank to a relative 1e-9;
  a singular value to a relative 1e-9 or to a few ε of the largest, whichever is more, and with it the two metrics
  that are made of small singular values (median and matrix entropy);
* float32 states against the states before rounding: residual and singular values to the resolution floor u‖X‖_F;
* a number that lies below the floor says so.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from reference import formulas, matrices, precise
from reference.sample import Matrix, Sample
from reference.single import Single, number, resolved

from oversmooth.metrics import Metric, all_metrics, get_metric, names

pytestmark = pytest.mark.usefixtures("_backend")

RATIOS = [1e-3, 3e-4, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8]
SHAPES = [(6, 5), (5, 6), (4, 4), (2, 6), (6, 2), (3, 5), (5, 3)]
CASES = [(shape, ratio) for shape in SHAPES for ratio in RATIOS]
EPSILON = 2.0**-52

RESIDUAL = ("distance_to_mean", "high_frequency_share", "dirichlet_energy")

OF_SMALL_SINGULAR_VALUES = {"spectrum_median": 1, "matrix_entropy": 2}
"""The power of σ₂/σ₁ that these metrics are made of."""


def case(shape: tuple[int, int], ratio: float, seed: int = 0) -> Sample:
    return matrices.sample(matrices.over_smoothed(*shape, ratio, seed), seed)


def promised(metric: Metric, ratio: float) -> float:
    """The relative error that float64 states may have."""
    power = OF_SMALL_SINGULAR_VALUES.get(metric.name, 0)
    # A singular value may err by a few ε of the largest, that is by ε/ratio of itself.
    return 1e-9 + (power * 40 * EPSILON / ratio if power else 0)


def test_the_cases_are_as_smoothed_as_they_say() -> None:
    for shape, ratio in CASES:
        spectrum = precise.singular_values(case(shape, ratio).tokens)
        assert 0.3 * ratio < spectrum[1] / spectrum[0] < 3 * ratio


@pytest.mark.parametrize("metric", all_metrics(), ids=names())
def test_float64_states_hold_the_promised_accuracy(metric: Metric) -> None:
    for shape, ratio in CASES:
        sample = case(shape, ratio)
        states = Single(sample.tokens, sample.classification)
        value, truth = number(metric, states), formulas.precise_of(metric.name)(sample)
        assert (
            metric.resolved is None or resolved(metric, states) or (metric.name, min(shape)) == ("spectrum_median", 4)
        )
        # The centred cosine of two tokens and the skewness of two values are constants, −1 and 0.
        assert value == pytest.approx(truth, rel=promised(metric, ratio), abs=1e-13 if abs(truth) < 1e-13 else 0), (
            shape,
            ratio,
        )


@pytest.mark.parametrize("ratio", [1e-3, 1e-6, 1e-9, 1e-12])
def test_residuals_stay_exact_far_below_the_float32_floor(ratio: float) -> None:
    sample = case((6, 5), ratio)
    states = Single(sample.tokens, sample.classification)
    for name in (*RESIDUAL, "token_cosine_centred", "rbf_distance"):
        assert number(name, states) == pytest.approx(formulas.precise_of(name)(sample), rel=1e-9), name


@pytest.mark.parametrize("ratio", RATIOS)
def test_shared_quantities(ratio: float) -> None:
    for seed, shape in enumerate(SHAPES):
        tokens = case(shape, ratio, seed).tokens
        states = Single(tokens)
        truth = precise.singular_values(tokens)
        assert (np.abs(states.singular_values - truth) <= 1e-9 * truth + 8 * EPSILON * truth[0]).all()
        centred = precise.centred_singular_values(tokens)
        # Centring is exact to the rounding of the residual, so these have the residual's accuracy.
        assert (np.abs(states.centred_singular_values - centred) <= 1e-9 * centred + 8 * EPSILON * centred[0]).all()
        gaps = precise.cosine_gaps(tokens)
        np.testing.assert_allclose(states.cosine_gaps, gaps, rtol=1e-9, atol=1e-12 * gaps.max())
        np.testing.assert_allclose(states.cosines, 1 - gaps, rtol=0, atol=4 * EPSILON)


def test_alike_directions_keep_their_digits_beside_a_massive_token() -> None:
    tokens = case((6, 5), 1e-6).tokens
    tokens[2] *= 1e4
    np.testing.assert_allclose(Single(tokens).cosine_gaps, precise.cosine_gaps(tokens), rtol=1e-8, atol=1e-30)


@pytest.mark.parametrize("smallest", [1e-2, 1e-3, 1e-4, 1e-6, 1e-9, 1e-11])
@pytest.mark.parametrize("shape", [(6, 5), (5, 6), (2, 3)], ids=str)
def test_a_long_tail_keeps_every_singular_value(shape: tuple[int, int], smallest: float) -> None:
    spectrum = np.logspace(0, math.log10(smallest), min(shape))
    for seed in range(8):
        tokens = matrices.with_spectrum(spectrum, *shape, np.random.default_rng(seed))
        error = np.abs(Single(tokens).singular_values - precise.singular_values(tokens))
        assert (error <= 1e-9 * spectrum + 8 * EPSILON).all()
        single = Single(tokens.astype(np.float32))
        np.testing.assert_array_less(np.abs(single.singular_values - spectrum), 2.001 * single.floors)


@pytest.mark.parametrize("shape", [(2, 3), (12, 15), (40, 30)], ids=str)
def test_one_small_singular_value_below_many_large_ones_is_not_lost(shape: tuple[int, int]) -> None:
    # The eigenvalue of the Gram matrix that stands for it is rounding, and as often negative as not.
    spectrum = np.ones(min(shape))
    spectrum[-1] = 1e-9
    for seed in range(20):
        states = Single(matrices.with_spectrum(spectrum, *shape, np.random.default_rng(seed)))
        assert states.singular_values[-1] == pytest.approx(1e-9, rel=1e-5)


@pytest.mark.parametrize("ratio", [*RATIOS, 1e-9, 1e-12])
@pytest.mark.parametrize("shape", [(6, 5), (5, 6), (12, 40), (40, 12)], ids=str)
def test_float32_states_err_by_the_floor_at_most(shape: tuple[int, int], ratio: float) -> None:
    for seed in range(6):
        exact = case(shape, ratio, seed).tokens
        truth = Single(exact)
        states = Single(exact.astype(np.float32))
        assert states.floors == pytest.approx(2.0**-24 * np.linalg.norm(exact), rel=1e-6)
        distance = get_metric("distance_to_mean")
        error = abs(number(distance, states) - number(distance, truth))
        assert error <= states.floors
        # A value within the floor is given as 0, and so may be off by twice the floor.
        assert (np.abs(states.singular_values - truth.singular_values) <= 2 * states.floors).all()
        assert (np.abs(states.centred_singular_values - truth.centred_singular_values) <= 2 * states.floors).all()
        # A rank is 1 and what the tail adds: r directions of at most the floor, each with its p ln(1/p).
        rank, share = min(shape), 2 * states.floors / truth.singular_values[0]
        for name in ("effective_rank", "stable_rank", "participation_ratio"):
            allowed = rank * share * (1 - math.log(share))
            assert number(name, states) == pytest.approx(number(name, truth), rel=allowed)
        # Rounding turns a token by u at most, so a cosine changes by no more than the angle allows.
        turned = 2.0**-24 * (2.0**-24 + math.sqrt(2 * truth.cosine_gaps.max())) * 4
        assert (np.abs(states.cosine_gaps - truth.cosine_gaps) <= turned).all()


def below_the_floor(dtype: type[np.floating], seed: int) -> Single:
    """Tokens whose differences the dtype cannot hold."""
    ratio = 1e-10 if dtype is np.float32 else 1e-18
    return Single(matrices.over_smoothed(6, 5, ratio, seed).astype(dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", [*RESIDUAL, "rbf_distance", "matrix_entropy", "spectrum_median"])
def test_below_the_floor_is_said(name: str, dtype: type[np.floating]) -> None:
    metric = get_metric(name)
    assert metric.resolved is not None
    for seed in range(10):
        states = below_the_floor(dtype, seed)
        number(metric, states)
        assert not resolved(metric, states)
        assert not states.residual_resolved


@pytest.mark.parametrize("name", [*RESIDUAL, "rbf_distance", "matrix_entropy", "token_cosine_centred"])
def test_above_the_floor_nothing_is_said(name: str) -> None:
    metric = get_metric(name)
    assert metric.resolved is not None
    for ratio in (1e-3, 1e-5, 1e-6):
        for seed in range(5):
            assert resolved(metric, Single(case((6, 5), ratio, seed).tokens.astype(np.float32)))
    assert resolved(metric, Single(matrices.plain(128, 384, 0).astype(np.float32)))


def test_tokens_that_differ_in_length_alone_are_one_direction() -> None:
    direction = np.random.default_rng(0).standard_normal(5)
    tokens: Matrix = np.outer([1.0, 2.0, 3.0, 7.0], direction)
    for states in (Single(tokens), Single(tokens.astype(np.float32))):
        assert states.residual_resolved
        rbf = get_metric("rbf_distance")
        assert rbf.resolved is not None
        assert not resolved(rbf, states)
        assert abs(number(rbf, states)) < 1e-13


def test_the_median_of_the_spectrum_is_resolved_by_its_own_size() -> None:
    metric = get_metric("spectrum_median")
    assert metric.resolved is not None
    # Three values far above the floor, and the median of the five among them or not.
    for spectrum, expected in (([1, 1, 1, 0, 0], True), ([1, 1, 1e-9, 1e-9, 0], False)):
        tokens = matrices.with_spectrum(np.array(spectrum, dtype=float), 5, 7, np.random.default_rng(0))
        states = Single(tokens.astype(np.float32))
        number(metric, states)
        assert resolved(metric, states) is expected


@pytest.mark.parametrize("scale", [1e-10, 1.0, 1e10])
def test_the_skewness_of_equal_singular_values_is_rounding_at_any_scale(scale: float) -> None:
    metric = get_metric("spectrum_skewness")
    assert metric.resolved is not None
    for spectrum, expected in (([1.0, 1.0, 1.0, 1.0], False), ([1.0, 0.9999, 0.9998, 0.9996], True)):
        tokens = scale * matrices.with_spectrum(np.array(spectrum), 4, 9, np.random.default_rng(0))
        for states in (Single(tokens), Single(tokens.astype(np.float32))):
            assert resolved(metric, states) is expected
