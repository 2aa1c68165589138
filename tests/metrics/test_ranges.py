"""Whatever the tokens: a finite value in the declared range, or the reason why there is none."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import DTypeLike
from reference.matrices import Recipe, recipes
from reference.single import Single, number

from oversmooth.metrics import Metric, UndefinedError, all_metrics

pytestmark = pytest.mark.usefixtures("_backend")

RANDOM = settings(max_examples=600, deadline=None, derandomize=True)
ROUNDING = 1e-10
"""Relative: values at the very end of a range come out beyond it by some ε."""


def upper(metric: Metric, states: Single) -> float:
    """The declared upper end for states of this shape."""
    size = min(states.count, states.dimension)
    # RankMe adds 1e-7 to each share, which lifts exp(entropy) by at most a factor 1 + 1e-7 r ln r.
    bounds = {"": metric.upper, "min(n, d)": size, "ln min(n, d)": math.log(size), "about min(n, d)": size * (1 + 1e-5)}
    return float(bounds[metric.bound])


def check(states: Single) -> None:
    """Each value is finite and in the range that its metric declares."""
    for metric in all_metrics():
        try:
            value = number(metric, states)
        except UndefinedError:
            continue
        assert math.isfinite(value), metric.name
        assert value >= metric.lower - ROUNDING * abs(metric.lower) - 1e-12, metric.name
        end = upper(metric, states)
        assert value <= end + ROUNDING * (abs(end) if math.isfinite(end) else 0) + 1e-12, metric.name


@RANDOM
@given(recipe=recipes(scales=(1e-20, 1e-6, 1.0, 1e5, 1e20)))
def test_values_are_finite_and_in_range(recipe: Recipe) -> None:
    tokens = recipe.matrix()
    types: tuple[DTypeLike, ...] = (np.float32, np.float64)
    for dtype in types:
        check(Single(tokens.astype(dtype), tokens[-1].astype(dtype), includes_classification=recipe.seed % 2 == 0))


@RANDOM
@given(recipe=recipes(scales=(1e-20, 1.0, 1e20)))
def test_ranks_are_in_their_order(recipe: Recipe) -> None:
    states = Single(recipe.matrix())
    ranks = [number(name, states) for name in ("stable_rank", "participation_ratio")]
    ranks += [math.exp(number("matrix_entropy", states)), number("effective_rank", states)]
    ranks = [1.0, *ranks, float(min(states.count, states.dimension))]
    for lower, higher in itertools.pairwise(ranks):
        assert lower <= higher * (1 + 1e-12)


@RANDOM
@given(recipe=recipes(scales=(1e-20, 1.0, 1e20)))
def test_what_is_shared_holds_its_own_ranges(recipe: Recipe) -> None:
    states = Single(recipe.matrix().astype(np.float32))
    for values in (states.singular_values, states.centred_singular_values):
        assert (np.diff(values) <= 0).all()
        assert ((values == 0) | (values > 2.0**-50 * math.sqrt(states.energies))).all()
    assert states.singular_values.size == min(states.count, states.dimension)
    assert states.centred_singular_values.size == min(states.count - 1, states.dimension)
    if states.norms.all():
        assert (np.abs(states.cosines) <= 1).all()
        assert (states.cosines.diagonal() == 1).all()
        assert (states.cosine_gaps >= 0).all()


def test_rankme_leaves_its_range_by_the_constant_alone() -> None:
    # 512 equal shares: exp(−512 p ln p) with p = 1/512 + 1e-7
    share = 1 / 512 + 1e-7
    value = number("rankme", Single(np.eye(512, dtype=np.float32)))
    assert math.isclose(value, math.exp(-512 * share * math.log(share)), rel_tol=1e-12)
    assert 512 < value < 512.2
