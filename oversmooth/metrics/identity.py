"""Whether a token is still known by its state."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.errors import UndefinedError
from oversmooth.core.papers import Paper
from oversmooth.metrics.numerics import beside, on_host
from oversmooth.metrics.registry import Definition, define_fidelity
from oversmooth.metrics.states import TokenStates

ORDER = 70

IDENTITY_RETRIEVAL: Final = "token_identity_retrieval"

define_fidelity(
    Definition(
        name=IDENTITY_RETRIEVAL,
        title="Token identity retrieval",
        formula=r"\frac{1}{|S|} \sum_{i \in S} \bigl[\, v(\operatorname{arg\,max}_{j \notin T(i)} "
        r"\cos(x_i - \mu,\; x_j - \mu)) = v(i) \,\bigr]",
        paper=Paper(
            "Zhou et al.",
            2020,
            "Towards Deeper Graph Neural Networks with Differentiable Group Normalization",
            "https://arxiv.org/abs/2006.06972",
        ),
        lower=0,
        upper=1,
        reads="The share of tokens whose nearest token of another text is the same word piece: 1 where a token is "
        "still known by its state.",
        caveat="A stand-in for the paper's information gain: it counts only word pieces that occur in another text "
        "(with a single text, elsewhere in it), and depends on which texts are given.",
    )
)


def retrieved(
    states: TokenStates, identities: NDArray[np.intp], texts: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Which tokens count, and which of these find their own word piece in the nearest token of another text.

    Cosines are between tokens centred by the mean of all. With a single text, the other tokens of it are searched. A
    tie with another word piece is no find, and a token at the mean, which has no direction, finds and is found by none.

    Args:
        states: the tokens of all texts, n of them, as one.
        identities: their vocabulary ids (n).
        texts: number of the text that each belongs to (n).

    Returns:
        Three masks (n); the second is False where the first is, the third where noise of the floor decides nothing.

    Raises:
        UndefinedError: where all tokens are equal.
    """
    several = bool((texts != texts[0]).any())
    apart = texts[:, None] != texts if several else ~np.eye(states.count, dtype=bool)
    equal = identities[:, None] == identities
    counted: NDArray[np.bool_] = (apart & equal).any(axis=1)
    if not counted.any():
        return counted, counted, counted
    if states.residual_sums[0] == 0.0:
        raise UndefinedError("the tokens are all equal")
    xp = states.xp
    same, differing = (beside(states.stored, each) for each in (apart & equal, apart & ~equal))
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1.0 / xp.sqrt(states.residual_energies[0, :])
        cosines = states.centred_grams[0, ...] * inverse[:, None] * inverse
        cosines = xp.where(xp.isfinite(cosines), cosines, -math.inf)
        own = xp.max(xp.where(same, cosines, -math.inf), axis=1)
        other = xp.max(xp.where(differing, cosines, -math.inf), axis=1)
        # Noise turns both tokens of a pair.
        undecided = xp.abs(own - other) <= states.roundings[0] * states.norms[0, :] * inverse
    return counted, counted & on_host(own > other), on_host(undecided)
