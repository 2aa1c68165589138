"""How many directions the tokens use."""

from __future__ import annotations

import numpy as np

from oversmooth.core.papers import Paper
from oversmooth.core.wording import count
from oversmooth.metrics.numerics import Array, divisors, eigenvalues, namespace, squared_lengths
from oversmooth.metrics.registry import metric
from oversmooth.metrics.requirements import PAIRS, SPECTRUM, apart_from_mean
from oversmooth.metrics.states import TokenStates

ORDER = 20

RANKME_OFFSET = 1e-7
SKEAN = Paper(
    "Skean et al.",
    2025,
    "Layer by Layer: Uncovering Hidden Representations in Language Models",
    "https://arxiv.org/abs/2502.02013",
)


def _entropies(shares: Array) -> Array:
    """Shannon entropies −Σ p ln p in nats of descending shares that sum to 1, with 0 ln 0 = 0 (s)."""
    xp, tails = namespace(shares), shares[:, 1:]
    # The first share as what the tail leaves: near 1 its logarithm would lose every digit.
    rest = xp.sum(tails, axis=1)
    logarithms = xp.log(xp.where(tails > 0.0, tails, 1.0))
    return (1.0 - rest) * -xp.log1p(-rest) - xp.sum(tails * logarithms, axis=1)


def _threshold(states: TokenStates) -> Array:
    """Singular value above which a direction counts (s)."""
    return float(np.finfo(np.float32).eps) * max(states.count, states.dimension) * states.singular_values[:, 0]


def _above(states: TokenStates, thresholds: Array) -> Array:
    """Number of singular values above (s)."""
    return states.xp.sum(states.xp.astype(states.singular_values > thresholds[:, None], states.xp.float64), axis=1)


def _count_resolved(states: TokenStates) -> Array:
    """Whether no singular value is so near the threshold that noise may have carried it over (s)."""
    threshold, reach = _threshold(states), states.noises
    return states.directions_resolved & (_above(states, threshold - reach) == _above(states, threshold + reach))


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
    requires=SPECTRUM,
    resolved=lambda states: states.steady(effective_rank),
)
def effective_rank(states: TokenStates) -> Array:
    """Exponential of the entropy of the normalised singular values (s)."""
    return states.xp.exp(_entropies(states.shares))


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
    requires=SPECTRUM,
    resolved=lambda states: states.steady(rankme),
)
def rankme(states: TokenStates) -> Array:
    """Effective rank with RankMe's offset of 1e-7 on each share (s)."""
    shares = states.shares + RANKME_OFFSET
    return states.xp.exp(-states.xp.sum(shares * states.xp.log(shares), axis=1))


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
    requires=SPECTRUM,
    resolved=lambda states: states.steady(stable_rank),
)
def stable_rank(states: TokenStates) -> Array:
    """Squared Frobenius norm over squared spectral norm (s)."""
    return 1.0 / divisors(states.energy_shares[:, 0])


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
    requires=SPECTRUM,
    resolved=lambda states: states.steady(participation_ratio),
)
def participation_ratio(states: TokenStates) -> Array:
    """Inverse of the sum of squared energy shares (s)."""
    return 1.0 / divisors(squared_lengths(states.energy_shares))


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
    requires=SPECTRUM,
    resolved=_count_resolved,
)
def numerical_rank(states: TokenStates) -> Array:
    """Number of singular values above the float32 threshold (s)."""
    return _above(states, _threshold(states))


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
    requires=SPECTRUM,
    resolved=lambda states: states.steady(matrix_entropy),
)
def matrix_entropy(states: TokenStates) -> Array:
    """Shannon entropy of the energy shares (s)."""
    return _entropies(states.energy_shares)


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
    requires=(
        PAIRS,
        apart_from_mean(
            lambda equal, of: f"{count(equal, 'token')} of {of} equals the mean token and has no direction"
        ),
    ),
    resolved=lambda states: states.distances_from_mean_resolved,
    usual=False,
)
def prompt_entropy(states: TokenStates) -> Array:
    """Shannon entropy of the positive eigenvalues of the clipped Gram matrix of centred unit tokens (s)."""
    xp = states.xp
    units = states.centred / divisors(xp.sqrt(states.residual_energies))[:, :, None]
    matrices = units @ units.mT if states.count <= states.dimension else units.mT @ units
    values = xp.flip(xp.clip(eigenvalues(xp.clip(matrices, 0.0, None)), 0.0, None), axis=1)
    return _entropies(values / xp.sum(values, axis=1, keepdims=True))
