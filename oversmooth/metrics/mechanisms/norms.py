"""The two norms around each branch: what they divide each token by, and their gains (Shi et al. 2022, Theorem 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.errors import UndefinedError
from oversmooth.metrics.numerics import Float64

if TYPE_CHECKING:
    from oversmooth.core.points import Branch
    from oversmooth.models.anatomy import Anatomy
    from oversmooth.models.norms import NormKind


@dataclass(frozen=True)
class NormGains:
    """What is said of one norm of a layer by its weights alone."""

    layer: int
    norm: Branch
    """The branch that it belongs to: in post-norm families the norm after the branch was added, else the norm that the
    branch reads."""
    kind: NormKind
    negative: float
    """Share of the dimensions whose gain is below 0, in [0, 1]; NaN where there is no norm."""
    largest: float
    """max |γ|; NaN where there is no norm."""


def token_deviations(states: NDArray[np.floating], kind: NormKind) -> Float64:
    """What a norm divides each token by: σ_i = std(x_i) of LayerNorm, the root mean square of RMSNorm (token).

    The standard deviation over the dimensions is the biased one; the small constant under the root is left out.

    Args:
        states: what the norm reads (token, dim).
        kind: of the norm; "none" gives NaN.
    """
    values = states.astype(np.float64)
    if kind == "none":
        return np.full(len(values), np.nan)
    if kind == "LayerNorm":
        values -= values.mean(axis=1, keepdims=True)
    deviations: Float64 = np.sqrt(np.square(values).mean(axis=1))
    return deviations


def norm_gains(anatomy: Anatomy) -> tuple[NormGains, ...]:
    """The gains γ of the norms of each layer, attention's before the MLP's, layer by layer.

    Raises:
        UndefinedError: where the norms of the family are not known.
    """
    if not anatomy.norms:
        raise UndefinedError(f"{anatomy.why_no_norms}; what is made of the states at its points exists all the same")
    return tuple(_gains(anatomy))


def _gains(anatomy: Anatomy) -> Iterator[NormGains]:
    from oversmooth.models.norms import branch_norms, norm_map

    for layer, norms in enumerate(branch_norms(anatomy)):
        for branch, module in norms.items():
            found = norm_map(module, anatomy.hidden_size)
            gain = found.gain.double().cpu().numpy()
            known = found.kind != "none"
            negative = float((gain < 0).mean()) if known else np.nan
            yield NormGains(layer, branch, found.kind, negative, float(np.abs(gain).max()) if known else np.nan)
