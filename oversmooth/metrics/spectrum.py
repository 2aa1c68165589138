"""The shape of the singular-value distribution."""

from __future__ import annotations

import numpy as np

from oversmooth.metrics.numerics import EPSILON, Array, divisors, squared_lengths
from oversmooth.metrics.registry import metric
from oversmooth.metrics.requirements import SPECTRUM, Requirement
from oversmooth.metrics.similarity import YAN
from oversmooth.metrics.states import TokenStates

ORDER = 30


def _middle(ordered: Array) -> Array:
    """Medians of values that are sorted already (s)."""
    size = ordered.shape[1]
    return (ordered[:, (size - 1) // 2] + ordered[:, size // 2]) / 2


def _deviations(states: TokenStates) -> Array:
    """Of σ/σ_1 from their mean (s × min(n, d))."""
    relative = states.relative
    return relative - states.xp.sum(relative, axis=1, keepdims=True) / relative.shape[1]


def _variances(states: TokenStates) -> Array:
    """Second central moment of σ/σ_1 (s)."""
    deviations = _deviations(states)
    return squared_lengths(deviations) / deviations.shape[1]


def _skewness_resolved(states: TokenStates) -> Array:
    spread = states.xp.sqrt(_variances(states)) * states.singular_values[:, 0] > states.floors
    return spread & states.steady(spectrum_skewness, least=1.0)


@metric(
    title="Explained variance EV₁",
    formula=r"\sigma_1^2 / \sum_i \sigma_i^2",
    paper=YAN,
    lower=0,
    upper=1,
    reads="The share of the energy in the strongest direction: 1 when every token is a multiple of one vector.",
    caveat="Energy about zero, not variance about the mean: a common offset alone brings it near 1; the part of the "
    "paper's code that draws EV divides by the sum of the smallest squares instead of all.",
    requires=SPECTRUM,
    resolved=lambda states: states.steady(explained_variance_1),
)
def explained_variance_1(states: TokenStates) -> Array:
    """Energy share of the largest singular value (s)."""
    return states.energy_shares[:, 0]


@metric(
    title="Spectrum skewness",
    formula=r"m_3 / m_2^{3/2},\quad m_k = \operatorname{mean}_i (s_i - \bar{s})^k,\ s_i = \sigma_i/\sigma_1",
    paper=YAN,
    lower=-np.inf,
    upper=np.inf,
    reads="The skewness of the singular values over the largest: large when few tower over a long tail.",
    caveat="Grows with min(n, d), so compare texts of equal length.",
    requires=(
        *SPECTRUM,
        Requirement(lambda states: _variances(states) > EPSILON**2, "all singular values are equal"),
    ),
    resolved=_skewness_resolved,
)
def spectrum_skewness(states: TokenStates) -> Array:
    """Population skewness of σ/σ_1 (s)."""
    deviations = _deviations(states)
    thirds = states.xp.vecdot(deviations * deviations, deviations) / deviations.shape[1]
    return thirds / divisors(_variances(states)) ** 1.5


@metric(
    title="Median of the spectrum",
    formula=r"\operatorname{median}_i\; \sigma_i / \sigma_1",
    paper=YAN,
    lower=0,
    upper=1,
    reads="The middle singular value over the largest: near 0 when most directions are hardly used.",
    caveat="A duplicate or null direction counts as a value of 0.",
    requires=SPECTRUM,
    resolved=lambda states: _middle(states.singular_values) > states.floors,
)
def spectrum_median(states: TokenStates) -> Array:
    """Median of σ/σ_1 (s)."""
    return _middle(states.relative)
