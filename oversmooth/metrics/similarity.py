"""How alike the tokens are, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.errors import UndefinedError
from oversmooth.core.papers import Paper
from oversmooth.core.wording import count
from oversmooth.metrics.numerics import EPSILON, Float64, divisors, floats, squared_lengths
from oversmooth.metrics.registry import metric
from oversmooth.metrics.stacks import Stack
from oversmooth.metrics.states import TokenStates

ORDER = 10

SHI = Paper(
    "Shi et al.",
    2022,
    "Revisiting Over-smoothing in BERT from the Perspective of Graph",
    "https://arxiv.org/abs/2202.08625",
)
YAN = Paper(
    "Yan et al.",
    2022,
    "Addressing Token Uniformity in Transformers via Singular Value Transformation",
    "https://proceedings.mlr.press/v180/yan22b.html",
)

RBF_WIDTH = 0.5


def _mean_pairwise_cosines(vectors: Float64, lengths: Float64) -> Sequence[float]:
    """Mean cosines over pairs i ≠ j in O(nd): (n‖m‖² − 1)/(n − 1), m the mean of the unit rows (s)."""
    size = lengths.shape[1]
    means = np.vecmat(1.0 / lengths, vectors) / size
    return floats((size * squared_lengths(means) - 1.0) / (size - 1))


def _mean_cosines(stack: Stack) -> Sequence[float]:
    return _mean_pairwise_cosines(stack.values, stack.lengths)


def _centred_mean_cosines(stack: Stack) -> Sequence[float]:
    return _mean_pairwise_cosines(stack.centred, divisors(np.sqrt(stack.residual_energies)))


@metric(
    title="Token cosine similarity",
    formula=r"\frac{1}{n(n-1)} \sum_{i \neq j} \frac{x_i^\top x_j}{\lVert x_i \rVert \lVert x_j \rVert}",
    paper=SHI,
    lower=-1,
    upper=1,
    reads="The mean cosine between the tokens of one text: 1 when all point the same way.",
    caveat="Blind to norms, and it counts an offset common to every text (anisotropy) as similarity; the code of Yan "
    "et al. (tokenUni) counts each token with itself too, which makes c of n tokens (1 + (n − 1) c)/n.",
    resolved=lambda states: states.directions_resolved,
)
def token_cosine(states: TokenStates) -> float:
    """Mean cosine over all pairs of different tokens."""
    states.require_pairs()
    states.require_directions()
    return states.shared(_mean_cosines)


def distances_from_mean_resolved(stack: Stack) -> Sequence[bool]:
    """Whether every token's distance to the mean token rises above the rounding of the states."""
    above = np.sqrt(stack.residual_energies) > stack.roundings[:, None] * stack.norms
    resolved: list[bool] = np.logical_and.reduce(above, axis=1).tolist()
    return resolved


def at_the_mean(stack: Stack) -> Sequence[int]:
    """How many tokens equal the mean token."""
    equal: list[int] = (stack.residual_energies == 0.0).sum(axis=1).tolist()
    return equal


@metric(
    title="Centred token cosine similarity",
    formula=r"\frac{1}{n(n-1)} \sum_{i \neq j} \cos(x_i - \bar{x},\; x_j - \bar{x})",
    paper=SHI,
    lower=-1,
    upper=1,
    reads="The mean cosine after the mean token of the text is removed: what is alike beyond a common offset.",
    caveat="Equal norms alone give −1/(n − 1), so only departures from that value say something.",
    resolved=lambda states: states.shared(distances_from_mean_resolved),
)
def token_cosine_centred(states: TokenStates) -> float:
    """Mean cosine over all pairs of different tokens after subtracting the mean token."""
    states.require_pairs()
    zero = states.shared(at_the_mean)
    if zero:
        raise UndefinedError(
            f"the cosine with a token equal to the mean token is not defined ({zero} of {count(states.count, 'token')})"
        )
    return states.shared(_centred_mean_cosines)


