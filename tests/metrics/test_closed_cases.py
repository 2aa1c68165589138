"""Tokens whose numbers are known without computing: equal, orthonormal, rank one, alone, zero."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import DTypeLike
from reference import formulas, matrices
from reference.sample import Matrix, Sample
from reference.single import Single, number, resolved

from oversmooth.metrics import UndefinedError, all_metrics, names

pytestmark = pytest.mark.usefixtures("_backend")

TYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])

NEEDS_PAIRS = {
    "token_cosine",
    "token_cosine_centred",
    "rbf_distance",
    "distance_to_mean",
    "high_frequency_share",
    "dirichlet_energy",
}


def values(states: Single) -> dict[str, float]:
    """The metrics that have a value."""
    found = {}
    for metric in all_metrics():
        try:
            found[metric.name] = number(metric, states)
        except UndefinedError:
            continue
    return found


def unresolved(states: Single) -> set[str]:
    """The metrics that have a value, and say that it lies below what the states resolve."""
    return {name for name in values(states) if not resolved(name, states)}


def require(
    found: dict[str, float], expected: dict[str, float], states: Single, classification: Matrix, tolerance: float
) -> None:
    """Every metric is as expected, and one that nobody thought of here is what its reference formula gives."""
    exact = Sample(states.values, classification.astype(np.float64))
    others = {name: formulas.of(name)(exact) for name in found.keys() - expected.keys()}
    assert found == pytest.approx(expected | others, rel=tolerance, abs=tolerance)


def undefined(states: Single) -> set[str]:
    """The metrics that have no value."""
    return set(names()) - values(states).keys()


def reason(name: str, states: Single) -> str:
    """Why the metric is undefined."""
    with pytest.raises(UndefinedError) as error:
        number(name, states)
    return str(error.value)


@TYPES
@pytest.mark.parametrize("shape", [(10, 7), (7, 10), (3, 384), (2, 1)], ids=str)
def test_equal_tokens(shape: tuple[int, int], dtype: DTypeLike) -> None:
    count, dimension = shape
    token = np.random.default_rng(0).standard_normal(dimension)
    states = Single(np.tile(token, (count, 1)).astype(dtype), token.astype(dtype))
    length = np.linalg.norm(token.astype(dtype).astype(np.float64))
    found = values(states)

    assert found.pop("max_activation_ratio") >= 1
    assert found.pop("mean_norm") == pytest.approx(length, rel=1e-12)
    assert found.pop("mean_token_norm") == pytest.approx(length, rel=1e-12)
    assert found.pop("rankme") == pytest.approx(1, abs=1e-4)
    assert found.pop("spectrum_median") == pytest.approx(1 if min(shape) == 1 else 0.5 if min(shape) == 2 else 0)
    if min(shape) > 1:
        # One singular value and r − 1 zeros
        rank = min(shape)
        assert found.pop("spectrum_skewness") == pytest.approx((rank - 2) / math.sqrt(rank - 1), abs=1e-9)
    exactly_zero = ("distance_to_mean", "high_frequency_share", "dirichlet_energy")
    assert [found.pop(name) for name in exactly_zero] == [0.0, 0.0, 0.0]
    require(
        found,
        {
            "token_cosine": 1,
            "cls_uniformity": 1,
            "rbf_distance": 0,
            "effective_rank": 1,
            "stable_rank": 1,
            "participation_ratio": 1,
            "numerical_rank": 1,
            "explained_variance_1": 1,
            "matrix_entropy": 0,
        },
        states,
        token.astype(dtype),
        1e-12,
    )
    assert undefined(states) >= {"token_cosine_centred", "prompt_entropy"}
    assert f"({count} of {count} tokens)" in reason("token_cosine_centred", states)
    assert {*exactly_zero, "rbf_distance"} <= unresolved(states)


@TYPES
@pytest.mark.parametrize("shape", [(6, 6), (5, 12)], ids=str)
@pytest.mark.parametrize("aligned", [True, False], ids=["axes", "rotated"])
def test_orthonormal_tokens(shape: tuple[int, int], aligned: bool, dtype: DTypeLike) -> None:
    count, dimension = shape
    tokens = np.eye(dimension)[:count]
    if not aligned:
        tokens = tokens @ matrices.orthogonal(dimension, np.random.default_rng(1))
    states = Single(tokens.astype(dtype), tokens.sum(axis=0).astype(dtype))
    found = values(states)

    # All singular values are equal: what is left of the skewness is rounding, and said to be.
    assert "spectrum_skewness" not in found or "spectrum_skewness" in unresolved(states)
    found.pop("spectrum_skewness", None)
    found.pop("max_activation_ratio", None)
    require(
        found,
        {
            "token_cosine": 0,
            "token_cosine_centred": -1 / (count - 1),
            "rbf_distance": -4,
            "cls_uniformity": 1 / math.sqrt(count),
            "effective_rank": count,
            "rankme": count,
            "stable_rank": count,
            "participation_ratio": count,
            "numerical_rank": count,
            "matrix_entropy": math.log(count),
            # Less their mean they stand at obtuse angles to each other, which are clipped.
            "prompt_entropy": math.log(count),
            "explained_variance_1": 1 / count,
            "spectrum_median": 1,
            "distance_to_mean": math.sqrt(count - 1),
            "high_frequency_share": 1 - 1 / count,
            "dirichlet_energy": count * (count - 1),
            "mean_norm": 1,
            "mean_token_norm": 1 / math.sqrt(count),
        },
        states,
        tokens.sum(axis=0),
        1e-6,
    )
    assert unresolved(states) <= {"spectrum_skewness"}


@TYPES
def test_rank_one_with_signs(dtype: DTypeLike) -> None:
    weights = np.array([2.0, 2.0, -1.0, 4.0, -1.0])
    direction = np.array([1.0, -2.0, 2.0, 0.5])
    states = Single(np.outer(weights, direction).astype(dtype), direction.astype(dtype))
    found = values(states)
    length_squared = float(direction @ direction)

    # Of 10 pairs, 3 among the positive and 1 among the negative agree; 6 are opposite.
    assert found["token_cosine"] == pytest.approx((4 - 6) / 10)
    assert found["rbf_distance"] == pytest.approx(math.log((4 + 6 * math.exp(-8)) / 10))
    assert found["cls_uniformity"] == pytest.approx((3 - 2) / 5)
    # Residual weights .8 .8 −2.2 2.8 −2.2: 3 positive, 2 negative again.
    assert found["token_cosine_centred"] == pytest.approx(-0.2)
    residual = float(((weights - weights.mean()) ** 2).sum()) * length_squared
    assert found["distance_to_mean"] == pytest.approx(math.sqrt(residual))
    assert found["dirichlet_energy"] == pytest.approx(5 * residual)
    assert found["high_frequency_share"] == pytest.approx(residual / (26 * length_squared))
    assert found["mean_token_norm"] == pytest.approx(1.2 * math.sqrt(length_squared))
    assert found["mean_norm"] == pytest.approx(2 * math.sqrt(length_squared))
    for name in ("effective_rank", "stable_rank", "participation_ratio", "numerical_rank", "explained_variance_1"):
        assert found[name] == pytest.approx(1, abs=1e-12)
    assert found["matrix_entropy"] == pytest.approx(0, abs=1e-12)
    assert found["spectrum_median"] == pytest.approx(0, abs=1e-12)
    assert {"matrix_entropy", "spectrum_median"} <= unresolved(states)


@TYPES
def test_one_token_has_ranks_and_no_pairs(dtype: DTypeLike) -> None:
    tokens = np.array([[3.0, -4.0, 12.0]], dtype=dtype)
    states = Single(tokens, np.array([3.0, -4.0, 0.0], dtype=dtype))

    for name in NEEDS_PAIRS:
        assert reason(name, states) == "needs at least two tokens"
    assert reason("spectrum_skewness", states) == "all singular values are equal"
    require(
        values(states),
        {
            "effective_rank": 1,
            "rankme": 1,
            "stable_rank": 1,
            "participation_ratio": 1,
            "numerical_rank": 1,
            "explained_variance_1": 1,
            "spectrum_median": 1,
            "matrix_entropy": 0,
            "mean_norm": 13,
            "mean_token_norm": 13,
            "max_activation_ratio": 3,
            "cls_uniformity": 5 / 13,
        },
        states,
        np.array([3.0, -4.0, 0.0]),
        1e-6,
    )
    assert undefined(states) >= {*NEEDS_PAIRS, "prompt_entropy", "spectrum_skewness"}
    assert unresolved(states) == set()
    only_cls = Single(tokens, tokens[0], includes_classification=True)
    assert reason("cls_uniformity", only_cls) == "there is no token beside [CLS]"


def test_cls_uniformity_needs_a_cls_token() -> None:
    states = Single(np.eye(3))
    assert reason("cls_uniformity", states) == "this tokenizer adds no [CLS] token"
    assert reason("cls_uniformity", Single(np.eye(3), np.zeros(3))) == "the [CLS] token is the zero vector"


def test_a_zero_token_has_no_direction_and_the_rest_is_measured() -> None:
    tokens = np.array([[1.0, 3.0, 1.0], [0.0, 0.0, 0.0], [1.0, 2.0, -1.0], [1.0, 1.0, 1.0]])
    states = Single(tokens, tokens[0])
    for name in ("token_cosine", "rbf_distance", "cls_uniformity"):
        assert reason(name, states) == "the cosine with a zero vector is not defined (1 of 4 tokens)"
    # Centred it is a token as any other.
    assert set(names()) - set(values(states)) == {"token_cosine", "rbf_distance", "cls_uniformity"}


def test_all_tokens_zero() -> None:
    states = Single(np.zeros((4, 3), dtype=np.float32), np.zeros(3, dtype=np.float32))
    found = values(states)
    # Equal vectors of length 0: these four are 0 by definition; nothing else has a value.
    assert found == {"distance_to_mean": 0.0, "dirichlet_energy": 0.0, "mean_norm": 0.0, "mean_token_norm": 0.0}
    assert unresolved(states) == {"distance_to_mean", "dirichlet_energy", "mean_token_norm"}
    for name in ("effective_rank", "high_frequency_share", "explained_variance_1", "matrix_entropy"):
        assert reason(name, states) == "every token is the zero vector"
    assert reason("max_activation_ratio", states) == "the median activation is zero"
    assert states.singular_values.tolist() == [0, 0, 0]


@TYPES
def test_a_token_at_the_mean_has_no_centred_direction(dtype: DTypeLike) -> None:
    exact = np.array([[1.0, 3.0], [3.0, 5.0], [2.0, 4.0]], dtype=dtype)
    assert "(1 of 3 tokens)" in reason("token_cosine_centred", Single(exact))
    # The same up to rounding: there is a number, and the note that rounding made it.
    rounded = Single((exact.astype(np.float64) * np.array([0.1, 0.7]) + 1 / 3).astype(dtype))
    assert "token_cosine_centred" in unresolved(rounded) or "token_cosine_centred" not in values(rounded)


def test_a_single_outlier_shows_in_the_massive_activation_ratio_alone() -> None:
    tokens = np.ones((4, 5), dtype=np.float32)
    tokens[:, 0] = 2
    assert number("max_activation_ratio", Single(tokens)) == 2
    tokens[2, 3] = -5000
    assert number("max_activation_ratio", Single(tokens)) == 5000


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [([[1.0, -2.0, 4.0]], 2.0), ([[1.0, -2.0], [4.0, 8.0]], 8 / 3), ([[-7.0]], 1.0), ([[0.0, 0.0, 1.0, 1.0]], 2.0)],
)
def test_median_activation_of_odd_and_even_counts(tokens: Matrix, expected: float) -> None:
    assert number("max_activation_ratio", Single(np.array(tokens))) == pytest.approx(expected, rel=1e-15)
