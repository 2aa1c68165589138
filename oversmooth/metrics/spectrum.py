"""The shape of the singular-value distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from oversmooth.core.errors import UndefinedError
from oversmooth.metrics.numerics import EPSILON, Float64, divisors, floats, squared_lengths
from oversmooth.metrics.registry import metric
from oversmooth.metrics.similarity import YAN
from oversmooth.metrics.stacks import Spectrum
from oversmooth.metrics.states import TokenStates

ORDER = 30


def _middle(ordered: Float64) -> float:
    """Median of values that are sorted already."""
    count = ordered.size
    return float(ordered[(count - 1) // 2] + ordered[count // 2]) / 2


def _deviations(spectrum: Spectrum) -> Float64:
    """Of σ/σ_1 from their mean."""
    relative = spectrum.relative
    deviations: Float64 = relative - relative.sum(axis=1, keepdims=True) / relative.shape[1]
    return deviations


def _variances(spectrum: Spectrum) -> Sequence[float]:
    """Second central moment of σ/σ_1."""
    deviations = _deviations(spectrum)
    return floats(squared_lengths(deviations) / deviations.shape[1])


def _skewnesses(spectrum: Spectrum) -> Sequence[float]:
    """Third central moment of σ/σ_1 over the second to 3/2."""
    deviations = _deviations(spectrum)
    size = deviations.shape[1]
    thirds = np.vecdot(deviations * deviations, deviations) / size
    return floats(thirds / divisors(squared_lengths(deviations) / size) ** 1.5)


def _first_shares(spectrum: Spectrum) -> Sequence[float]:
    return floats(spectrum.energy_shares[:, 0])


def _skewness_resolved(states: TokenStates) -> bool:
    deviation = math.sqrt(states.of_spectrum(_variances))
    return deviation * float(states.singular_values[0]) > states.floor and states.steady(_skewnesses, least=1.0)


@metric(
    title="Explained variance EV₁",
    formula=r"\sigma_1^2 / \sum_i \sigma_i^2",
    paper=YAN,
    lower=0,
    upper=1,
    reads="The share of the energy in the strongest direction: 1 when every token is a multiple of one vector.",
    caveat="Energy about zero, not variance about the mean: a common offset alone brings it near 1; the part of the "
    "paper's code that draws EV divides by the sum of the smallest squares instead of all.",
    resolved=lambda states: states.steady(_first_shares),
)
def explained_variance_1(states: TokenStates) -> float:
    """Energy share of the largest singular value."""
    return states.of_spectrum(_first_shares)


@metric(
    title="Spectrum skewness",
    formula=r"m_3 / m_2^{3/2},\quad m_k = \operatorname{mean}_i (s_i - \bar{s})^k,\ s_i = \sigma_i/\sigma_1",
    paper=YAN,
    lower=-np.inf,
    upper=np.inf,
    reads="The skewness of the singular values over the largest: large when few tower over a long tail.",
    caveat="Grows with min(n, d), so compare texts of equal length.",
    resolved=_skewness_resolved,
)
def spectrum_skewness(states: TokenStates) -> float:
    """Population skewness of σ/σ_1."""
    if states.of_spectrum(_variances) <= EPSILON**2:
        raise UndefinedError("all singular values are equal")
    return states.of_spectrum(_skewnesses)


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
