"""Attention matrices, summed up while the pass goes on: none is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from oversmooth.mechanisms.attention import adjacent_cosine, attention_quantities
from oversmooth.mechanisms.circuits import Complex128, Dominance, dominance_under

if TYPE_CHECKING:
    from torch import Tensor

EIGENVALUE_TOKENS: Final = 256
"""Longest text whose attention matrices are decomposed: the work grows with the third power."""


class AttentionGatherer:
    """Takes the attention matrices of one layer and batch after the other.

    Args:
        lengths: tokens of each text, special ones included.
        layers: number of blocks.
        heads: of each.
        causal: whether a token sees the later ones.
        shown: number of the text under whose attention the circuits are read.
        circuits: eigenvalues of each head's circuit (layer, head, head dim); None where they are not known.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        layers: int,
        heads: int,
        *,
        causal: bool,
        shown: int,
        circuits: Complex128 | None,
    ) -> None:
        self._lengths = lengths
        self._shape = len(lengths), layers, heads
        self._causal = causal
        self._shown = shown
        self._members: Sequence[int] = ()
        self._values: dict[str, NDArray[np.float64]] = {}
        self._adjacent = np.full((len(lengths), layers), np.nan)
        self._previous: dict[int, Tensor] = {}
        self._circuits = circuits
        self.dominance: dict[int, Dominance] = {}
        """Of the circuits under the shown text's matrices, by layer."""
        self.layers: set[int] = set()
        """Those that were seen."""

    def begin(self, members: Sequence[int]) -> None:
        """A pass begins, with these texts as the rows of its batch."""
        self._members = members
        self._previous.clear()

    def see(self, layer: int, attention: Tensor) -> None:
        """The matrices of a layer (batch, head, query, key), padding among them."""
        self.layers.add(layer)
        for row, number in enumerate(self._members):
            length = self._lengths[number]
            self._one(layer, number, attention[row, :, :length, :length].detach().to("cpu"))

    def _one(self, layer: int, number: int, attention: Tensor) -> None:
        for name, values in attention_quantities(attention, causal=self._causal, seed=layer).items():
            self._values.setdefault(name, np.full(self._shape, np.nan))[number, layer] = values
        if layer > 0:
            self._adjacent[number, layer] = adjacent_cosine(self._previous[number], attention)
        self._previous[number] = attention.clone()
        if self._circuits is not None and number == self._shown and len(attention[0]) <= EIGENVALUE_TOKENS:
            self.dominance[layer] = dominance_under(self._circuits[layer], attention, causal=self._causal)

    @property
    def root_lambda(self) -> NDArray[np.float64]:
        """The largest √λ among the heads (input, layer)."""
        largest: NDArray[np.float64] = self._values["attention_root_lambda"].max(axis=2)
        return largest

    def dataset(self) -> xr.Dataset:
        """Everything by its name; empty where no layer was seen."""
        if not self.layers:
            return xr.Dataset()
        texts, layers, heads = self._shape
        dims = ("input", "layer", "head")
        values = {name: (dims, each) for name, each in self._values.items()}
        return xr.Dataset(
            values | {"attention_adjacent_cosine": (dims[:2], self._adjacent)},
            {"input": np.arange(texts), "layer": np.arange(layers), "head": np.arange(heads)},
        )
