"""Arrays of the Python standard, NumPy's or torch's on any device: what metrics are computed with.

Singular values and distances come from Gram matrices; here stands how far these can be trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import array_api_compat
import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = Any
"""NumPy's or torch's, which have no common type; float64 where nothing else is said."""
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


_ARITHMETIC: Final = {
    # The Gram matrix errs by 1e-8 at most, far below the rounding of the states.
    "float32": Arithmetic(2.0**-24, 2.0**-18, 1e-4),
    # By 1e-10; and the computation rounds several times more than the states (2⁻⁵³) do.
    "float64": Arithmetic(2.0**-50, 2.0**-47, 1e-3),
}
NOTHING = 2.0**-50
"""Share of ‖X‖_F: a singular value that does not rise above it is what the decomposition rounds."""
STEADY = 1 / 8
"""Largest share of its size by which noise of half the floor, in all directions, may move a number that is resolved."""


ALIKE = 1e-5
"""‖RX‖_F over ‖X‖_F up to which the singular values of X but the first are those of what is perpendicular to the mean
token: they err by its square."""


_NAMESPACES: Final[dict[type, Any]] = {}


def arithmetic_of(dtype: object) -> Arithmetic:
    """What a type of numbers allows, NumPy's or torch's.

    Raises:
        ValueError: for another than float32 and float64.
    """
    try:
        return _ARITHMETIC[str(dtype).removeprefix("torch.")]
    except KeyError:
        raise ValueError(f"expected float32 or float64, got {dtype}") from None


def namespace(array: Array) -> Any:  # noqa: ANN401 - a module
    """The functions of the standard for an array of that kind."""
    kind = type(array)
    if kind not in _NAMESPACES:  # finding them takes as long as the arithmetic of a short text
        _NAMESPACES[kind] = array_api_compat.array_namespace(array)
    return _NAMESPACES[kind]


def on_host(array: Array) -> NDArray[Any]:
    """The same as NumPy's."""
    found: NDArray[Any] = array if isinstance(array, np.ndarray) else array.cpu().numpy()
    return found


def beside(array: Array, other: object) -> Array:
    """Other numbers as an array of the first one's kind, on its device."""
    xp = namespace(array)
    return xp.asarray(other, device=array_api_compat.device(array))


def same_kind(array: Array, other: Array) -> bool:
    """Whether both are of one library and on one device."""
    return type(array) is type(other) and bool(array_api_compat.device(array) == array_api_compat.device(other))


def roots(squares: Array, accurate_ratio: float, lengths: Array, accurately: Callable[[int, Array], Array]) -> Array:
    """Singular values, descending, from eigenvalues of Gram matrices, or from the matrices where these are too coarse.

    Args:
        squares: eigenvalues, ascending (s × k).
        accurate_ratio: of a singular value to the largest, down to which the eigenvalues serve.
        lengths: ‖X‖_F of the states (s); values that do not rise above what computing with them rounds are given as 0.
        accurately: given the number of a matrix and its first singular value, all of them.

    Returns:
        s × k; NaN where a decomposition does not converge.
    """
    if not all(squares.shape):
        return squares
    xp = namespace(squares)
    values = xp.sqrt(xp.clip(xp.flip(squares, axis=1), 0.0, None))
    coarse = on_host(squares[:, 0] < accurate_ratio**2 * squares[:, -1])
    for row in np.flatnonzero(coarse).tolist():
        # An eigenvalue may be off by ε·largest, so even one of 0 may hide a singular value that counts.
        values[row, :] = accurately(row, values[row, 0])[: squares.shape[1]]
    return xp.where(values <= NOTHING * lengths[:, None], 0.0, values)


def singular_values(matrix: Array) -> Array:
    """By a true SVD, descending (min(n, d)); NaN where it does not converge."""
    xp = namespace(matrix)
    try:
        return xp.linalg.svdvals(matrix)
    except Exception as error:
        if not _without_end(error):
            raise
        return xp.full_like(matrix[0, : min(matrix.shape)], np.nan) if matrix.shape[0] else matrix[:, 0]


def eigenvalues(matrices: Array) -> Array:
    """Eigenvalues of symmetric matrices (s × n × n), ascending (s × n); NaN where they do not converge."""
    xp = namespace(matrices)
    try:
        return xp.linalg.eigvalsh(matrices)
    except Exception as error:
        if not _without_end(error):
            raise
        if matrices.shape[0] == 1:
            return xp.full_like(matrices[:, 0], np.nan)
        return xp.concat([eigenvalues(matrices[row : row + 1]) for row in range(matrices.shape[0])])


def _without_end(error: Exception) -> bool:
    """Whether a library says that its decomposition does not converge."""
    return "LinAlgError" in type(error).__name__


def divisors(values: Array) -> Array:
    """The values, and 1 in place of 0: what is over 0 is not defined, and nobody reads what stands there."""
    return namespace(values).where(values == 0.0, 1.0, values)


def squared_lengths(vectors: Array) -> Array:
    """Squared Euclidean lengths along the last axis."""
    return namespace(vectors).vecdot(vectors, vectors)


def products(matrices: Array, vectors: Array) -> Array:
    """Of each matrix with its vector: (s × n × d) and (s × d) give s × n."""
    return (matrices @ vectors[:, :, None])[:, :, 0]


def middle(values: Array) -> Array:
    """Medians along the last axis (s), of the values' type; half-way between the two in the middle of an even number.

    Reorders the values, which then stand below the middle and above it.
    """
    half = values.shape[-1] // 2
    if isinstance(values, np.ndarray):
        values.partition(half, axis=-1)  # the standard has sorting alone, which takes several times as long
        ordered = values
    else:
        ordered = namespace(values).sort(values, axis=-1)
    xp = namespace(ordered)
    upper = xp.astype(ordered[:, half], xp.float64)
    if values.shape[-1] % 2:
        return upper
    return 0.5 * (upper + xp.astype(xp.max(ordered[:, :half], axis=-1), xp.float64))


def nearest(distances: Array, number: int) -> Array:
    """Positions of that many of the smallest along the last axis, in any order; of equal ones, any."""
    if isinstance(distances, np.ndarray):
        order = distances.argpartition(max(number - 1, 0), axis=-1)  # in the standard there is sorting alone
    else:
        order = namespace(distances).argsort(distances, axis=-1)
    return order[..., :number]


def half_squared_distances(grams: Array, excess: Array, inverse: Array) -> Array:
    """½(‖a_i − a_j‖² − (e_i − e_j)²) f_i f_j of all pairs (s × n × n), in [0, 2].

    Args:
        grams: of the a_i (s × n × n).
        excess: e (s × n).
        inverse: factors f (s × n).
    """
    xp = namespace(grams)
    half = 0.5 * (xp.linalg.diagonal(grams) - excess * excess)
    ones = xp.ones_like(half)
    # (h_i + h_j + e_i e_j) f_i f_j as one product of n × 3 matrices: few passes over n × n numbers.
    left = xp.stack((half, ones, excess), axis=2) * inverse[:, :, None]
    right = xp.stack((ones, half, excess), axis=2) * inverse[:, :, None]
    distances = left @ right.mT
    scaled = grams * inverse[:, :, None]
    scaled *= inverse[:, None, :]
    distances -= scaled
    distances = (
        np.clip(distances, 0.0, 2.0, out=distances)
        if isinstance(distances, np.ndarray)
        else xp.clip(distances, 0.0, 2.0)
    )
    xp.reshape(distances, (distances.shape[0], -1))[:, :: half.shape[1] + 1] = 0.0  # the diagonals
    return distances
