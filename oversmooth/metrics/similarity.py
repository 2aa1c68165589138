"""How alike the tokens are, pair by pair."""

from __future__ import annotations

import numpy as np

from oversmooth.metrics.numerics import EPSILON, Float64
from oversmooth.metrics.registry import UndefinedError, metric
from oversmooth.metrics.states import TokenStates
from oversmooth.papers import Paper
from oversmooth.wording import count

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


def _mean_pairwise_cosine(vectors: Float64, norms: Float64) -> float:
    """Mean cosine over pairs i ≠ j in O(nd): (n‖m‖² − 1)/(n − 1), m the mean of the unit rows."""
    size = len(norms)
    mean = (1.0 / norms) @ vectors / size
    return float((size * (mean @ mean) - 1.0) / (size - 1))


@metric(
    title="Token cosine similarity",
    formula=r"\frac{1}{n(n-1)} \sum_{i \neq j} \frac{x_i^\top x_j}{\lVert x_i \rVert \lVert x_j \rVert}",
    paper=SHI,
    lower=-1,
    upper=1,
    reads="The mean cosine between the tokens of one text: 1 when all point the same way.",
    caveat="Blind to norms, and it counts an offset common to every text (anisotropy) as similarity.",
)
def token_cosine(states: TokenStates) -> float:
    """Mean cosine over all pairs of different tokens."""
    states.require_pairs()
    states.require_directions()
    return _mean_pairwise_cosine(states.values, states.norms)


def _distances_from_mean_resolved(states: TokenStates) -> bool:
    return bool((states.residual_energies**0.5 > states.precision.rounding * states.norms).all())


@metric(
    title="Centred token cosine similarity",
    formula=r"\frac{1}{n(n-1)} \sum_{i \neq j} \cos(x_i - \bar{x},\; x_j - \bar{x})",
    paper=SHI,
    lower=-1,
    upper=1,
    reads="The mean cosine after the mean token of the text is removed: what is alike beyond a common offset.",
    caveat="Equal norms alone give −1/(n − 1), so only departures from that value say something.",
    resolved=_distances_from_mean_resolved,
)
def token_cosine_centred(states: TokenStates) -> float:
    """Mean cosine over all pairs of different tokens after subtracting the mean token."""
    states.require_pairs()
    zero = states.count - np.count_nonzero(states.residual_energies)
    if zero:
        raise UndefinedError(
            f"the cosine with a token equal to the mean token is not defined ({zero} of {count(states.count, 'token')})"
        )
    return _mean_pairwise_cosine(states.centred, np.sqrt(states.residual_energies))


def _directions_resolved(states: TokenStates) -> bool:
    # Rounding turns a token by up to u, so the distance of two unit tokens changes by up to 2u; then the gaps' own ε.
    mean_square = 2.0 * states.cosine_gaps.sum() / (states.count * (states.count - 1))
    return bool(mean_square > (2.0 * states.precision.rounding) ** 2 + 8.0 * EPSILON * states.spread)


@metric(
    title="Log RBF similarity",
    formula=r"\log \frac{1}{n(n-1)} \sum_{i \neq j} \exp\left(-\lVert \hat{x}_i - \hat{x}_j \rVert^2 / 0.5\right)",
    paper=YAN,
    lower=-8,
    upper=0,
    unit="nats",
    reads="The log mean Gaussian similarity of the unit tokens: 0 when all are the same, −4 when orthogonal.",
    caveat="Ruled by the closest pairs; on unit vectors with width 0.5, the form that the paper's figures fit.",
    resolved=_directions_resolved,
)
def rbf_distance(states: TokenStates) -> float:
    """Log of the mean radial-basis similarity over pairs of different unit tokens."""
    states.require_pairs()
    # ‖x̂ᵢ − x̂ⱼ‖² = 2(1 − cos); as differences from 1, so that alike tokens keep their digits. The diagonal adds 0.
    differences = states.cosine_gaps * (-2.0 / RBF_WIDTH)
    np.expm1(differences, out=differences)
    return float(np.log1p(differences.sum() / (states.count * (states.count - 1))))


@metric(
    title="[CLS] uniformity",
    formula=r"\operatorname{mean}_{i \neq \mathrm{CLS}} \cos(x_{\mathrm{CLS}}, x_i)",
    paper=YAN,
    lower=-1,
    upper=1,
    reads="The mean cosine of the [CLS] token to the tokens of the text.",
    caveat="Only for models with a [CLS] token; it is compared to the others, never to itself.",
)
def cls_uniformity(states: TokenStates) -> float:
    """Mean cosine of the classification token to every other token."""
    anchor = states.classification
    if anchor is None:
        raise UndefinedError("this tokenizer adds no [CLS] token")
    states.require_directions()
    length = float(np.sqrt(anchor @ anchor))
    if length == 0.0:
        raise UndefinedError("the [CLS] token is the zero vector")
    cosines = states.values @ anchor / (states.norms * length)
    if states.includes_classification:
        if states.count < 2:
            raise UndefinedError("there is no token beside [CLS]")
        return float((cosines.sum() - 1.0) / (states.count - 1))
    return float(cosines.mean())
