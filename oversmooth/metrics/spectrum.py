"""The shape of the singular-value distribution."""

from __future__ import annotations

import math

import numpy as np

from oversmooth.metrics.numerics import EPSILON, Float64
from oversmooth.metrics.registry import UndefinedError, metric
from oversmooth.metrics.similarity import YAN
from oversmooth.metrics.states import TokenStates


def _middle(ordered: Float64) -> float:
    """Median of values that are sorted already."""
    count = ordered.size
    return float(ordered[(count - 1) // 2] + ordered[count // 2]) / 2


def _deviations(states: TokenStates) -> Float64:
    deviations: Float64 = states.relative - states.relative.sum() / states.relative.size
    return deviations


def _variance(states: TokenStates) -> float:
    deviations = _deviations(states)
    return float(deviations @ deviations) / deviations.size


@metric(
    title="Explained variance EV₁",
    formula=r"\sigma_1^2 / \sum_i \sigma_i^2",
    paper=YAN,
    lower=0,
    upper=1,
    reads="The share of the energy in the strongest direction: 1 when every token is a multiple of one vector.",
    caveat="Energy about zero, not variance about the mean: a common offset alone brings it near 1.",
)
def explained_variance_1(states: TokenStates) -> float:
    """Energy share of the largest singular value."""
    return float(states.energy_shares[0])


@metric(
    title="Spectrum skewness",
    formula=r"m_3 / m_2^{3/2},\quad m_k = \operatorname{mean}_i (s_i - \bar{s})^k,\ s_i = \sigma_i/\sigma_1",
    paper=YAN,
    lower=-np.inf,
    upper=np.inf,
    reads="The skewness of the singular values over the largest: large when few tower over a long tail.",
    caveat="Grows with min(n, d), so compare texts of equal length.",
    resolved=lambda states: math.sqrt(_variance(states)) * float(states.singular_values[0]) > states.floor,
)
def spectrum_skewness(states: TokenStates) -> float:
    """Population skewness of σ/σ_1."""
    variance = _variance(states)
    if variance <= EPSILON**2:
        raise UndefinedError("all singular values are equal")
    deviations = _deviations(states)
    return float((deviations * deviations) @ deviations / deviations.size / variance**1.5)


@metric(
    title="Median of the spectrum",
    formula=r"\operatorname{median}_i\; \sigma_i / \sigma_1",
    paper=YAN,
    lower=0,
    upper=1,
    reads="The middle singular value over the largest: near 0 when most directions are hardly used.",
    caveat="A duplicate or null direction counts as a value of 0.",
    resolved=lambda states: _middle(states.singular_values) > states.floor,
)
def spectrum_median(states: TokenStates) -> float:
    """Median of σ/σ_1."""
    return _middle(states.relative)
