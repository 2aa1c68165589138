"""How many directions the tokens use."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from oversmooth.core.errors import UndefinedError
from oversmooth.core.papers import Paper
from oversmooth.core.wording import count
from oversmooth.metrics.numerics import Float64, divisors, eigenvalues, floats, squared_lengths
from oversmooth.metrics.registry import metric
from oversmooth.metrics.similarity import at_the_mean, distances_from_mean_resolved
from oversmooth.metrics.stacks import Spectrum, Stack
from oversmooth.metrics.states import NOT_CONVERGED, TokenStates

ORDER = 20

RANKME_OFFSET = 1e-7
SKEAN = Paper(
    "Skean et al.",
    2025,
    "Layer by Layer: Uncovering Hidden Representations in Language Models",
    "https://arxiv.org/abs/2502.02013",
)


def _entropies(shares: Float64) -> Float64:
    """Shannon entropies −Σ p ln p in nats of descending shares that sum to 1, with 0 ln 0 = 0 (s)."""
    tails = shares[:, 1:]
    # The first share as what the tail leaves: near 1 its logarithm would lose every digit.
    rest = tails.sum(axis=1)
    logarithms = np.log(np.where(tails > 0.0, tails, 1.0))
    entropies: Float64 = (1.0 - rest) * -np.log1p(-rest) - (tails * logarithms).sum(axis=1)
    return entropies


def _effective_ranks(spectrum: Spectrum) -> Sequence[float]:
    return floats(np.exp(_entropies(spectrum.shares)))


def _ranks_me(spectrum: Spectrum) -> Sequence[float]:
    shares = spectrum.shares + RANKME_OFFSET
    return floats(np.exp(-(shares * np.log(shares)).sum(axis=1)))


def _stable_ranks(spectrum: Spectrum) -> Sequence[float]:
    return floats(1.0 / divisors(spectrum.energy_shares[:, 0]))


def _participation_ratios(spectrum: Spectrum) -> Sequence[float]:
    return floats(1.0 / divisors(squared_lengths(spectrum.energy_shares)))


def _threshold(states: TokenStates) -> float:
    return float(np.finfo(np.float32).eps) * max(states.count, states.dimension)


def _above(states: TokenStates, threshold: float) -> int:
    """Number of singular values above it."""
    return int(np.count_nonzero(states.singular_values > threshold))


def _count_resolved(states: TokenStates) -> bool:
    """Whether no singular value is so near the threshold that noise may have carried it over."""
    threshold = _threshold(states) * float(states.singular_values[0])
    reach = states.floor / (2.0 * math.sqrt(min(states.count, states.dimension)))
    return states.directions_resolved and _above(states, threshold - reach) == _above(states, threshold + reach)


def _matrix_entropies(spectrum: Spectrum) -> Sequence[float]:
    return floats(_entropies(spectrum.energy_shares))


def _prompt_entropies(stack: Stack) -> Sequence[float]:
    units = stack.centred / divisors(np.sqrt(stack.residual_energies))[:, :, None]
    across = units.transpose(0, 2, 1)
    matrices = units @ across if stack.count <= stack.dimension else across @ units
    values = np.maximum(eigenvalues(np.maximum(matrices, 0.0)), 0.0)[:, ::-1]
    return floats(_entropies(values / values.sum(axis=1, keepdims=True)))


@metric(
    title="Effective rank",
    formula=r"\exp\Big(-\sum_i p_i \ln p_i\Big),\quad p_i = \sigma_i / \textstyle\sum_j \sigma_j",
    paper=Paper(
        "Roy & Vetterli",
        2007,
        "The effective rank: A measure of effective dimensionality",
        "https://ieeexplore.ieee.org/document/7098875",
    ),
    lower=1,
    upper=np.inf,
    bound="min(n, d)",
    reads="The number of directions in use, from the entropy of the singular values.",
    caveat="One massive token or dimension makes it small without any smoothing.",
    resolved=lambda states: states.steady(_effective_ranks),
)
def effective_rank(states: TokenStates) -> float:
    """Exponential of the entropy of the normalised singular values."""
    return states.of_spectrum(_effective_ranks)


@metric(
    title="RankMe",
    formula=r"\exp\Big(-\sum_i p_i \ln p_i\Big),\quad p_i = \sigma_i / \textstyle\sum_j \sigma_j + 10^{-7}",
    paper=Paper(
        "Garrido et al.",
        2023,
        "RankMe: Assessing the downstream performance of pretrained self-supervised representations by their rank",
        "https://arxiv.org/abs/2210.02885",
    ),
    lower=1 - RANKME_OFFSET,
    upper=np.inf,
    bound="about min(n, d)",
    reads="The effective rank as RankMe defines it, with its small constant added to each share.",
    caveat="Made for pooled vectors of a data set, here of one text's tokens; its constant lifts the bound a little.",
    resolved=lambda states: states.steady(_ranks_me),
)
def rankme(states: TokenStates) -> float:
    """Effective rank with RankMe's offset of 1e-7 on each share."""
    return states.of_spectrum(_ranks_me)


