"""Sizes: token norms and outliers, without which the other metrics are misread."""

from __future__ import annotations

import math

import numpy as np

from oversmooth.metrics.registry import UndefinedError, metric
from oversmooth.metrics.states import TokenStates
from oversmooth.papers import Paper


@metric(
    title="Mean token norm",
    formula=r"\frac{1}{n} \sum_i \lVert x_i \rVert_2",
    paper=Paper(
        "Kobayashi et al.",
        2020,
        "Attention is Not Only a Weight: Analyzing Transformers with Vector Norms",
        "https://arxiv.org/abs/2004.10102",
    ),
    lower=0,
    upper=np.inf,
    reads="The average length of a token's vector: the scale on which distances are to be read.",
    caveat="An average: one massive token can carry most of it.",
)
def mean_norm(states: TokenStates) -> float:
    """Mean Euclidean norm of the tokens."""
    return float(states.norms.mean())


def _mean_resolved(states: TokenStates) -> bool:
    return math.sqrt(states.count) * float(np.linalg.norm(states.mean)) > states.floor


@metric(
    title="Norm of the mean token",
    formula=r"\lVert \bar{x} \rVert_2, \quad \bar{x} = \frac{1}{n} \sum_i x_i",
    paper=Paper(
        "Shi et al.",
        2022,
        "Revisiting Over-smoothing in BERT from the Perspective of Graph",
        "https://arxiv.org/abs/2202.08625",
    ),
    lower=0,
    upper=np.inf,
    reads="The length of the part that all tokens share; beside the distance to the mean, what a branch does to each.",
    caveat="Carries the scale of the states, which a norm sets anew.",
    resolved=_mean_resolved,
)
def mean_token_norm(states: TokenStates) -> float:
    """Euclidean norm of the mean token; √n times it is the norm of the states' projection on equal tokens."""
    return float(np.linalg.norm(states.mean))


@metric(
    title="Massive-activation ratio",
    formula=r"\max_{i,k} |X_{ik}| \,/\, \operatorname{median}_{i,k} |X_{ik}|",
    paper=Paper("Sun et al.", 2024, "Massive Activations in Large Language Models", "https://arxiv.org/abs/2402.17762"),
    lower=1,
    upper=np.inf,
    reads="The largest activation over the median one; from about 1,000 on, ranks and spectra describe that outlier.",
    caveat="Says that an outlier exists, not which token or dimension it is.",
)
def max_activation_ratio(states: TokenStates) -> float:
    """Largest over median absolute activation."""
    # On the stored dtype: the order of the values is the same, and selection is several times quicker in float32.
    sizes = np.abs(states.stored).ravel()
    middle = sizes.size // 2
    sizes.partition(middle)
    median = float(sizes[middle])
    if sizes.size % 2 == 0:
        median = 0.5 * (median + float(sizes[:middle].max()))
    if median == 0.0:
        raise UndefinedError("the median activation is zero")
    return float(sizes[middle:].max()) / median
