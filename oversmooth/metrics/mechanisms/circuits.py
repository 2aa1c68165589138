"""The eigenspectrum of the residual update X + A X H (Dovonon et al. 2024): what it amplifies most when repeated.

Stacked by columns, the update is I + Hᵀ ⊗ A: its eigenvalues are 1 + λᴴ λᴬ of all pairs.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.errors import UndefinedError
from oversmooth.metrics.numerics import Float64

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from oversmooth.models.anatomy import Anatomy

Complex128 = NDArray[np.complex128]

NEUTRAL: Final = 1e-9
"""A gain must exceed 1 by more than this to be one."""
TIE: Final = 1e-6
"""Relative difference up to which two gains are the same."""

ROUNDING: Final = 1e-6
"""Far more than what rounding adds to a bound."""

_LOCK = threading.Lock()
_KEPT: WeakKeyDictionary[PreTrainedModel, Complex128] = WeakKeyDictionary()


def circuit_eigenvalues(anatomy: Anatomy) -> Complex128:
    """Eigenvalues of each head's value–output circuit diag(γ) W_V W_O: (layer, head, head dim), kept with the network.

    They are those of the small W_O diag(γ) W_V; the other dim − head dim are 0. Where a norm stands before attention,
    its gain γ is part of the circuit; a norm on the branch is not. Descending by modulus, then by real, imaginary part.

    Raises:
        UndefinedError: where the projections of single heads are not known in this family.
    """
    if not anatomy.circuits:
        raise UndefinedError(
            f"the value and output weights of single heads are not known for the family “{anatomy.family}”"
        )
    with _LOCK:
        found = _KEPT.get(anatomy.network)
        if found is None:
            found = _KEPT[anatomy.network] = _of_all_layers(anatomy)
            found.flags.writeable = False
    return found


def _of_all_layers(anatomy: Anatomy) -> Complex128:
    # Layers may share one block.
    first = {block: layer for layer, block in reversed([*enumerate(anatomy.blocks)])}
    small = {layer: _small_circuits(anatomy, layer) for layer in first.values()}
    if not all(np.isfinite(each).all() for each in small.values()):
        raise UndefinedError("the value and output weights of this model are not all finite")
    values = {layer: _sorted(np.linalg.eigvals(each).astype(np.complex128)) for layer, each in small.items()}
    return np.stack([values[first[block]] for block in anatomy.blocks])


def _small_circuits(anatomy: Anatomy, layer: int) -> Float64:
    """W_O diag(γ) W_V of each head (head, head dim, head dim)."""
    from oversmooth.models import circuit

    values = circuit.value_weights(anatomy, layer).double()
    gain = circuit.start_gain(anatomy, layer).double()
    product: Float64 = (circuit.output_weights(anatomy, layer).double() @ (gain[:, None] * values)).cpu().numpy()
    return product


def _sorted(values: Complex128) -> Complex128:
    order = np.lexsort((-values.imag, -values.real, -np.abs(values)))
    found: Complex128 = np.take_along_axis(values, order, axis=-1)
    return found


@dataclass(frozen=True)
class Dominance:
    """Which pair of eigenvalues the repeated update of a head amplifies most; all arrays are (head)."""

    gain: Float64
    """max|1 + λᴴ λᴬ|, at least 1, that of the directions a head's circuit maps to 0; NaN where it is not known."""
    circuit_eigenvalue: Complex128
    """λᴴ of that pair; 0 where the gain is neutral."""
    attention_eigenvalue: Complex128
    """λᴬ of that pair; 1 where the gain is neutral."""
    reading: NDArray[np.str_]
    """"smoothing" where λᴬ is the 1 of the constant direction, "sharpening" where it is another, "tied" where both
    kinds reach the same gain, "neutral" where none exceeds 1, and "" where it is not known."""


def dominance(circuit: Complex128, attention_eigenvalues: Complex128) -> Dominance:
    """Read each head as if it were alone, without MLP and norm.

    Args:
        circuit: λᴴ (head, head dim).
        attention_eigenvalues: λᴬ (head, token), that of the constant direction first.
    """
    gains = np.abs(1.0 + attention_eigenvalues[:, :, None] * circuit[:, None, :])
    best = gains.max(axis=2)
    smoothing, sharpening = best[:, 0], best[:, 1:].max(axis=1, initial=0.0)
    gain = np.maximum(best.max(axis=1), 1.0)
    heads, token = np.arange(len(best)), best.argmax(axis=1)
    reading = np.where(token == 0, "smoothing", "sharpening")
    reading = np.where(np.abs(smoothing - sharpening) <= TIE * gain, "tied", reading)
    neutral = gain <= 1.0 + NEUTRAL
    return Dominance(
        gain=gain,
        circuit_eigenvalue=np.where(neutral, 0.0, circuit[heads, gains[heads, token].argmax(axis=1)]),
        attention_eigenvalue=np.where(neutral, 1.0, attention_eigenvalues[heads, token]),
        reading=np.where(np.isnan(gain), "", np.where(neutral, "neutral", reading)),
    )


def dominance_under(circuit: Complex128, attention: Tensor, *, causal: bool) -> Dominance:
    """As :func:`dominance`, without a decomposition of those attention matrices where the outcome is plain before it.

    Where max|1 + λᴴ| > 1 + ρ max|λᴴ|, with ρ a bound of all other |λᴬ|, no other pair reaches the constant direction's.

    Args:
        circuit: λᴴ (head, head dim).
        attention: after the softmax (head, query, key), rows sum to 1.
        causal: whether a query sees no later key.
    """
    from oversmooth.metrics.mechanisms.attention import attention_eigenvalues, other_radius

    if causal:
        return dominance(circuit, attention_eigenvalues(attention, causal=True))
    reach = 1.0 + other_radius(attention) * np.abs(circuit).max(axis=1)
    plain = np.abs(1.0 + circuit).max(axis=1) > (1.0 + ROUNDING) * reach
    # The eigenvalues that cannot dominate are left at 0, whose gain is 1.
    eigenvalues = np.zeros(attention.shape[:2], np.complex128)
    eigenvalues[:, 0] = 1.0
    open_ = np.flatnonzero(~plain)
    eigenvalues[open_] = attention_eigenvalues(attention[open_], causal=False)
    return dominance(circuit, eigenvalues)
