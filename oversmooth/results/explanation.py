"""The result of an explanation: where and why tokens grow alike, as numbers with names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    import xarray as xr

Reading = Literal["attention", "norms", "bound", "circuits", "dominance", "corpus"]
"""Parts of an explanation that may be missing as a whole."""


@dataclass(frozen=True)
class Explanation:
    """Mechanisms beside the curves of the measurement that carries it. A part that is missing is an empty dataset.

    Layers are blocks, counted from 0. ``norm`` is "attention" or "mlp", by the branch it belongs to: in post-norm
    families the norm after the branch was added, in pre-norm families the one before the branch.
    """

    attention: xr.Dataset
    """Quantities of each attention matrix over all tokens that are no padding, special ones included: dims (input,
    layer, head), named as in ``oversmooth.metrics.mechanisms``; and ``attention_adjacent_cosine`` (input, layer),
    NaN in block 0. NaN in blocks without attention; the cosine also after such a block."""
    norms: xr.Dataset
    """``deviation`` (layer, norm, token): what each token of the text ``settings.shown`` is divided by, special ones
    included; ``smallest_deviation`` (input, layer, norm); ``negative_gains``, a share, ``largest_gain``, the largest
    |γ|, and ``kind``, "LayerNorm", "RMSNorm" or "none": (layer, norm)."""
    bound: xr.Dataset
    """``contraction`` d_M(out)/d_M(in) of each block (input, layer), always; ``smoothing_bound`` v (input, layer) and
    ``weight_norm`` s (layer) in the theorem's own setting. Over all tokens that are no padding."""
    circuits: xr.Dataset
    """``eigenvalues`` (layer, head, component), complex: of each head's value–output circuit."""
    dominance: xr.Dataset
    """Of the text ``settings.shown``, dims (layer, head): ``dominant_gain``, ``dominant_kind`` ("smoothing",
    "sharpening", "neutral", "tied", or "" where it is not known), and the pair that attains it,
    ``circuit_eigenvalue`` and ``attention_eigenvalue``, complex."""
    corpus: xr.Dataset
    """Over several texts: ``within``, ``between`` (form, point) and ``within_each`` (form, point, input), with form
    "raw", "centred" or "standardised"; ``layer_cka`` (point, other)."""
    texts: int
    """How many of the texts ``corpus`` is over: the first that fit."""
    reasons: Mapping[Reading, str]
    """Why a part is missing, or what it leaves out, in a sentence."""

    @property
    def parts(self) -> Mapping[Reading, xr.Dataset]:
        """All parts by their names."""
        return {name: getattr(self, name) for name in get_args(Reading)}

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(int(part.nbytes) for part in self.parts.values())
