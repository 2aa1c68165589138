"""Groups of tokens, for methods that are calibrated on them."""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

ROUNDS = 100
"""More than k-means takes to settle on a few thousand tokens; it only has to be good, not optimal."""


def centres(tokens: Matrix, groups: int) -> tuple[Matrix, float]:
    """Centres of groups by k-means (Lloyd's algorithm), the same in every run.

    Starts from the token nearest to the mean, then always the token farthest from all centres. Of tokens (token, dim),
    at least as many as groups, the centres (group, dim) and the mean squared distance of a token to its own.
    """
    found = _start(tokens, groups)
    own = np.full(len(tokens), -1)
    for _ in range(ROUNDS):
        nearest = squared_distances(tokens, found).argmin(axis=1)
        if np.array_equal(nearest, own):
            break
        own = nearest
        for group in np.unique(own):  # One that lost all its tokens keeps its centre.
            found[group] = tokens[own == group].mean(axis=0)
    return found, float(np.square(tokens - found[own]).sum(axis=1).mean())


def squared_distances(tokens: Matrix, to: Matrix) -> Matrix:
    """‖x − c‖² of every token to every centre: (token, group)."""
    lengths = np.square(tokens).sum(axis=1)[:, None] + np.square(to).sum(axis=1)
    distances: Matrix = (lengths - 2 * tokens @ to.T).clip(min=0)
    return distances


def _start(tokens: Matrix, groups: int) -> Matrix:
    first = squared_distances(tokens, tokens.mean(axis=0)[None]).argmin()
    chosen = [first]
    nearest = np.full(len(tokens), np.inf)
    while len(chosen) < groups:
        nearest = np.minimum(nearest, squared_distances(tokens, tokens[chosen[-1]][None])[:, 0])
        chosen.append(nearest.argmax())
    return tokens[chosen].copy()
