"""Methods on hidden states, a second time: with projectors, pair by pair and token by token."""

from __future__ import annotations

import itertools
import math

import numpy as np
from reference.sample import Matrix


def averaging(count: int, *, causal: bool) -> Matrix:
    """Π: row i averages all tokens, or those up to i."""
    allowed = np.tril(np.ones((count, count))) if causal else np.ones((count, count))
    matrix: Matrix = allowed / allowed.sum(axis=1, keepdims=True)
    return matrix


def featscale(tokens: Matrix, dc: float, hc: float, *, causal: bool) -> Matrix:
    mean = averaging(len(tokens), causal=causal)
    scaled: Matrix = ((1 + dc) * mean + (1 + hc) * (np.eye(len(tokens)) - mean)) @ tokens
    return scaled


def softdecay(tokens: Matrix, alpha: float, blend: float, *, safe: bool = False) -> Matrix:
    # Of an n × d matrix with n ≤ d, U and σ are those of XXᵀ; X̃ = U diag(K f(σ) / σ) Uᵀ X.
    squares, left = np.linalg.eigh(tokens @ tokens.T)
    values = np.sqrt(squares)
    decayed = -(1 / alpha) * np.log(1 - alpha * (values + alpha))
    decayed *= values.max() / decayed.max()
    if safe:
        decayed = np.maximum(decayed, 0)
    changed: Matrix = (1 - blend) * tokens + blend * left @ np.diag(decayed / values) @ left.T @ tokens
    return changed


def contranorm(tokens: Matrix, scale: float, temperature: float, *, causal: bool) -> Matrix:
    rows = []
    for i, token in enumerate(tokens):
        seen = tokens[: i + 1] if causal else tokens
        cosines = [float(token @ other / np.linalg.norm(token) / np.linalg.norm(other)) for other in seen]
        weights = [math.exp(cosine / temperature) for cosine in cosines]
        nearby = sum(weight * other for weight, other in zip(weights, seen, strict=True)) / math.fsum(weights)
        rows.append((1 + scale) * token - scale * nearby)
    return np.array(rows)


def pairnorm(tokens: Matrix, scale: float) -> Matrix:
    # n ‖X − 1x̄ᵀ‖² is the sum of the squared distances of all pairs.
    pairs = itertools.combinations(tokens.tolist(), 2)
    energy = math.fsum(math.dist(first, second) ** 2 for first, second in pairs) / len(tokens)
    normed: Matrix = scale * math.sqrt(len(tokens) / energy) * (tokens - np.mean(tokens, axis=0))
    return normed


def dgn(tokens: Matrix, sample: Matrix, centres: Matrix, strength: float) -> Matrix:
    """One batch normalisation for each group, over the sample."""
    to_centre = np.linalg.norm(sample[:, None] - centres[None], axis=2).min(axis=1)
    spread = float(np.mean(to_centre**2))

    def shares(states: Matrix) -> Matrix:
        weights = np.exp(-(np.linalg.norm(states[:, None] - centres[None], axis=2) ** 2) / (2 * spread))
        found: Matrix = weights / weights.sum(axis=1, keepdims=True)
        return found

    changed = tokens.copy()
    for group in range(len(centres)):
        seen = shares(sample)[:, [group]] * sample
        own = shares(tokens)[:, [group]] * tokens
        changed += strength * (own - seen.mean(axis=0)) / np.sqrt(seen.var(axis=0) + 1e-5)
    return changed


def all_but_the_top(tokens: Matrix, sample: Matrix, components: int) -> Matrix:
    centre = sample.mean(axis=0)
    _, directions = np.linalg.eigh(np.cov(sample.T))
    kept = directions[:, : directions.shape[1] - components]
    projected: Matrix = (tokens - centre) @ kept @ kept.T
    return projected


def spread(tokens: Matrix, *, causal: bool) -> Matrix:
    """‖X − 1x̄ᵀ‖_F / √(nd), or for each token that of the tokens up to it: (token, 1)."""
    ends = range(1, len(tokens) + 1) if causal else [len(tokens)] * len(tokens)
    return np.array([[math.sqrt(float(tokens[:end].var(axis=0).mean()))] for end in ends])
