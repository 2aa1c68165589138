"""Attention on random tensors with mitigations of attention, without a model around it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tiny import tiny
from torch import Tensor

from oversmooth.measuring.intervention.run import Run
from oversmooth.mitigations import parse
from oversmooth.mitigations.sites import Sites

BATCH, HEADS, TOKENS, WIDTH, LAYERS = 2, 4, 7, 5, 3


@dataclass(frozen=True)
class Attended:
    """What one layer made of its logits and values."""

    matrix: Tensor
    """(batch, head, query, key)."""
    output: Tensor
    """(batch, head, token, head dim)."""


@dataclass(frozen=True)
class Inputs:
    """Of one layer."""

    logits: Tensor
    """(batch, head, query, key), without any mask."""
    values: Tensor
    """(batch, head, token, head dim)."""


def inputs(seed: int = 0, *, tokens: int = TOKENS, heads: int = HEADS) -> list[Inputs]:
    """Random logits, a few units apart, and random values."""
    generator = torch.Generator().manual_seed(seed)
    return [
        Inputs(
            3 * torch.randn(BATCH, heads, tokens, tokens, generator=generator),
            torch.randn(BATCH, heads, tokens, WIDTH, generator=generator),
        )
        for _ in range(LAYERS)
    ]


def full(tokens: int = TOKENS) -> Tensor:
    """Every token sees every token: (1, 1, query, key)."""
    return torch.ones(1, 1, tokens, tokens, dtype=torch.bool)


def causal(tokens: int = TOKENS) -> Tensor:
    """Every token sees itself and the earlier ones."""
    return full(tokens).tril()


def padded(side: str, *, padding: int = 3) -> Tensor:
    """The second sequence ends, or begins, with padding, which no token sees: (batch, 1, query, key)."""
    real = torch.ones(BATCH, TOKENS, dtype=torch.bool)
    real[1, slice(-padding, None) if side == "right" else slice(padding)] = False
    return real[:, None, None, :] & full()


MASKS = {
    "full": full(),
    "causal": causal(),
    "padded": padded("right"),
    "causal and padded": padded("right") & causal(),
    "causal and padded at the left": padded("left") & causal(),
}


def real(allowed: Tensor) -> Tensor:
    """Tokens that are no padding: (batch, head, token)."""
    return allowed.diagonal(dim1=-2, dim2=-1).expand(BATCH, HEADS, TOKENS)


def mean_of_allowed(values: Tensor, allowed: Tensor) -> Tensor:
    """Of the values that each token may see: (batch, head, token, head dim)."""
    weights = allowed.float()
    return (weights / weights.sum(dim=-1, keepdim=True)) @ values


def attend(
    specification: str, layers: Sequence[Inputs], allowed: Tensor, *, blocked: float = torch.finfo(torch.float32).min
) -> list[Attended]:
    """What a forward pass makes of the layers with these mitigations; none for an empty specification."""
    anatomy = dataclasses.replace(tiny("bert").anatomy, heads=layers[0].logits.shape[1])
    sites = Sites(anatomy)
    for method in parse(specification) if specification else ():
        sites.attach(method)
    run = Run(anatomy, sites.found, layers[0].logits.shape[-1], None, keep_outputs=False)
    mask = torch.zeros(allowed.shape).masked_fill(~allowed, blocked)
    found = []
    for number, layer in enumerate(layers):
        run.layer = number
        matrix, _, output = run.attend(layer.logits + mask, layer.values, allowed)
        found.append(Attended(matrix, output))
    return found
