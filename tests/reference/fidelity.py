"""Numbers of one side of a comparison, in feature space and token after token."""

from __future__ import annotations

import math

import numpy as np
from reference.sample import Matrix


def cka(first: Matrix, second: Matrix) -> float:
    """By the d × d products, where the product's code has Gram matrices of the tokens."""
    x, y = first - first.mean(axis=0), second - second.mean(axis=0)
    cross = np.linalg.norm(y.T @ x) ** 2
    return float(cross / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)))


def pooled_cosine(first: Matrix, second: Matrix) -> float:
    a, b = first.mean(axis=0), second.mean(axis=0)
    return float(a @ b / math.sqrt((a @ a) * (b @ b)))


def lsds(tokens: Matrix, baseline: Matrix, neighbours: int = 12) -> float:
    """The tokens' reconstruction from the baseline's nearest ones, over the baseline's own."""
    count = len(baseline)
    near = []
    for i in range(count):
        others = [j for j in range(count) if j != i]
        others.sort(key=lambda j: float(np.sum((baseline[i] - baseline[j]) ** 2)))
        near.append(others[:neighbours])
    squared = [[float(np.sum((baseline[i] - baseline[j]) ** 2)) for j in near[i]] for i in range(count)]
    width = float(np.mean(squared))

    def error(states: Matrix) -> float:
        total = 0.0
        for i in range(count):
            weights = [math.exp(-each / width) for each in squared[i]]
            guess = sum(weight * states[j] for weight, j in zip(weights, near[i], strict=True)) / sum(weights)
            total += float(np.sum((states[i] - guess) ** 2))
        return total / float(np.sum((states - states.mean(axis=0)) ** 2))

    return error(tokens) / error(baseline)


def identity_retrieval(texts: list[Matrix], identities: list[list[int]]) -> list[float]:
    """Share for each text; NaN where none of its word pieces occurs in another text."""
    mean = np.concatenate(texts).mean(axis=0)
    places = [(text, row) for text, ids in enumerate(identities) for row in range(len(ids))]
    shares = []
    for text, ids in enumerate(identities):
        hits = []
        for row, identity in enumerate(ids):
            searched = [place for place in places if (place[0] != text if len(texts) > 1 else place != (text, row))]
            if not any(identities[other][place] == identity for other, place in searched):
                continue
            query = texts[text][row] - mean

            def cosine(place: tuple[int, int], query: Matrix = query) -> float:
                state = texts[place[0]][place[1]] - mean
                return float(query @ state / math.sqrt((query @ query) * (state @ state)))

            best = max(searched, key=cosine)
            hits.append(identities[best[0]][best[1]] == identity)
        shares.append(sum(hits) / len(hits) if hits else math.nan)
    return shares
