"""Blocks of BERT, ALBERT and GPT-2 in float64 NumPy, from their weights alone, with parts that can be changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import erf

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

ROOT_TWO = float(np.sqrt(2))
_erf = np.vectorize(erf)


def gelu(states: Matrix) -> Matrix:
    """x Φ(x)."""
    result: Matrix = states * (1 + _erf(states / ROOT_TWO)) / 2
    return result


def gelu_tanh(states: Matrix) -> Matrix:
    """GPT-2's approximation of it."""
    result: Matrix = states * (1 + np.tanh(np.sqrt(2 / np.pi) * (states + 0.044715 * states**3))) / 2
    return result


def softmax(logits: Matrix) -> Matrix:
    """Of each row."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: Matrix = powers / powers.sum(axis=-1, keepdims=True)
    return result


@dataclass
class Linear:
    """x W + b."""

    weight: Matrix
    bias: Matrix

    def __call__(self, states: Matrix) -> Matrix:
        return states @ self.weight + self.bias


@dataclass
class Norm:
    """Layer norm."""

    gain: Matrix
    bias: Matrix
    epsilon: float

    def __call__(self, states: Matrix) -> Matrix:
        centred = states - states.mean(axis=-1, keepdims=True)
        result: Matrix = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self.epsilon)
        return result * self.gain + self.bias


@dataclass
class Layer:
    """The weights of one block."""

    query: Linear
    key: Linear
    value: Linear
    output: Linear
    up: Linear
    down: Linear
    attention_norm: Norm
    mlp_norm: Norm

    def by_head(self, states: Matrix, heads: int) -> Matrix:
        """(head, token, head dim)."""
        return states.reshape(len(states), heads, -1).swapaxes(0, 1)


Sum = Callable[[Matrix, Matrix], Matrix]
"""From the stream and a branch to the stream after it."""
Mix = Callable[[int, Matrix, Matrix], Matrix]
"""From the number of a layer, A (head, query, key) and V (head, token, head dim) to the mixed values."""
OnNorm = Callable[[int, Matrix, Matrix], Matrix]
"""From the number of a layer, what a norm read and what it gave to what is used instead."""
OnBranch = Callable[[Matrix, Matrix, Matrix], Matrix]
"""From the attention branch, A and what attention read to the branch that is used instead."""


def add(stream: Matrix, branch: Matrix) -> Matrix:
    """The ordinary residual connection."""
    return stream + branch


def mix(_: int, attention: Matrix, values: Matrix) -> Matrix:
    """The ordinary A V."""
    return attention @ values


@dataclass
class Stack:
    """Blocks of a transformer."""

    layers: Sequence[Layer]
    heads: int
    activation: Callable[[Matrix], Matrix]
    post_norm: bool
    causal: bool
    after_attention: Sum = add
    after_mlp: Sum = add
    mix: Mix = mix
    on_norm: OnNorm = lambda _, __, normed: normed
    on_branch: OnBranch = lambda branch, _, __: branch
    streams: list[Matrix] = field(default_factory=list)
    """What each block read in the last run, and the last one's output."""

    def run(self, states: Matrix) -> Matrix:
        """The output of the last block for (token, dim)."""
        self.streams = [states]
        for number, layer in enumerate(self.layers):
            states = self._block(number, layer, states)
            self.streams.append(states)
        return states

    def _block(self, number: int, layer: Layer, states: Matrix) -> Matrix:
        def attention_norm(read: Matrix) -> Matrix:
            return self.on_norm(number, read, layer.attention_norm(read))

        def mlp_norm(read: Matrix) -> Matrix:
            return self.on_norm(number, read, layer.mlp_norm(read))

        def mlp(read: Matrix) -> Matrix:
            return layer.down(self.activation(layer.up(read)))

        if self.post_norm:
            states = attention_norm(self.after_attention(states, self._attention(number, layer, states)))
            return mlp_norm(self.after_mlp(states, mlp(states)))
        states = self.after_attention(states, self._attention(number, layer, attention_norm(states)))
        return self.after_mlp(states, mlp(mlp_norm(states)))

    def _attention(self, number: int, layer: Layer, reads: Matrix) -> Matrix:
        query, key, value = (layer.by_head(part(reads), self.heads) for part in (layer.query, layer.key, layer.value))
        logits = query @ key.swapaxes(1, 2) / np.sqrt(query.shape[-1])
        if self.causal:
            logits = np.where(np.tri(len(reads), dtype=bool), logits, -np.inf)
        attention = softmax(logits)
        mixed = self.mix(number, attention, value).swapaxes(0, 1).reshape(len(reads), -1)
        return self.on_branch(layer.output(mixed), attention, reads)
