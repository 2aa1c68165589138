"""Singular values and distances from Gram matrices, and how far these can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Arithmetic:
    """What a type of numbers allows."""

    rounding: float
    """Relative rounding u of one stored value."""
    in_pass: float
    """Share of ‖X‖_F that must stand between numbers and the noise of a pass: four times its reach, 16 u."""
    accurate_ratio: float
    """σ/σ_max down to which singular values come from a float64 Gram matrix, with a relative error of ε(σ_max/σ)²."""


PRECISIONS = {
    # The Gram matrix errs by 1e-8 at most, far below the rounding of the states.
    np.dtype(np.float32): Arithmetic(2.0**-24, 2.0**-18, 1e-4),
    # By 1e-10; and the computation rounds several times more than the states (2⁻⁵³) do.
    np.dtype(np.float64): Arithmetic(2.0**-50, 2.0**-47, 1e-3),
}
NOTHING = 2.0**-50
"""Share of ‖X‖_F: a singular value that does not rise above it is what the decomposition rounds."""
STEADY = 1 / 8
"""Largest share of its size by which noise of half the floor, in all directions, may move a number that is resolved."""


ALIKE = 1e-5
"""‖RX‖_F over ‖X‖_F up to which the singular values of X but the first are those of what is perpendicular to the mean
token: they err by its square."""


def roots(
    squares: Float64, accurate_ratio: float, lengths: Float64, accurately: Callable[[int, float], Float64]
) -> Float64:
    """Singular values, descending, from eigenvalues of Gram matrices, or from the matrices where these are too coarse.

    Args:
        squares: eigenvalues, ascending (s × k).
        accurate_ratio: of a singular value to the largest, down to which the eigenvalues serve.
        lengths: ‖X‖_F of the states (s); values that do not rise above what computing with them rounds are given as 0.
        accurately: given the number of a matrix and its first singular value, all of them.

    Returns:
        s × k; NaN where a decomposition does not converge.
    """
    if squares.size == 0:
        return squares
    values: Float64 = np.sqrt(np.maximum(squares[:, ::-1], 0.0))
    for row in np.flatnonzero(squares[:, 0] < accurate_ratio**2 * squares[:, -1]).tolist():
        # An eigenvalue may be off by ε·largest, so even one of 0 may hide a singular value that counts.
        values[row] = accurately(row, values[row, 0])[: squares.shape[1]]
    values[values <= NOTHING * lengths[:, None]] = 0.0
    return values


def singular_values(matrix: Float64) -> Float64:
    """By a true SVD, descending (min(n, d)); NaN where it does not converge."""
    try:
        return np.linalg.svdvals(matrix).astype(np.float64, copy=False)
    except np.linalg.LinAlgError:
        return np.full(min(matrix.shape), np.nan)


def eigenvalues(matrices: Float64) -> Float64:
    """Eigenvalues of symmetric matrices (s × n × n), ascending (s × n); NaN where they do not converge."""
    try:
        return np.linalg.eigvalsh(matrices).astype(np.float64, copy=False)
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.full(matrices.shape[:2], np.nan)
        return np.concatenate([eigenvalues(each[None]) for each in matrices])


def floats(values: Float64) -> Sequence[float]:
    """Python's own numbers, one for each sequence."""
    made: list[float] = values.tolist()
    return made


def divisors(values: Float64) -> Float64:
    """The values, and 1 in place of 0: what is over 0 is not defined, and nobody reads what stands there."""
    return np.where(values == 0.0, 1.0, values)


def squared_lengths(vectors: Float64) -> Float64:
    """Squared Euclidean lengths along the last axis."""
    lengths: Float64 = np.vecdot(vectors, vectors)
    return lengths


def half_squared_distances(grams: Float64, excess: Float64, inverse: Float64) -> Float64:
    """½(‖a_i − a_j‖² − (e_i − e_j)²) f_i f_j of all pairs (s × n × n), in [0, 2].

    Args:
        grams: of the a_i (s × n × n).
        excess: e (s × n).
        inverse: factors f (s × n).
    """
    half = 0.5 * (grams.diagonal(axis1=1, axis2=2) - excess * excess)
    ones = np.ones_like(half)
    # (h_i + h_j + e_i e_j) f_i f_j as one product of n × 3 matrices: few passes over n × n numbers.
    left = np.array((half, ones, excess)) * inverse
    right = np.array((ones, half, excess)) * inverse
    distances: Float64 = left.transpose(1, 2, 0) @ right.transpose(1, 0, 2)
    scaled = grams * inverse[:, :, None]
    scaled *= inverse[:, None, :]
    distances -= scaled
    np.maximum(distances, 0.0, out=distances)
    np.minimum(distances, 2.0, out=distances)
    distances.reshape(len(half), -1)[:, :: half.shape[1] + 1] = 0.0  # the diagonals
    return distances
