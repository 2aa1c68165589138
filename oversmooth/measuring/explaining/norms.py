"""What the norms of each block read, summed up while the pass goes on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.points import BRANCHES, Branch
from oversmooth.metrics.mechanisms.norms import NormGains, norm_gains, token_deviations
from oversmooth.models.anatomy import Anatomy


class NormGatherer:
    """Takes the states of one text at one point after the other.

    Args:
        anatomy: of a family whose norms are known.
        lengths: tokens of each text, special ones included.
        shown: number of the text whose deviations are kept token by token.

    Raises:
        UndefinedError: where the norms of the family are not known.
    """

    def __init__(self, anatomy: Anatomy, lengths: Sequence[int], *, shown: int) -> None:
        self._gains: Mapping[tuple[int, Branch], NormGains] = {
            (each.layer, each.norm): each for each in norm_gains(anatomy)
        }
        self._layers = len(anatomy.blocks)
        self._lengths = lengths
        self._shown = shown
        self._read_at = _read_at(anatomy)
        self.smallest = np.full((len(lengths), self._layers, len(BRANCHES)), np.nan)
        self._deviations = np.full((self._layers, len(BRANCHES), lengths[shown]), np.nan)

    def take(self, number: int, point: str, states: NDArray[np.floating]) -> None:
        """The states (token, dim) of one text at one point, padding among them."""
        for layer, norm in self._read_at[point]:
            deviations = token_deviations(states[: self._lengths[number]], self._gains[layer, norm].kind)
            column = BRANCHES.index(norm)
            self.smallest[number, layer, column] = deviations.min()
            if number == self._shown:
                self._deviations[layer, column] = deviations

    def dataset(self) -> xr.Dataset:
        """Deviations, and the gains that follow."""
        shape = self._layers, len(BRANCHES)
        negative, largest = np.full(shape, np.nan), np.full(shape, np.nan)
        kind = np.full(shape, "none", dtype="<U9")
        for (layer, norm), gains in self._gains.items():
            at = layer, BRANCHES.index(norm)
            negative[at], largest[at], kind[at] = gains.negative, gains.largest, gains.kind
        dims = ("layer", "norm")
        return xr.Dataset(
            {
                "deviation": ((*dims, "token"), self._deviations),
                "smallest_deviation": (("input", *dims), self.smallest),
                "negative_gains": (dims, negative),
                "largest_gain": (dims, largest),
                "kind": (dims, kind),
            },
            {"input": np.arange(len(self._lengths)), "layer": np.arange(self._layers), "norm": list(BRANCHES)},
        )


def _read_at(anatomy: Anatomy) -> Mapping[str, list[tuple[int, Branch]]]:
    """The norms that read the states of each point."""
    found: dict[str, list[tuple[int, Branch]]] = defaultdict(list)
    for layer in range(len(anatomy.blocks)):
        before = points.block(layer - 1) if layer else points.EMBEDDING
        middle = points.sub_layer(layer, "attention")
        if anatomy.post_norm:
            found[middle].append((layer, "attention"))
            found[points.sub_layer(layer, "mlp")].append((layer, "mlp"))
        else:
            found[before].append((layer, "attention"))
            found[before if anatomy.parallel else middle].append((layer, "mlp"))
    return found