@metric(
    title="Stable rank",
    formula=r"\lVert X \rVert_F^2 / \lVert X \rVert_2^2",
    paper=Paper(
        "Rudelson & Vershynin",
        2007,
        "Sampling from large matrices: an approach through geometric functional analysis",
        "https://arxiv.org/abs/math/0503442",
    ),
    lower=1,
    upper=np.inf,
    bound="min(n, d)",
    reads="Total energy over the energy of the strongest direction.",
    caveat="Only sees the largest singular value, so a common offset alone brings it to 1; code on spectral gaps in "
    "attention (Nait Saada et al.) takes it of XXᵀ, where every singular value is squared.",
    resolved=lambda states: states.steady(_stable_ranks),
)
def stable_rank(states: TokenStates) -> float:
    """Squared Frobenius norm over squared spectral norm."""
    return states.of_spectrum(_stable_ranks)


@metric(
    title="Participation ratio",
    formula=r"\Big(\sum_i \sigma_i^2\Big)^2 / \sum_i \sigma_i^4",
    paper=Paper(
        "Gao et al.",
        2017,
        "A theory of multineuronal dimensionality, dynamics and measurement",
        "https://www.biorxiv.org/content/10.1101/214262",
    ),
    lower=1,
    upper=np.inf,
    bound="min(n, d)",
    reads="The number of directions that carry the energy, weighted by their squares.",
    caveat="Taken on the raw tokens, not on their covariance: a common offset counts as a direction.",
    resolved=lambda states: states.steady(_participation_ratios),
)
def participation_ratio(states: TokenStates) -> float:
    """Inverse of the sum of squared energy shares."""
    return states.of_spectrum(_participation_ratios)


@metric(
    title="Numerical rank",
    formula=r"\#\{i : \sigma_i > \varepsilon_{32}\, \max(n, d)\, \sigma_1\}",
    paper=Paper(
        "Golub & Van Loan",
        2013,
        "Matrix Computations, 4th edition, §5.4.1",
        "https://doi.org/10.56021/9781421407944",
    ),
    lower=1,
    upper=np.inf,
    bound="min(n, d)",
    reads="The number of directions that float32 states can tell from rounding (ε₃₂ = 2⁻²³).",
    caveat="Barely moves until a collapse is complete.",
    resolved=_count_resolved,
)
def numerical_rank(states: TokenStates) -> float:
    """Number of singular values above the float32 threshold."""
    states.require_spectrum()
    return float(_above(states, _threshold(states) * float(states.singular_values[0])))


@metric(
    title="Matrix entropy",
    formula=r"-\sum_i q_i \ln q_i,\quad q_i = \sigma_i^2 / \textstyle\sum_j \sigma_j^2",
    paper=SKEAN,
    lower=0,
    upper=np.inf,
    bound="ln min(n, d)",
    unit="nats",
    reads="The von Neumann entropy of the trace-normalised Gram matrix of the tokens.",
    caveat="Grows with the number of tokens: compare texts of equal length, or divide by ln min(n, d); the authors' "
    "code takes it of centred unit tokens: that is prompt_entropy.",
    resolved=lambda states: states.steady(_matrix_entropies),
)
def matrix_entropy(states: TokenStates) -> float:
    """Shannon entropy of the energy shares."""
    return states.of_spectrum(_matrix_entropies)


@metric(
    title="Prompt entropy, as published",
    formula=r"-\sum_i q_i \ln q_i,\quad q_i = \lambda_i^+ / \textstyle\sum_j \lambda_j^+,\quad "
    r"\lambda = \mathrm{eig}\,\max(\hat{R}\hat{R}^\top, 0),\quad "
    r"\hat{r}_i = (x_i - \bar{x}) / \lVert x_i - \bar{x} \rVert",
    paper=SKEAN,
    lower=0,
    upper=np.inf,
    bound="ln min(n, d)",
    unit="nats",
    reads="The entropy of the tokens as the authors' code takes it: less their mean, scaled to length 1, negative "
    "entries of the Gram matrix set to 0.",
    caveat="Blind to the common part of the tokens and to their lengths, so that no common offset lowers it; with more "
    "tokens than dimensions the matrix is that of the dimensions, and depends on the axes. Measured only where it is "
    "asked for by name.",
    resolved=lambda states: states.shared(distances_from_mean_resolved),
    usual=False,
)
def prompt_entropy(states: TokenStates) -> float:
    """Shannon entropy of the positive eigenvalues of the clipped Gram matrix of centred unit tokens."""
    states.require_pairs()
    equal = states.shared(at_the_mean)
    if equal:
        raise UndefinedError(f"{count(equal, 'token')} of {states.count} equals the mean token and has no direction")
    value = states.shared(_prompt_entropies)
    if math.isnan(value):
        raise UndefinedError(NOT_CONVERGED)
    return value
