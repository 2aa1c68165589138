"""What a mitigation leaves of the model's states, beside the baseline's.

Declared apart from the metrics of one text's states: these need a second side.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.errors import UndefinedError
from oversmooth.core.papers import Paper
from oversmooth.metrics.numerics import Float64
from oversmooth.metrics.registry import Definition, define_fidelity
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
    """What is kept of a baseline's tokens at one point of one text, to set others against."""

    mean: Float64
    """Mean token (d)."""
    gram: NDArray[np.floating]
    """Gram matrix of the centred tokens, scaled into the range of the states' type (n × n), which it has; zeros where
    all tokens are equal."""
    gram_norm: float
    """Its Frobenius norm."""
    neighbours: NDArray[np.intp]
    """Rows of each token's nearest other tokens (n × k)."""
    weights: Float64
    """Their weights w_ij, which sum to 1 in each row (n × k)."""
    local_error: float
    """Squared error of the tokens' local reconstruction over the squared length of the centred tokens."""
    resolved: bool
    """Whether the tokens differ by more than the resolution floor."""
    mean_resolved: bool
    """Whether the mean token is longer than it."""
    structure_resolved: bool
    """Whether the local reconstruction errs by more than it."""

    @classmethod
    def of(cls, states: TokenStates) -> Baseline:
        """From the baseline's tokens."""
        gram = states.centred_gram
        neighbours, weights = _neighbourhoods(gram)
        spread = float(gram.diagonal().max())
        error = _local_error(gram, neighbours, weights) if spread > 0.0 else math.nan
        stored = (gram / (spread or 1.0)).astype(states.stored.dtype)
        return cls(
            mean=states.mean.copy(),  # not of all texts that were computed with this one
            gram=stored,
            gram_norm=float(np.linalg.norm(stored.astype(np.float64))),
            neighbours=neighbours,
            weights=weights,
            local_error=error,
            resolved=states.residual_resolved,
            mean_resolved=states.mean_resolved,
            structure_resolved=_structure_resolved(error, states),
        )

    @staticmethod
    def size(count: int, dimension: int, itemsize: int) -> int:
        """Bytes for a text of that many tokens of that width, with numbers of so many bytes."""
        return itemsize * count**2 + 16 * count * min(NEIGHBOURS, count - 1) + 8 * dimension

    @property
    def nbytes(self) -> int:
        """Bytes of what is kept."""
        return self.mean.nbytes + self.gram.nbytes + self.neighbours.nbytes + self.weights.nbytes


def _neighbourhoods(gram: Float64) -> tuple[NDArray[np.intp], Float64]:
    """The nearest tokens of each, and weights exp(−‖x_i − x_j‖²/t) that sum to 1 (both n × k)."""
    count = len(gram)
    near = min(NEIGHBOURS, count - 1)
    squares = gram.diagonal()
    distances = squares[:, None] + squares - 2.0 * gram
    np.fill_diagonal(distances, np.inf)
    # Of tokens at the same distance, any.
    neighbours = np.argpartition(distances, near - 1, axis=1)[:, :near] if near else np.empty((count, 0), np.intp)
    squared = np.maximum(np.take_along_axis(distances, neighbours, axis=1), 0.0)
    width = squared.mean() if squared.size else 0.0
    # Less the nearest one's distance: the weights of a far token would all vanish, and the sum cancels the factor.
    weights = np.exp(-(squared - squared.min(axis=1, keepdims=True, initial=np.inf)) / (width or 1.0))
    weights /= weights.sum(axis=1, keepdims=True)
    return neighbours, weights


def _local_error(gram: Float64, neighbours: NDArray[np.intp], weights: Float64) -> float:
    """Σ‖x_i − Σ_j w_ij x_j‖² / Σ‖x_i − x̄‖², from the Gram matrix of the centred tokens."""
    squares = gram.diagonal()
    towards = (np.take_along_axis(gram, neighbours, axis=1) * weights).sum(axis=1)
    among = gram[neighbours[:, :, None], neighbours[:, None, :]]
    combined = np.einsum("ij,ijk,ik->i", weights, among, weights)
    return float(np.maximum(squares - 2.0 * towards + combined, 0.0).sum() / squares.sum())


define_fidelity(
    Definition(
        name="cka_to_baseline",
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
        caveat="Ruled by the directions of largest variance, and lifted where a text has few tokens for its "
        "dimensions.",
    )
)


def cka_to_baseline(states: TokenStates, baseline: Baseline) -> float:
    """Cosine of the Gram matrices of the centred tokens, in [0, 1].

    Raises:
        UndefinedError: for fewer than three tokens, or where those of one side are all equal.
    """
    _require_spread(states, baseline)
    gram = states.centred_gram
    alignment = float(np.vdot(baseline.gram, gram)) / (baseline.gram_norm * float(np.linalg.norm(gram)))
    return min(max(alignment, 0.0), 1.0)


define_fidelity(
    Definition(
        name="pooled_cosine_to_baseline",
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
    )
)


def pooled_cosine_to_baseline(states: TokenStates, baseline: Baseline) -> float:
    """Cosine of the mean tokens, in [−1, 1].

    Raises:
        UndefinedError: where a mean token is the zero vector.
    """
    lengths = float(np.linalg.norm(states.mean)), float(np.linalg.norm(baseline.mean))
    if 0.0 in lengths:
        raise UndefinedError("the cosine with a mean token of zero is not defined")
    cosine = (states.mean / lengths[0]) @ (baseline.mean / lengths[1])
    return float(np.clip(cosine, -1.0, 1.0))


define_fidelity(
    Definition(
        name="lsds",
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
    )
)


def lsds(states: TokenStates, baseline: Baseline) -> float:
    """Local reconstruction error with the baseline's neighbours and weights, over that of the baseline; at least 0.

    Raises:
        UndefinedError: for fewer than three tokens, where those of one side are all equal, or where the baseline's
            tokens are the means of their neighbours already.
    """
    _require_spread(states, baseline)
    if baseline.local_error <= RESIDUAL_SHARE:
        raise UndefinedError("every token of the baseline equals its neighbours")
    return _local_error(states.centred_gram, baseline.neighbours, baseline.weights) / baseline.local_error


def _require_spread(states: TokenStates, baseline: Baseline) -> None:
    if states.count < FEWEST:
        raise UndefinedError("needs at least three tokens")
    if math.isnan(baseline.local_error):
        raise UndefinedError("the tokens of the baseline are all equal")
    if states.residual_energy == 0.0:
        raise UndefinedError("the tokens are all equal")


BESIDE_BASELINE: Final[dict[str, Callable[[TokenStates, Baseline], float]]] = {
    each.__name__: each for each in (cka_to_baseline, pooled_cosine_to_baseline, lsds)
}
"""What is computed of a variant and its baseline at every point."""


def resolved(name: str, value: float, states: TokenStates, baseline: Baseline) -> bool:
    """Whether a number beside the baseline rests on something that noise did not make.

    Args:
        name: of the number.
        value: of it.
        states: of the variant.
        baseline: that they are set against.
    """
    if name == "pooled_cosine_to_baseline":
        return states.mean_resolved and baseline.mean_resolved
    if name == "lsds" and not (
        baseline.structure_resolved and _structure_resolved(value * baseline.local_error, states)
    ):
        return False
    return states.residual_resolved and baseline.resolved


def _structure_resolved(error: float, states: TokenStates) -> bool:
    """Whether the local reconstruction errs by more than noise would make it."""
    return math.sqrt(error * states.residual_energy) > states.floor
