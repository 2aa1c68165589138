"""Sizes: token norms and outliers, without which the other metrics are misread."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from oversmooth.core.papers import Paper
from oversmooth.metrics.numerics import Array, divisors
from oversmooth.metrics.registry import metric
from oversmooth.metrics.requirements import Requirement
from oversmooth.metrics.states import TokenStates

ORDER = 50

MASSIVE: Final = 1000.0
"""Massive-activation ratio from which cosines, ranks and spectra describe an outlier (Sun et al. 2024)."""
TOLD_MASSIVE: Final = "Massive activations at "
"""How the warning of a record begins that there is one."""


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
    resolved=lambda states: states.roundings < 1.0,
)
def mean_norm(states: TokenStates) -> Array:
    """Mean Euclidean norm of the tokens (s)."""
    return states.xp.sum(states.norms, axis=1) / states.count


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
    resolved=lambda states: states.mean_resolved,
)
def mean_token_norm(states: TokenStates) -> Array:
    """Euclidean norm of the mean token (s); √n times it is the norm of the states' projection on equal tokens."""
    return states.xp.sqrt(states.mean_energies)


def _median_resolved(states: TokenStates) -> Array:
    """Whether the median activation rises above the noise of one (s)."""
    return states.activations[1] * math.sqrt(states.count * states.dimension) > 8.0 * states.floors


@metric(
    title="Massive-activation ratio",
    formula=r"\max_{i,k} |X_{ik}| \,/\, \operatorname{median}_{i,k} |X_{ik}|",
    paper=Paper("Sun et al.", 2024, "Massive Activations in Large Language Models", "https://arxiv.org/abs/2402.17762"),
    lower=1,
    upper=np.inf,
    reads="The largest activation over the median one; from about 1,000 on, ranks and spectra describe that outlier.",
    caveat="Says that an outlier exists, not which token or dimension it is; the paper also asks for a size above 100.",
    requires=(Requirement(lambda states: states.activations[1] > 0.0, "the median activation is zero"),),
    resolved=_median_resolved,
)
def max_activation_ratio(states: TokenStates) -> Array:
    """Largest over median absolute activation (s)."""
    largest, median = states.activations
    return largest / divisors(median)
