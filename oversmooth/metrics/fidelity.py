"""What a mitigation leaves of the model's states, beside the baseline's.

Declared apart from the metrics of one text's states: these need a second side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

from oversmooth.core.papers import Paper
from oversmooth.metrics.numerics import Array, divisors, namespace, nearest, squared_lengths
from oversmooth.metrics.registry import beside_baseline
from oversmooth.metrics.requirements import Requirement
from oversmooth.metrics.similarity import YAN
from oversmooth.metrics.states import TokenStates

ORDER = 60

NEIGHBOURS: Final = 12
FEWEST: Final = 3
"""Two centred tokens are opposite whatever they were, so they agree with any other two."""
RESIDUAL_SHARE: Final = 1e-13
"""Of the squared length of the centred tokens: a smaller local reconstruction error is rounding."""


@dataclass(frozen=True)
class Baseline:
    """What is kept of a baseline's tokens at one point of s texts of equal length, to set others against."""

    means: Array
    """Mean tokens (s × d)."""
    grams: Array
    """Gram matrices of the centred tokens, scaled into the range of the states' type (s × n × n), which they have;
    zeros where all tokens are equal."""
    gram_norms: Array
    """Their Frobenius norms (s)."""
    neighbours: Array
    """Rows of each token's nearest other tokens (s × n × k)."""
    weights: Array
    """Their weights w_ij, which sum to 1 in each row (s × n × k)."""
    local_errors: Array
    """Squared error of the tokens' local reconstruction over the squared length of the centred tokens (s)."""
    resolved: Array
    """Whether the tokens differ by more than the resolution floor (s)."""
    mean_resolved: Array
    """Whether the mean token is longer than it (s)."""
    structure_resolved: Array
    """Whether the local reconstruction errs by more than it (s)."""

    @classmethod
    def of(cls, states: TokenStates) -> Baseline:
        """From the baseline's tokens."""
        xp, grams = states.xp, states.centred_grams
        neighbours, weights = _neighbourhoods(grams)
        spreads = xp.max(xp.linalg.diagonal(grams), axis=1)
        errors = xp.where(spreads > 0.0, _local_errors(grams, neighbours, weights), math.nan)
        scaled = xp.astype(grams / divisors(spreads)[:, None, None], states.stored.dtype)
        return cls(
            means=states.means,
            grams=scaled,
            gram_norms=_norms(scaled),
            neighbours=neighbours,
            weights=weights,
            local_errors=errors,
            resolved=states.residual_resolved,
            mean_resolved=states.mean_resolved,
            structure_resolved=_structure_resolved(errors, states),
        )

    @classmethod
    def gathered(cls, texts: Sequence[tuple[Baseline, int]]) -> Baseline:
        """Of texts that were kept with others, each given with its number among these."""
        first = texts[0][0]
        if all(each is first for each, _ in texts) and [row for _, row in texts] == list(range(len(first.means))):
            return first
        xp = namespace(first.means)
        return cls(
            **{
                field.name: xp.stack([getattr(each, field.name)[row, ...] for each, row in texts])
                for field in fields(cls)
            }
        )

    @staticmethod
    def size(count: int, dimension: int, itemsize: int) -> int:
        """Bytes for a text of that many tokens of that width, with numbers of so many bytes."""
        return itemsize * count**2 + 16 * count * min(NEIGHBOURS, count - 1) + 8 * dimension


def _norms(matrices: Array) -> Array:
    xp = namespace(matrices)
    entries = xp.reshape(xp.astype(matrices, xp.float64), (matrices.shape[0], -1))
    return xp.sqrt(squared_lengths(entries))


def _neighbourhoods(grams: Array) -> tuple[Array, Array]:
    """The nearest tokens of each, and weights exp(−‖x_i − x_j‖²/t) that sum to 1 (both s × n × k)."""
    xp, size = namespace(grams), grams.shape[1]
    squares = xp.linalg.diagonal(grams)
    distances = squares[:, :, None] + squares[:, None, :] - 2.0 * grams
    xp.reshape(distances, (distances.shape[0], -1))[:, :: size + 1] = math.inf  # the diagonals
    neighbours = nearest(distances, min(NEIGHBOURS, size - 1))
    squared = xp.clip(xp.take_along_axis(distances, neighbours, axis=2), 0.0, None)
    if not all(squared.shape):
        return neighbours, squared
    widths = divisors(xp.mean(squared, axis=(1, 2)))
    # Less the nearest one's distance: the weights of a far token would all vanish, and the sum cancels the factor.
    weights = xp.exp(-(squared - xp.min(squared, axis=2, keepdims=True)) / widths[:, None, None])
    return neighbours, weights / xp.sum(weights, axis=2, keepdims=True)


def _local_errors(grams: Array, neighbours: Array, weights: Array) -> Array:
    """Σ‖x_i − Σ_j w_ij x_j‖² / Σ‖x_i − x̄‖², from the Gram matrices of the centred tokens (s)."""
    xp, (texts, size, near) = namespace(grams), neighbours.shape
    squares = xp.linalg.diagonal(grams)
    towards = xp.sum(xp.take_along_axis(grams, neighbours, axis=2) * weights, axis=2)
    pairs = xp.reshape(size * neighbours[:, :, :, None] + neighbours[:, :, None, :], (texts, -1))
    among = xp.take_along_axis(xp.reshape(grams, (texts, -1)), pairs, axis=1)
    mixed = xp.reshape(among, (texts, size, near, near)) @ weights[:, :, :, None]
    combined = xp.sum(mixed[:, :, :, 0] * weights, axis=2)
    errors = xp.clip(squares - 2.0 * towards + combined, 0.0, None)
    return xp.sum(errors, axis=1) / divisors(xp.sum(squares, axis=1))


