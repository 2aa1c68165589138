"""Tokens as a signal over positions: the mean token is the low frequency, all else the high one."""

from __future__ import annotations

import numpy as np

from oversmooth.core.papers import Paper
from oversmooth.metrics.numerics import Array, divisors
from oversmooth.metrics.registry import metric
from oversmooth.metrics.requirements import ENERGY, PAIRS
from oversmooth.metrics.similarity import SHI
from oversmooth.metrics.states import TokenStates

ORDER = 40


@metric(
    title="Distance to the mean token",
    formula=r"\min_c \lVert X - \mathbf{1}c^\top \rVert_F = \lVert X - \mathbf{1}\bar{x}^\top \rVert_F",
    paper=SHI,
    lower=0,
    upper=np.inf,
    reads="How far the tokens are from all being the same vector, in the scale of the states.",
    caveat="Keeps absolute scale: a norm's gain changes it, and so does the number of tokens.",
    requires=(PAIRS,),
    resolved=lambda states: states.residual_resolved,
)
def distance_to_mean(states: TokenStates) -> Array:
    """Frobenius norm of the states after subtracting their mean token (s; Definition 1)."""
    return states.xp.sqrt(states.residual_sums)


@metric(
    title="High-frequency share",
    formula=r"\lVert X - \mathbf{1}\bar{x}^\top \rVert_F^2 / \lVert X \rVert_F^2",
    paper=Paper(
        "Wang et al.",
        2022,
        "Anti-Oversmoothing in Deep Vision Transformers via the Fourier Domain Analysis",
        "https://arxiv.org/abs/2203.05962",
    ),
    lower=0,
    upper=1,
    reads="The share of the energy that differs between tokens: 0 when all are the same vector.",
    caveat="Scale-free, but a common offset of every text lowers it as smoothing does; the paper gives the ratio "
    "r = ‖RX‖/‖X − RX‖ instead, of which this is r²/(1 + r²).",
    requires=(PAIRS, ENERGY),
    resolved=lambda states: states.residual_resolved,
)
def high_frequency_share(states: TokenStates) -> Array:
    """Energy of the centred states over total energy (s)."""
    return states.residual_sums / divisors(states.energies)


@metric(
    title="Dirichlet energy",
    formula=r"\tfrac{1}{2} \sum_{i,j} \lVert x_i - x_j \rVert^2 = n\, \lVert X - \mathbf{1}\bar{x}^\top \rVert_F^2",
    paper=Paper(
        "Cai & Wang", 2020, "A Note on Over-Smoothing for Graph Neural Networks", "https://arxiv.org/abs/2006.13318"
    ),
    lower=0,
    upper=np.inf,
    reads="The sum of squared distances between all pairs of tokens: the tokens as a complete graph.",
    caveat="Keeps absolute scale and grows with the square of the number of tokens.",
    requires=(PAIRS,),
    resolved=lambda states: states.residual_resolved,
)
def dirichlet_energy(states: TokenStates) -> Array:
    """Dirichlet energy on the complete graph with unit weights (s)."""
    return states.count * states.residual_sums
