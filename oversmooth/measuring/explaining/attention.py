"""Attention matrices, summed up while the pass goes on: none is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from oversmooth.metrics.mechanisms.attention import adjacent_cosine, attention_quantities
from oversmooth.metrics.mechanisms.circuits import Complex128, Dominance, dominance_under

if TYPE_CHECKING:
    from torch import Tensor

    from oversmooth.measuring.intervention.observing import See

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
        self._values: dict[str, NDArray[np.float64]] = {}
        self._adjacent = np.full((len(lengths), layers), np.nan)
        self._circuits = circuits
        self.dominance: dict[int, Dominance] = {}
        """Of the circuits under the shown text's matrices, by layer."""
        self.layers: set[int] = set()
        """Those that were seen."""

    def of_pass(self, members: Sequence[int]) -> See:
        """What is shown the matrices of one pass (batch, head, query, key), padding among them.

        Args:
            members: numbers of the texts that are the rows of its batch.
        """
        lengths = [self._lengths[number] for number in members]
        before: dict[tuple[int, int], Tensor] = {}

        def see(layer: int, attention: Tensor) -> None:
            if len(attention) != len(members) or attention.shape[-1] < max(lengths):
                raise RuntimeError(f"attention {tuple(attention.shape)} is not that of texts of {lengths} tokens")
            self.layers.add(layer)
            for row, (number, length) in enumerate(zip(members, lengths, strict=True)):
                matrices = attention[row, :, :length, :length].detach().to("cpu")
                # Of the block before alone: attention may be there in some blocks only.
                self._one(layer, number, matrices, before.pop((layer - 1, number), None))
                before[layer, number] = matrices.clone()

        return see

    def _one(self, layer: int, number: int, attention: Tensor, previous: Tensor | None) -> None:
        for name, values in attention_quantities(attention, causal=self._causal, seed=layer).items():
            self._values.setdefault(name, np.full(self._shape, np.nan))[number, layer] = values
        if previous is not None:
            self._adjacent[number, layer] = adjacent_cosine(previous, attention)
        if self._circuits is not None and number == self._shown and len(attention[0]) <= EIGENVALUE_TOKENS:
            self.dominance[layer] = dominance_under(self._circuits[layer], attention, causal=self._causal)

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