def _structure_resolved(errors: Array, states: TokenStates) -> Array:
    """Whether the local reconstruction errs by more than noise would make it (s)."""
    return states.xp.sqrt(errors * states.residual_sums) > states.floors


_SPREAD: Final = (
    Requirement(lambda states, _: states.count >= FEWEST, "needs at least three tokens"),
    Requirement(lambda _, baseline: baseline.local_errors >= 0.0, "the tokens of the baseline are all equal"),
    Requirement(lambda states, _: states.residual_sums > 0.0, "the tokens are all equal"),
)
"""What numbers of the arrangement around the mean need."""


def _both_resolved(states: TokenStates, baseline: Baseline) -> Array:
    return states.residual_resolved & baseline.resolved


@beside_baseline(
    title="Linear CKA to the baseline",
    formula=r"\frac{\langle K, L \rangle_F}{\lVert K \rVert_F \, \lVert L \rVert_F}, \quad "
    r"K = R X_0 X_0^\top R, \; L = R X X^\top R",
    paper=Paper(
        "Kornblith et al.",
        2019,
        "Similarity of Neural Network Representations Revisited",
        "https://arxiv.org/abs/1905.00414",
    ),
    lower=0,
    upper=1,
    reads="How far the tokens of a text keep their arrangement around their mean beside the baseline's: 1 up to "
    "rotation, shift and scale.",
    caveat="Ruled by the directions of largest variance, and lifted where a text has few tokens for its dimensions.",
    requires=_SPREAD,
    resolved=_both_resolved,
)
def cka_to_baseline(states: TokenStates, baseline: Baseline) -> Array:
    """Cosine of the Gram matrices of the centred tokens, in [0, 1] (s)."""
    xp, grams = states.xp, states.centred_grams
    products = xp.sum(xp.astype(baseline.grams, xp.float64) * grams, axis=(1, 2))
    return xp.clip(products / divisors(baseline.gram_norms * _norms(grams)), 0.0, 1.0)


def _lengths(means: Array) -> Array:
    return namespace(means).sqrt(squared_lengths(means))


@beside_baseline(
    title="Cosine of the mean token to the baseline",
    formula=r"\cos(\bar{x}, \bar{x}_0)",
    paper=Paper(
        "Reimers & Gurevych",
        2019,
        "Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks",
        "https://arxiv.org/abs/1908.10084",
    ),
    lower=-1,
    upper=1,
    reads="How far the mean token, the sentence vector of mean pooling, still points where the baseline's does.",
    caveat="Blind to every change that leaves the mean alone, and flattered by an offset common to all texts.",
    requires=(
        Requirement(
            lambda states, baseline: (_lengths(states.means) > 0.0) & (_lengths(baseline.means) > 0.0),
            "the cosine with a mean token of zero is not defined",
        ),
    ),
    resolved=lambda states, baseline: states.mean_resolved & baseline.mean_resolved,
)
def pooled_cosine_to_baseline(states: TokenStates, baseline: Baseline) -> Array:
    """Cosine of the mean tokens, in [−1, 1] (s)."""
    xp = states.xp
    one, other = (each / divisors(_lengths(each))[:, None] for each in (states.means, baseline.means))
    return xp.clip(xp.vecdot(one, other), -1.0, 1.0)


def _lsds_resolved(states: TokenStates, baseline: Baseline) -> Array:
    own = _structure_resolved(lsds(states, baseline) * baseline.local_errors, states)
    return _both_resolved(states, baseline) & baseline.structure_resolved & own


@beside_baseline(
    title="Local structure discrepancy to the baseline",
    formula=r"\frac{E(X)}{E(X_0)}, \quad E(X) = \frac{\sum_i \bigl\lVert x_i - \sum_{j \in N(i)} w_{ij} x_j "
    r"\bigr\rVert^2}{\sum_i \lVert x_i - \bar{x} \rVert^2}, \quad "
    r"w_{ij} \propto e^{-\lVert x_{0,i} - x_{0,j} \rVert^2 / t}",
    paper=YAN,
    lower=0,
    upper=math.inf,
    reads="How far each token has left the weighted mean of its 12 nearest tokens of the baseline, relative to "
    "the baseline itself: 1 where neighbourhoods are kept, above 1 where they break up.",
    caveat="Unlike the paper, errors are over the tokens' own spread, weights sum to 1 and t is the mean squared "
    "distance to a neighbour; with 13 tokens or fewer every other token is a neighbour. The paper's code solves "
    "for the weights that rebuild a token best, and counts the token among its own 12 neighbours.",
    requires=(
        *_SPREAD,
        Requirement(
            lambda _, baseline: ~(baseline.local_errors <= RESIDUAL_SHARE),
            "every token of the baseline equals its neighbours",
        ),
    ),
    resolved=_lsds_resolved,
)
def lsds(states: TokenStates, baseline: Baseline) -> Array:
    """Local reconstruction error with the baseline's neighbours and weights, over its own (s); at least 0."""
    errors = _local_errors(states.centred_grams, baseline.neighbours, baseline.weights)
    return errors / divisors(baseline.local_errors)


BESIDE_BASELINE: Final = tuple(each.__name__ for each in (cka_to_baseline, pooled_cosine_to_baseline, lsds))
"""Names of what is computed of a variant and its baseline at every point."""
