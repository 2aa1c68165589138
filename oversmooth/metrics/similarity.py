"""How alike the tokens are, pair by pair."""

from __future__ import annotations

from oversmooth.core.papers import Paper
from oversmooth.core.wording import count
from oversmooth.metrics.numerics import EPSILON, Array, beside, divisors, namespace, products, squared_lengths
from oversmooth.metrics.registry import metric
from oversmooth.metrics.requirements import DIRECTIONS, PAIRS, Requirement, apart_from_mean
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


def _mean_pairwise_cosines(vectors: Array, lengths: Array) -> Array:
    """Mean cosines over pairs i ≠ j in O(nd): (n‖m‖² − 1)/(n − 1), m the mean of the unit rows (s)."""
    size = lengths.shape[1]
    means = products(vectors.mT, 1.0 / lengths) / size
    return (size * squared_lengths(means) - 1.0) / (size - 1)


@metric(
    title="Token cosine similarity",
    formula=r"\frac{1}{n(n-1)} \sum_{i \neq j} \frac{x_i^\top x_j}{\lVert x_i \rVert \lVert x_j \rVert}",
    paper=SHI,
    lower=-1,
    upper=1,
    reads="The mean cosine between the tokens of one text: 1 when all point the same way.",
    caveat="Blind to norms, and it counts an offset common to every text (anisotropy) as similarity; the code of Yan "
    "et al. (tokenUni) counts each token with itself too, which makes c of n tokens (1 + (n − 1) c)/n.",
    requires=(PAIRS, DIRECTIONS),
    resolved=lambda states: states.directions_resolved,
)
def token_cosine(states: TokenStates) -> Array:
    """Mean cosine over all pairs of different tokens (s)."""
    return _mean_pairwise_cosines(states.values, states.lengths)


@metric(
    title="Centred token cosine similarity",
    formula=r"\frac{1}{n(n-1)} \sum_{i \neq j} \cos(x_i - \bar{x},\; x_j - \bar{x})",
    paper=SHI,
    lower=-1,
    upper=1,
    reads="The mean cosine after the mean token of the text is removed: what is alike beyond a common offset.",
    caveat="Equal norms alone give −1/(n − 1), so only departures from that value say something.",
    requires=(
        PAIRS,
        apart_from_mean(
            lambda equal, of: (
                f"the cosine with a token equal to the mean token is not defined ({equal} of {count(of, 'token')})"
            )
        ),
    ),
    resolved=lambda states: states.distances_from_mean_resolved,
)
def token_cosine_centred(states: TokenStates) -> Array:
    """Mean cosine over all pairs of different tokens after subtracting the mean token (s)."""
    return _mean_pairwise_cosines(states.centred, divisors(states.xp.sqrt(states.residual_energies)))


def _over_pairs(matrices: Array) -> Array:
    """Means over pairs i ≠ j of matrices with a diagonal of zeros (s)."""
    size = matrices.shape[1]
    return namespace(matrices).sum(matrices, axis=(1, 2)) / (size * (size - 1))


def _pairs_resolved(states: TokenStates) -> Array:
    # Rounding turns a token by up to u, so the distance of two unit tokens changes by up to 2u; then the gaps' own ε.
    turned = (2.0 * states.roundings) ** 2 + 8.0 * EPSILON * states.spreads
    return 2.0 * _over_pairs(states.cosine_gaps) > turned


@metric(
    title="Log RBF similarity",
    formula=r"\log \frac{1}{n(n-1)} \sum_{i \neq j} \exp\left(-\lVert \hat{x}_i - \hat{x}_j \rVert^2 / 0.5\right)",
    paper=YAN,
    lower=-8,
    upper=0,
    unit="nats",
    reads="The log mean Gaussian similarity of the unit tokens: 0 when all are the same, −4 when orthogonal.",
    caveat="Ruled by the closest pairs; on unit vectors with width 0.5, the form that the paper's figures fit.",
    requires=(PAIRS, DIRECTIONS),
    resolved=_pairs_resolved,
)
def rbf_distance(states: TokenStates) -> Array:
    """Log of the mean radial-basis similarity over pairs of different unit tokens (s)."""
    # ‖x̂ᵢ − x̂ⱼ‖² = 2(1 − cos); as differences from 1, so that alike tokens keep their digits. The diagonal adds 0.
    xp = states.xp
    return xp.log1p(_over_pairs(xp.expm1(states.cosine_gaps * (-2.0 / RBF_WIDTH))))


def _classification_lengths(states: TokenStates) -> Array:
    return states.xp.sqrt(squared_lengths(states.classifications))


def _others(states: TokenStates) -> Array:
    """How many tokens there are beside [CLS] (s)."""
    return states.count - states.xp.astype(states.includes_classification, states.xp.float64)


@metric(
    title="[CLS] uniformity",
    formula=r"\operatorname{mean}_{i \neq \mathrm{CLS}} \cos(x_{\mathrm{CLS}}, x_i)",
    paper=YAN,
    lower=-1,
    upper=1,
    reads="The mean cosine of the [CLS] token to the tokens of the text.",
    caveat="Only for models with a [CLS] token; it is compared to the others, never to itself, as it is where the "
    "paper's code draws it.",
    requires=(
        Requirement(lambda states: states.classifications is not None, "this tokenizer adds no [CLS] token"),
        DIRECTIONS,
        Requirement(
            lambda states: states.classifications is None or _classification_lengths(states) > 0.0,
            "the [CLS] token is the zero vector",
        ),
        Requirement(lambda states: _others(states) > 0.0, "there is no token beside [CLS]"),
    ),
    resolved=lambda states: states.directions_resolved,
)
def cls_uniformity(states: TokenStates) -> Array:
    """Mean cosine of the classification token to every other token (s)."""
    lengths = states.lengths * divisors(_classification_lengths(states))[:, None]
    total = states.xp.sum(products(states.values, states.classifications) / lengths, axis=1)
    others = _others(states)
    return (total - (states.count - others)) / divisors(others)


def averaged(matrix: Array, factor: int) -> Array:
    """Means over blocks of ``factor`` × ``factor`` entries of a square matrix; the last of each side may be smaller."""
    if factor == 1:
        return matrix
    xp, starts = namespace(matrix), range(0, matrix.shape[0], factor)
    sizes = beside(matrix, [float(min(factor, matrix.shape[0] - start)) for start in starts])
    rows = xp.stack([xp.sum(matrix[start : start + factor, :], axis=0) for start in starts])
    sums = xp.stack([xp.sum(rows[:, start : start + factor], axis=1) for start in starts], axis=1)
    return sums / (sizes[:, None] * sizes)
