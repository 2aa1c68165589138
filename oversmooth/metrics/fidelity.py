"""What a mitigation leaves of the model's states, beside the baseline's.

Declared apart from the metrics of one text's states: these need a second side.
"""

from __future__ import annotations

import math
from typing import Final

from oversmooth.core.papers import Paper
from oversmooth.metrics.baseline import Baseline, frobenius_norms, local_errors_of, structure_resolved
from oversmooth.metrics.numerics import Array, divisors, namespace, squared_lengths
from oversmooth.metrics.registry import beside_baseline
from oversmooth.metrics.requirements import Requirement
from oversmooth.metrics.similarity import YAN
from oversmooth.metrics.states import TokenStates

ORDER = 60

FEWEST: Final = 3
"""Two centred tokens are opposite whatever they were, so they agree with any other two."""
RESIDUAL_SHARE: Final = 1e-13
"""Of the squared length of the centred tokens: a smaller local reconstruction error is rounding."""


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
    return xp.clip(products / divisors(baseline.gram_norms * frobenius_norms(grams)), 0.0, 1.0)


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
    own = structure_resolved(lsds(states, baseline) * baseline.local_errors, states)
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
    errors = local_errors_of(states.centred_grams, baseline.neighbours, baseline.weights)
    return errors / divisors(baseline.local_errors)


BESIDE_BASELINE: Final = tuple(each.__name__ for each in (cka_to_baseline, pooled_cosine_to_baseline, lsds))
"""Names of what is computed of a variant and its baseline at every point."""
