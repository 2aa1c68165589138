"""Row-stochastic matrices, random and awkward."""

from __future__ import annotations

import numpy as np
from reference.sample import Matrix


def softmax(logits: Matrix) -> Matrix:
    weights: Matrix = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights


def random_attention(heads: int, tokens: int, *, sharpness: float = 2.0, causal: bool = False, seed: int = 0) -> Matrix:
    logits = sharpness * np.random.default_rng(seed).standard_normal((heads, tokens, tokens))
    return softmax(np.where(np.tri(tokens, dtype=bool), logits, -np.inf) if causal else logits)


def awkward(tokens: int) -> dict[str, Matrix]:
    """Matrices at which an iteration may stumble: repeated, clustered and vanishing singular values."""
    rng = np.random.default_rng(3)
    identity = np.eye(tokens)
    shift = np.eye(tokens, k=-1)
    shift[0, 0] = 1.0
    sink = np.zeros((tokens, tokens))
    sink[:, 2] = 1.0
    halves = np.kron(np.eye(2), np.ones(((tokens + 1) // 2,) * 2))[:tokens, :tokens]
    two_sinks = np.zeros((tokens, tokens))
    two_sinks[::2, 0] = two_sinks[1::2, 1] = 1.0
    uniform = np.full((tokens, tokens), 1.0 / tokens)
    spread = rng.standard_normal((tokens, tokens)) * 1e-4 / tokens
    return {
        "identity": identity,
        "permutation": identity[rng.permutation(tokens)],
        "uniform": uniform,
        "nearly uniform": uniform + spread - spread.mean(axis=1, keepdims=True),
        "one sink": sink,
        "two sinks": two_sinks,
        "token before": shift,
        "two groups": halves / halves.sum(axis=1, keepdims=True),
        "nearly the identity": 0.999 * identity + 0.001 * random_attention(1, tokens)[0],
        "causal and uniform": np.tri(tokens) / np.arange(1, tokens + 1)[:, None],
        "sharp": random_attention(1, tokens, sharpness=8.0)[0],
        "flat": random_attention(1, tokens, sharpness=0.05)[0],
        "walk": (np.roll(identity, 1, axis=1) + np.roll(identity, -1, axis=1)) / 2,
    }
