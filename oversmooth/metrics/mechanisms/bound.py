"""The LayerNorm bound on how far one block can smooth (Shi et al. 2022, Theorem 2), and the measured contraction."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import numpy as np

from oversmooth.core.errors import UndefinedError
from oversmooth.metrics.numerics import Float64

if TYPE_CHECKING:
    from torch import Tensor

    from oversmooth.models.anatomy import Anatomy

_ELSEWHERE: Final = "; the deviations and gains of the norms, √λ and the measured contraction exist all the same"


@dataclass(frozen=True, eq=False)
class WeightNorms:
    """Largest spectral norms of the matrices of each block (layer); NaN where its weights are not all finite."""

    attention: Float64
    """Over heads, of W_V W_O."""
    mlp: Float64
    """Of the larger one of the two matrices."""

    @property
    def largest(self) -> Float64:
        """The theorem's s (layer)."""
        return np.maximum(self.attention, self.mlp)


_CACHE: WeakKeyDictionary[Anatomy, WeightNorms] = WeakKeyDictionary()
_LOCK = threading.Lock()


def weight_norms(anatomy: Anatomy) -> WeightNorms:
    """Spectral norms of each block's weights; computed once for a model.

    Raises:
        UndefinedError: outside of the theorem's setting, with the condition that fails.
    """
    with _LOCK:
        if anatomy not in _CACHE:
            require_setting(anatomy)
            _CACHE[anatomy] = _weight_norms(anatomy)
        return _CACHE[anatomy]


def require_setting(anatomy: Anatomy) -> None:
    """Refuse a block that is not the theorem's: attention, addition, LayerNorm, two-matrix MLP, addition, LayerNorm.

    Raises:
        UndefinedError: with the condition that fails, and which quantities exist all the same.
    """
    from oversmooth.models.norms import branch_norms, norm_map

    family = f"the family “{anatomy.family}”"
    if not anatomy.norms and not anatomy.sub_layers:
        raise UndefinedError(f"the inside of a block is not known for {family}; its measured contraction exists")
    if not anatomy.post_norm:
        other = f"{family} has its norms before" if anatomy.norms else anatomy.why_no_norms
        raise UndefinedError(f"the bound is of blocks with a norm after each addition; {other}{_ELSEWHERE}")
    kinds = {norm_map(module, anatomy.hidden_size).kind for norms in branch_norms(anatomy) for module in norms.values()}
    if kinds != {"LayerNorm"}:
        raise UndefinedError(f"the bound is of LayerNorm; {family} has other norms{_ELSEWHERE}")
    if not anatomy.circuits:
        raise UndefinedError(f"the value and output weights of single heads are not known for {family}{_ELSEWHERE}")
    if not anatomy.mlp_matrices:
        raise UndefinedError(f"the bound is of an MLP of two matrices, which {family} does not have{_ELSEWHERE}")


def smoothing_bound(weights: WeightNorms, heads: int, roots: Float64, deviations: Float64, gains: Float64) -> Float64:
    """d_M(X_out) ≤ v d_M(X_in) with v = (1 + s²)(1 + √λ h s) · max|γ₁| max|γ₂| / (σ₁σ₂): (text, layer), above 0.

    The gains γ of the norms are an addition to the theorem, which leaves them out. ∞ where a token is constant over its
    dimensions; above 1, v says nothing.

    Args:
        weights: s (layer).
        heads: h.
        roots: √λ, the largest ‖RA‖₂ over heads (text, layer).
        deviations: σ₁ and σ₂, the smallest standard deviation over tokens in each norm (text, layer, norm).
        gains: max|γ| of each norm (layer, norm).
    """
    s = weights.largest
    with np.errstate(divide="ignore"):
        bound: Float64 = (1 + s**2) * (1 + roots * heads * s) * (gains.prod(axis=-1) / deviations.prod(axis=-1))
    return bound


def contraction(distances: Float64) -> Float64:
    """d_M(X_out)/d_M(X_in) of each block (…, layer), from 0; NaN where the tokens that enter are one vector.

    Args:
        distances: d_M at the embedding and after each block (…, 1 + layer).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: Float64 = np.where(distances[..., :-1] > 0, distances[..., 1:] / distances[..., :-1], np.nan)
    return ratios


def _weight_norms(anatomy: Anatomy) -> WeightNorms:
    # Layers may share one block.
    first = {block: layer for layer, block in reversed([*enumerate(anatomy.blocks)])}
    attention = {layer: _attention_norm(anatomy, layer) for layer in first.values()}
    mlp = {layer: np.max([*map(_spectral_norm, _matrices(anatomy, layer))]) for layer in first.values()}
    layers = [first[block] for block in anatomy.blocks]
    return WeightNorms(np.array([attention[each] for each in layers]), np.array([mlp[each] for each in layers]))


def _matrices(anatomy: Anatomy, layer: int) -> list[Tensor]:
    return [module.get_parameter("weight").detach() for module in anatomy.mlp_matrices[layer]]


def _attention_norm(anatomy: Anatomy, layer: int) -> float:
    """Largest ‖W_V W_O‖₂ over heads, from the triangular factors of both: W_V W_O = Q₁(R₁R₂ᵀ)Q₂ᵀ."""
    import torch

    from oversmooth.models import circuit

    values, outputs = (each(anatomy, layer).double() for each in (circuit.value_weights, circuit.output_weights))
    if not (values.isfinite().all() and outputs.isfinite().all()):
        return math.nan
    _, first = torch.linalg.qr(values)
    _, second = torch.linalg.qr(outputs.mT)
    return float(torch.linalg.matrix_norm(first @ second.mT, ord=2).max())


def _spectral_norm(weight: Tensor) -> float:
    """From the Gram matrix of the smaller side, far quicker than a decomposition; its largest value loses no digits."""
    import torch

    if not weight.isfinite().all():
        return math.nan
    wide = weight if weight.shape[0] <= weight.shape[1] else weight.mT
    return float(torch.linalg.eigvalsh((wide @ wide.mT).double())[-1].sqrt())
