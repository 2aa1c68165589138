"""What must not change a metric, and what must change it by a known amount."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from numpy.typing import ArrayLike
from reference import matrices
from reference.matrices import Recipe, recipes
from reference.sample import Matrix
from reference.single import Single, number, resolved

from oversmooth.metrics import UndefinedError, all_metrics, get_metric, names

pytestmark = pytest.mark.usefixtures("_backend")

RANDOM = settings(max_examples=250, deadline=None, derandomize=True)

SCALE = dict.fromkeys(names(), 0) | {"distance_to_mean": 1, "dirichlet_energy": 2, "mean_norm": 1, "mean_token_norm": 1}
"""The power of a common factor of all states that a metric carries."""

AXES = {"max_activation_ratio"}
"""Metrics that read single coordinates, which a rotation mixes."""

Value = float | None


def values(tokens: ArrayLike, classification: ArrayLike, *, leave_out: set[str] | None = None) -> dict[str, Value]:
    """All metrics; None where undefined."""
    states = Single(tokens, classification)
    found: dict[str, Value] = {}
    for metric in all_metrics():
        if metric.name in (leave_out or set()):
            continue
        try:
            found[metric.name] = number(metric, states)
        except UndefinedError:
            found[metric.name] = None
        if metric.resolved is not None and found[metric.name] is not None and not resolved(metric, states):
            found[metric.name] = None
    return found


def same(first: dict[str, Value], second: dict[str, Value], tolerance: float = 1e-9) -> None:
    """Equal to within the tolerance; missing and unresolved ones may be either."""
    assert first.keys() == second.keys()
    for name, value in first.items():
        other = second[name]
        if value is not None and other is not None:
            assert other == pytest.approx(value, rel=tolerance, abs=tolerance), name


def steady(tokens: Matrix) -> bool:
    """Whether no singular value lies where numerical rank or skewness jump."""
    spectrum = np.linalg.svdvals(tokens)
    threshold = 2.0**-23 * max(tokens.shape) * spectrum[0]
    return bool((np.abs(spectrum / threshold - 1) > 0.01).all() and spectrum.std() > 1e-4 * spectrum[0])


def anchor(recipe: Recipe) -> Matrix:
    return recipe.scale * np.random.default_rng(recipe.seed + 1).standard_normal(recipe.dimension)


@RANDOM
@given(recipe=recipes(least=2))
def test_token_order_does_not_matter(recipe: Recipe) -> None:
    tokens = recipe.matrix()
    assume(steady(tokens))
    order = np.random.default_rng(recipe.seed + 2).permutation(recipe.count)
    same(values(tokens, anchor(recipe)), values(tokens[order], anchor(recipe)))


@RANDOM
@given(recipe=recipes(least=2))
def test_rotation_does_not_matter(recipe: Recipe) -> None:
    tokens = recipe.matrix()
    assume(steady(tokens))
    rotation = matrices.orthogonal(recipe.dimension, np.random.default_rng(recipe.seed + 3))
    # With more tokens than dimensions, the prompt's entropy is of a matrix of the dimensions.
    changed = AXES | ({"prompt_entropy"} if recipe.count > recipe.dimension else set())
    before = values(tokens, anchor(recipe), leave_out=changed)
    same(before, values(tokens @ rotation, anchor(recipe) @ rotation, leave_out=changed))


@RANDOM
@given(recipe=recipes(least=2))
def test_a_common_factor_is_carried_to_its_power(recipe: Recipe) -> None:
    tokens = recipe.matrix()
    assume(steady(tokens))
    # A power of two is exact, so every digit that is scale-free stays; another factor moves rounding alone.
    for factor, tolerance in ((2.0**40, 1e-12), (1e-7 / 3, 1e-9)):
        before = values(tokens, anchor(recipe))
        after = values(factor * tokens, factor * anchor(recipe))
        scaled = {name: None if value is None else value / factor ** SCALE[name] for name, value in after.items()}
        same(before, scaled, tolerance)


@RANDOM
@given(recipe=recipes(least=2, conditions=6))
def test_dimensions_that_are_always_zero_do_not_matter(recipe: Recipe) -> None:
    assume(recipe.count <= recipe.dimension)
    tokens = recipe.matrix()
    assume(steady(tokens))
    # The threshold of numerical rank follows max(n, d), and zeros enter the median activation.
    changed = {"numerical_rank", "max_activation_ratio"}
    wider = np.pad(tokens, ((0, 0), (0, 5)))
    before = values(tokens, anchor(recipe), leave_out=changed)
    same(before, values(wider, np.pad(anchor(recipe), (0, 5)), leave_out=changed))


@RANDOM
@given(recipe=recipes(least=2, conditions=4, full_rank=True))
def test_every_token_twice(recipe: Recipe) -> None:
    assume(recipe.count >= recipe.dimension)
    tokens = recipe.matrix()
    assume(steady(tokens))
    count = recipe.count
    twice: dict[str, Callable[[float], float]] = {
        "distance_to_mean": lambda value: math.sqrt(2) * value,
        "dirichlet_energy": lambda value: 4 * value,
        # 2n(2n − 1) ordered pairs: four of each old one, and 2n of a token with its copy, whose similarity is 1
        "token_cosine": lambda value: (2 * (count - 1) * value + 1) / (2 * count - 1),
        "token_cosine_centred": lambda value: (2 * (count - 1) * value + 1) / (2 * count - 1),
        "rbf_distance": lambda value: math.log((2 * (count - 1) * math.exp(value) + 1) / (2 * count - 1)),
    }
    # From as many dimensions as tokens on, the prompt's entropy is of another matrix.
    changed = {"numerical_rank"} | ({"prompt_entropy"} if count == recipe.dimension else set())
    before = values(tokens, anchor(recipe), leave_out=changed)
    expected = {
        name: value if value is None or name not in twice else twice[name](value) for name, value in before.items()
    }
    same(expected, values(np.repeat(tokens, 2, axis=0), anchor(recipe), leave_out=changed))


@RANDOM
@given(recipe=recipes(least=2))
def test_a_common_offset_does_not_move_what_is_centred(recipe: Recipe) -> None:
    tokens = recipe.matrix()
    offset = np.random.default_rng(recipe.seed + 4).standard_normal(recipe.dimension)
    before, after = Single(tokens), Single(tokens + offset)
    for name in ("distance_to_mean", "dirichlet_energy", "token_cosine_centred"):
        metric = get_metric(name)
        assert metric.resolved is not None
        if resolved(metric, before) and resolved(metric, after) and before.residual_energies.all():
            # Adding the offset rounds; a token near the mean feels that most.
            nearest = math.sqrt(min(before.residual_energies.min(), after.residual_energies.min()))
            tolerance = 1e-12 + 1e-14 / nearest
            assert number(metric, after) == pytest.approx(number(metric, before), rel=tolerance, abs=tolerance)


@RANDOM
@given(recipe=recipes(least=2, conditions=3))
def test_float32_states_cast_to_float64_give_the_same(recipe: Recipe) -> None:
    tokens = recipe.matrix().astype(np.float32)
    assume(steady(tokens.astype(np.float64)))
    single = values(tokens, anchor(recipe).astype(np.float32))
    double = values(tokens.astype(np.float64), anchor(recipe).astype(np.float32))
    # Between the two floors float32 states count as rounding what float64 states must take at its word.
    same(single, double, tolerance=1e-4 if recipe.rank < min(recipe.count, recipe.dimension) else 1e-9)


def test_rotation_does_change_what_reads_coordinates() -> None:
    tokens = np.eye(6)[:4] + 0.1
    rotated = tokens @ matrices.orthogonal(6, np.random.default_rng(0))
    for name in AXES:
        assert number(name, Single(tokens)) != pytest.approx(number(name, Single(rotated)), rel=0.1)
