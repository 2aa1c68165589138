"""Hierarchical fusion: one further state from the outputs of several blocks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from oversmooth.core.wording import count
from oversmooth.metrics.similarity import SHI
from oversmooth.mitigations.parameters import choice, integer, numbers
from oversmooth.mitigations.registry import Mitigation, mitigation
from oversmooth.mitigations.sites import Sites, Tensor

ORDER = 20


@mitigation(
    name="fusion",
    title="Hierarchical fusion",
    formula=r"\tfrac{1}{K}\sum_k X_k,\quad \max_k X_k,\quad \sum_k \alpha_k X_k,\quad "
    r"\sum_k \mathrm{softmax}(g)_k X_k,\quad X_e",
    paper=SHI,
    meant="training",
    causal_safe=True,
    position="read from the outputs of all blocks, as one further point",
    paper_position="read from the outputs of all blocks, before the task's head",
    does="Combines the outputs of several blocks into one state per token, and leaves the model itself unchanged.",
    caveat="Its paper learns the weights and the gate; here they are the same for every token, and given or equal.",
)
class Fusion(Mitigation):
    """Shi et al. 2022, read from frozen blocks; ``layers`` are the blocks that are fused."""

    mode: str = choice(
        "mean",
        "Mean, largest entry (max), given weights (concat), softmax of given weights (gate), or one block (exit).",
        ("mean", "max", "concat", "gate", "exit"),
    )
    weights: tuple[float, ...] = numbers(
        (), "One for each fused block: used as given by concat, as logits by gate, where none means equal weights."
    )
    exit: int = integer(0, "Block that the mode exit reads, counted from 0.", low=0, high=1000)
    last: int = integer(0, "Fuse only the last so many blocks; 0 fuses all.", low=0, high=1000)

    def attach(self, sites: Sites) -> None:
        """Read the outputs of the blocks."""
        layers = sites.layers()
        if not layers:
            return
        sites.require(self.last <= len(layers), f"it cannot fuse the last {self.last} of {count(len(layers), 'block')}")
        layers = layers[-self.last :]
        if self.mode == "exit":
            sites.require_block(self.exit)
            layers = (self.exit,)
        if self.mode == "concat" or (self.mode == "gate" and self.weights):
            sites.require(
                len(self.weights) == len(layers),
                f"the mode {self.mode} takes one weight for each of {count(len(layers), 'block')}, and "
                f"{count(len(self.weights), 'weight was', 'weights were')} given",
            )
        sites.fuse(ReadBlocks(layers, self._weights(len(layers))))

    def _weights(self, blocks: int) -> tuple[float, ...] | None:
        """Of each block that is fused, in order; None for the largest entry."""
        match self.mode:
            case "max":
                return None
            case "concat":
                return self.weights
            case "gate" if self.weights:
                largest = max(self.weights)
                shares = [math.exp(weight - largest) for weight in self.weights]
                return tuple(share / math.fsum(shares) for share in shares)
        return (1 / blocks,) * blocks


@dataclass(frozen=True)
class ReadBlocks:
    """What is made of the outputs of the blocks."""

    layers: tuple[int, ...]
    weights: tuple[float, ...] | None
    """One for each of the layers; None for the largest entry."""

    def fuse(self, states: Sequence[Tensor]) -> Tensor:
        """One state per token (batch, token, dim)."""
        chosen = [states[layer] for layer in self.layers]
        if self.weights is None:
            return reduce(lambda largest, each: largest.maximum(each), chosen)
        weighted = [weight * each for weight, each in zip(self.weights, chosen, strict=True)]
        return reduce(lambda total, each: total + each, weighted)
