"""Singular values and distances from Gram matrices, and how far these can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oversmooth.metrics.registry import UndefinedError

Float64 = NDArray[np.float64]

EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Precision:
    """What the dtype of the stored states allows."""

    rounding: float
    """Relative rounding u of one stored value."""
    accurate_ratio: float
    """σ/σ_max down to which singular values come from a float64 Gram matrix, with a relative error of ε(σ_max/σ)²."""


PRECISIONS = {
    # The Gram matrix errs by 1e-8 at most, far below the rounding of the states.
    np.dtype(np.float32): Precision(2.0**-24, 1e-4),
    # By 1e-10; and the computation rounds several times more than the states (2⁻⁵³) do.
    np.dtype(np.float64): Precision(2.0**-50, 1e-3),
}


def roots(squares: Float64, matrix: Float64, accurate_ratio: float, floor: float) -> Float64:
    """Singular values, descending, from eigenvalues of a Gram matrix, or by a true SVD where these are too coarse.

    Args:
        squares: eigenvalues, ascending.
        matrix: what the Gram matrix is of.
        accurate_ratio: of a singular value to the largest, down to which the eigenvalues serve.
        floor: resolution floor; values that do not rise above it are given as 0.

    Raises:
        UndefinedError: where the decomposition does not converge.
    """
    if squares.size == 0:
        return squares
    largest = squares[-1]
    coarse = np.abs(squares[squares < accurate_ratio**2 * largest])
    # An eigenvalue may be off by ε·largest, so even one of 0 may hide a singular value that counts.
    if coarse.size and coarse.max() + EPSILON * largest > floor**2:
        values = _converged(np.linalg.svdvals, matrix)[: squares.size]
    else:
        values = np.sqrt(np.maximum(squares[::-1], 0.0))
    values[values <= floor] = 0.0
    return values


def eigenvalues(gram: Float64) -> Float64:
    """Eigenvalues of a symmetric matrix, ascending.

    Raises:
        UndefinedError: where the decomposition does not converge.
    """
    return _converged(np.linalg.eigvalsh, gram)


def _converged(decompose: Callable[[Float64], NDArray[Any]], matrix: Float64) -> Float64:
    try:
        values: Float64 = decompose(matrix)
    except np.linalg.LinAlgError as error:
        raise UndefinedError("the singular value decomposition did not converge") from error
    return values


def half_squared_distances(gram: Float64, excess: Float64, inverse: Float64) -> Float64:
    """½(‖a_i − a_j‖² − (e_i − e_j)²) f_i f_j of all pairs (n × n), in [0, 2].

    Args:
        gram: of the a_i (n × n).
        excess: e (n).
        inverse: factors f (n).
    """
    half = 0.5 * (gram.diagonal() - excess * excess)
    ones = np.ones_like(half)
    # (h_i + h_j + e_i e_j) f_i f_j as one product of n × 3 matrices: few passes over n × n numbers.
    left = np.array((half, ones, excess)) * inverse
    right = np.array((ones, half, excess)) * inverse
    distances: Float64 = left.T @ right
    scaled = gram * inverse[:, None]
    scaled *= inverse
    distances -= scaled
    np.clip(distances, 0.0, 2.0, out=distances)
    np.fill_diagonal(distances, 0.0)
    return distances
