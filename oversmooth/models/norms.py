"""The norms around each branch of a block, and what they do: found out by what they put out, not by their names."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from oversmooth.core.points import Branch
from oversmooth.models.anatomy import Anatomy

NormKind = Literal["LayerNorm", "RMSNorm", "none"]
"""Whether the mean over the dimensions is removed, or only the scale, or nothing is done."""

_LARGE = 1024.0
"""Size of the probe: beside it, the small constant under a norm's root does not count."""


@dataclass(frozen=True, eq=False)
class NormMap:
    """What a norm does to a token: x ↦ γ ⊙ (x − mean(x))/std(x) + β, or γ ⊙ x/rms(x)."""

    kind: NormKind
    gain: Tensor
    """γ (dim); ones where there is no norm."""


def norm_map(module: nn.Module, dimension: int) -> NormMap:
    """The kind of a norm over so many dimensions and its gain, however it is stored (Gemma's weight is γ − 1).

    A probe z of mean 0 and equal sizes is normed to ±γ + β, whatever the kind. It takes the way of no hook.
    """
    parameter = next(module.parameters(), torch.empty(0))
    signs = torch.ones(dimension, device=parameter.device, dtype=parameter.dtype)
    signs[1::2] = -1.0
    probe = signs - signs.mean()
    units = probe / probe.square().mean().sqrt()
    # Scaled, mirrored and moved: what a norm, and what each kind of norm, does not see.
    rows = torch.stack((_LARGE * units, -_LARGE * units, 2 * _LARGE * units, _LARGE * units + _LARGE))
    with torch.inference_mode():
        plain, mirrored, scaled, moved = module.forward(rows)
    if not _alike(plain, scaled):
        return NormMap("none", torch.ones_like(signs))
    kind: NormKind = "LayerNorm" if _alike(plain, moved) else "RMSNorm"
    return NormMap(kind, ((plain - mirrored) / (2 * units)).clone())


def branch_norms(anatomy: Anatomy) -> tuple[dict[Branch, nn.Module], ...]:
    """The norm of each branch, layer by layer.

    In post-norm families that which follows the addition of the branch, else that which the branch reads; where both
    branches share one, it is given twice. Empty where the inside of a block is not known.
    """
    if not anatomy.norms:
        return ()
    if anatomy.post_norm:
        pairs = zip(anatomy.sub_layers["attention"], anatomy.sub_layers["mlp"], strict=True)
    elif anatomy.parallel:
        pairs = zip(anatomy.start_norms, (norms[-1] for norms in anatomy.norms), strict=True)
    else:
        pairs = zip(anatomy.start_norms, anatomy.sub_layers["attention_norm"], strict=True)
    return tuple({"attention": attention, "mlp": mlp} for attention, mlp in pairs)


def _alike(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() <= 1e-3 * one.abs().max())
