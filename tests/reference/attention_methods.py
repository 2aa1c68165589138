"""Mitigations of attention, one weight after the other: what each head gives to its tokens, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """One head of one sequence in one layer."""

    logits: Matrix
    """(query, key), without any mask."""
    allowed: NDArray[np.bool_]
    """(query, key)."""
    values: Matrix
    """(token, head dim)."""

    def keys(self, query: int) -> list[int]:
        return [key for key in range(len(self.values)) if self.allowed[query, key]]


Method = Callable[[Sequence[Head], int, int], list[Matrix]]
"""From one head in consecutive layers, its number and the number of heads, to what it gives in each layer."""


def attend(head: Head, keys: Callable[[int], list[int]] | None = None, factor: float = 1.0) -> Matrix:
    """Attention over the given keys of each query (all allowed ones without)."""
    weights = np.zeros(head.logits.shape)
    for query in range(len(weights)):
        chosen = (keys or head.keys)(query)
        top = max((factor * head.logits[query, key] for key in chosen), default=0.0)
        powers = {key: math.exp(factor * head.logits[query, key] - top) for key in chosen}
        for key, power in powers.items():
            weights[query, key] = power / math.fsum(powers.values())
    return weights


def mix(weights: Matrix, values: Matrix) -> Matrix:
    tokens, width = values.shape
    return np.array(
        [
            [math.fsum(weights[query, key] * values[key, column] for key in range(tokens)) for column in range(width)]
            for query in range(tokens)
        ]
    )


def mean(head: Head, keys: Callable[[int], list[int]]) -> Matrix:
    """Of the values of the given keys of each query; 0 where there are none."""
    return np.array(
        [
            np.mean([head.values[key] for key in keys(query)], axis=0) if keys(query) else 0 * head.values[query]
            for query in range(len(head.values))
        ]
    )


def each(change: Callable[[Head], Matrix]) -> Method:
    """The same in every layer and head."""
    return lambda heads, number, total: [change(head) for head in heads]


def plain() -> Method:
    return each(lambda head: mix(attend(head), head.values))


def neutreno(strength: float) -> Method:
    def outputs(heads: Sequence[Head], number: int, total: int) -> list[Matrix]:
        first, *later = heads
        return [mix(attend(first), first.values)] + [
            mix(attend(head), head.values) + strength * first.values - strength * head.values for head in later
        ]

    return outputs


def value_residual(strength: float) -> Method:
    def outputs(heads: Sequence[Head], number: int, total: int) -> list[Matrix]:
        first, *later = heads
        return [mix(attend(first), first.values)] + [
            (1 - strength) * mix(attend(head), head.values) + strength * mix(attend(head), first.values)
            for head in later
        ]

    return outputs


def attnscale(omega: float) -> Method:
    return each(lambda head: (1 + omega) * mix(attend(head), head.values) - omega * mean(head, head.keys))


def centred_attention(kappa: float) -> Method:
    return each(lambda head: mix(attend(head), head.values) - kappa * mean(head, head.keys))


def gfsa(weight: float, order: int) -> Method:
    def output(head: Head) -> Matrix:
        once = mix(attend(head), head.values)
        twice = mix(attend(head), once)
        return once + weight * ((2 - order) * once + (order - 1) * twice)

    return each(output)


def laplacian_heads(heads_changed: int) -> Method:
    def outputs(heads: Sequence[Head], number: int, total: int) -> list[Matrix]:
        mixed = [mix(attend(head), head.values) for head in heads]
        if number >= heads_changed:
            return mixed
        return [head.values - output for head, output in zip(heads, mixed, strict=True)]

    return outputs


def attention_temperature(beta: float) -> Method:
    return each(lambda head: mix(attend(head, factor=beta), head.values))


def no_diagonal() -> Method:
    def output(head: Head) -> Matrix:
        def others(query: int) -> list[int]:
            return [key for key in head.keys(query) if key != query] or head.keys(query)

        return mix(attend(head, others), head.values)

    return each(output)


def near(head: Head, width: int) -> Callable[[int], list[int]]:
    return lambda query: [key for key in head.keys(query) if query - width < key < query + width]


def attention_window(width: int) -> Method:
    return each(lambda head: mix(attend(head, near(head, width)), head.values))


def local_convolution(width: int, layers: Sequence[int]) -> Method:
    def outputs(heads: Sequence[Head], number: int, total: int) -> list[Matrix]:
        return [
            mean(head, near(head, width)) if layer in layers else mix(attend(head), head.values)
            for layer, head in enumerate(heads)
        ]

    return outputs


def shared_attention(first: int, last: int) -> Method:
    def outputs(heads: Sequence[Head], number: int, total: int) -> list[Matrix]:
        return [
            mix(attend(heads[first] if first < layer <= last else head), head.values)
            for layer, head in enumerate(heads)
        ]

    return outputs


METHODS: dict[str, Method] = {
    "neutreno:strength=0.4": neutreno(0.4),
    "value_residual:strength=0.3": value_residual(0.3),
    "value_residual:strength=1": value_residual(1.0),
    "attnscale:omega=-0.7": attnscale(-0.7),
    "attnscale:omega=1.5": attnscale(1.5),
    "centred_attention:kappa=0.6": centred_attention(0.6),
    "gfsa:weight=-0.4,order=4": gfsa(-0.4, 4),
    "gfsa:weight=0.5,order=2": gfsa(0.5, 2),
    "laplacian_heads:fraction=0.5": laplacian_heads(2),
    "laplacian_heads:fraction=1": laplacian_heads(4),
    "attention_temperature:beta=2.5": attention_temperature(2.5),
    "attention_temperature:beta=0": attention_temperature(0.0),
    "no_diagonal": no_diagonal(),
    "attention_window:width=2": attention_window(2),
    "attention_window:width=4": attention_window(4),
    "local_convolution:width=2": local_convolution(2, (0, 2)),
    "local_convolution:width=3,layers=1-2": local_convolution(3, (1, 2)),
    "shared_attention:first=0,last=1": shared_attention(0, 1),
    "shared_attention:first=0,last=2": shared_attention(0, 2),
}
"""For models of three layers and four heads."""


def outputs(method: Method, layers: Sequence[tuple[Matrix, NDArray[np.bool_], Matrix]]) -> Matrix:
    """What a method gives: (layer, batch, head, token, head dim).

    Args:
        method: of :data:`METHODS`.
        layers: logits (batch, head, query, key), what is allowed (the same), and values (batch, head, token, head dim).
    """
    batch, total = layers[0][0].shape[:2]
    rows = []
    for sequence in range(batch):
        columns = []
        for number in range(total):
            heads = [Head(*(part[sequence, number] for part in layer)) for layer in layers]
            columns.append(np.array(method(heads, number, total)))
        rows.append(np.array(columns))
    return np.moveaxis(np.array(rows), 2, 0)