def _over_pairs(matrices: Float64) -> Float64:
    """Means over pairs i ≠ j of matrices with a diagonal of zeros (s)."""
    count = matrices.shape[1]
    means: Float64 = matrices.reshape(-1, count * count).sum(axis=1) / (count * (count - 1))
    return means


def _directions_resolved(stack: Stack) -> Sequence[bool]:
    # Rounding turns a token by up to u, so the distance of two unit tokens changes by up to 2u; then the gaps' own ε.
    mean_squares = 2.0 * _over_pairs(stack.cosine_gaps)
    turned = (2.0 * stack.roundings) ** 2 + 8.0 * EPSILON * stack.spreads
    resolved: list[bool] = (mean_squares > turned).tolist()
    return resolved


def _log_mean_similarities(stack: Stack) -> Sequence[float]:
    # ‖x̂ᵢ − x̂ⱼ‖² = 2(1 − cos); as differences from 1, so that alike tokens keep their digits. The diagonal adds 0.
    differences = stack.cosine_gaps * (-2.0 / RBF_WIDTH)
    np.expm1(differences, out=differences)
    return floats(np.log1p(_over_pairs(differences)))


@metric(
    title="Log RBF similarity",
    formula=r"\log \frac{1}{n(n-1)} \sum_{i \neq j} \exp\left(-\lVert \hat{x}_i - \hat{x}_j \rVert^2 / 0.5\right)",
    paper=YAN,
    lower=-8,
    upper=0,
    unit="nats",
    reads="The log mean Gaussian similarity of the unit tokens: 0 when all are the same, −4 when orthogonal.",
    caveat="Ruled by the closest pairs; on unit vectors with width 0.5, the form that the paper's figures fit.",
    resolved=lambda states: states.shared(_directions_resolved),
)
def rbf_distance(states: TokenStates) -> float:
    """Log of the mean radial-basis similarity over pairs of different unit tokens."""
    states.require_pairs()
    states.require_directions()
    return states.shared(_log_mean_similarities)


def _classification_lengths(stack: Stack) -> Sequence[float]:
    return floats(np.sqrt(squared_lengths(stack.classifications)))


def _classification_cosines(stack: Stack) -> Sequence[float]:
    """Sums of the cosines of [CLS] to the tokens."""
    lengths = divisors(np.sqrt(squared_lengths(stack.classifications)))
    cosines = np.matvec(stack.values, stack.classifications) / (stack.lengths * lengths[:, None])
    return floats(cosines.sum(axis=1))


@metric(
    title="[CLS] uniformity",
    formula=r"\operatorname{mean}_{i \neq \mathrm{CLS}} \cos(x_{\mathrm{CLS}}, x_i)",
    paper=YAN,
    lower=-1,
    upper=1,
    reads="The mean cosine of the [CLS] token to the tokens of the text.",
    caveat="Only for models with a [CLS] token; it is compared to the others, never to itself, as it is where the "
    "paper's code draws it.",
    resolved=lambda states: states.directions_resolved,
)
def cls_uniformity(states: TokenStates) -> float:
    """Mean cosine of the classification token to every other token."""
    if not states.has_classification:
        raise UndefinedError("this tokenizer adds no [CLS] token")
    states.require_directions()
    if states.shared(_classification_lengths) == 0.0:
        raise UndefinedError("the [CLS] token is the zero vector")
    total = states.shared(_classification_cosines)
    if states.includes_classification:
        if states.count < 2:
            raise UndefinedError("there is no token beside [CLS]")
        return (total - 1.0) / (states.count - 1)
    return total / states.count


def averaged(matrix: NDArray[np.float64], factor: int) -> NDArray[np.float64]:
    """Means over blocks of ``factor`` × ``factor`` entries; the last block of each side may be smaller."""
    if factor == 1:
        return matrix
    starts = np.arange(0, len(matrix), factor)
    sums = np.add.reduceat(np.add.reduceat(matrix, starts, axis=0), starts, axis=1)
    sizes = np.diff([*starts, len(matrix)])
    means: NDArray[np.float64] = sums / np.outer(sizes, sizes)
    return means
