"""Several sequences of equal length at one point: what is the same work for each is done for all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from oversmooth.metrics.numerics import (
    ALIKE,
    PRECISIONS,
    STEADY,
    Float64,
    divisors,
    eigenvalues,
    half_squared_distances,
    roots,
    singular_values,
    squared_lengths,
)

WIDE_SPREAD = 1e5
"""Ratio of squared lengths beyond which the cosines of the short tokens no longer come from the shared Gram matrix."""

Value = TypeVar("Value")


class Stack:
    """Hidden states of s sequences, each of n tokens × d dimensions, in float64; computed when first asked for.

    One Gram product of the *centred* tokens serves cosine, rank, spectrum and entropy: the raw Gram matrix follows
    by a rank-one update without cancellation, which the other direction would not give in the over-smoothed regime.

    No sequence has a part in the numbers of another. Where a quantity is not defined for a sequence its entries mean
    nothing, and :class:`~oversmooth.metrics.states.TokenStates`, which looks at one sequence, refuses to read them.

    Args:
        stored: finite, float32 or float64 (s × n × d).
        classifications: the [CLS] tokens' states (s × d); whatever there is for sequences without one.
        roundings: resolution floors over ‖X‖_F (s); without them, the relative rounding of the stored values.
    """

    def __init__(self, stored: NDArray[Any], classifications: NDArray[Any], roundings: Float64 | None = None) -> None:
        self.stored = stored
        self.arithmetic = PRECISIONS[stored.dtype]
        self.roundings = np.full(len(stored), self.arithmetic.rounding) if roundings is None else roundings
        self.values: Float64 = stored.astype(np.float64)
        self.classifications: Float64 = classifications.astype(np.float64)
        self.count: int = stored.shape[1]
        self.dimension: int = stored.shape[2]
        self._known: dict[Callable[[Stack], Sequence[Any]], Sequence[Any]] = {}
        self._of_spectrum: dict[Callable[[Spectrum], Sequence[float]], Sequence[float]] = {}
        self._disturbed: dict[Callable[[Spectrum], Sequence[float]], Sequence[bool]] = {}

    def once(self, compute: Callable[[Stack], Sequence[Value]]) -> Sequence[Value]:
        """One value for each sequence, computed when it is asked for first."""
        if compute not in self._known:
            self._known[compute] = compute(self)
        return self._known[compute]

    # -- mean and norms -------------------------------------------------------------------------------------------

    @cached_property
    def _centring(self) -> tuple[Float64, Float64]:
        # By way of the first token: alike tokens have exact differences, and equal ones a residual of exactly 0.
        first = self.values[:, :1]
        centred = self.values - first
        offset = centred.sum(axis=1, keepdims=True)
        offset /= self.count
        centred -= offset
        return (first + offset)[:, 0], centred

    @property
    def means(self) -> Float64:
        """Mean tokens (s × d)."""
        return self._centring[0]

    @property
    def centred(self) -> Float64:
        """RX = X − 1 meanᵀ (s × n × d)."""
        return self._centring[1]

    @cached_property
    def norms(self) -> Float64:
        """Euclidean norms of the tokens (s × n)."""
        norms: Float64 = np.sqrt(squared_lengths(self.values))
        return norms

    @cached_property
    def lengths(self) -> Float64:
        """The norms as divisors."""
        return divisors(self.norms)

    @cached_property
    def zeros(self) -> list[int]:
        """How many tokens are the zero vector (s)."""
        zeros: list[int] = (self.norms == 0.0).sum(axis=1).tolist()
        return zeros

    @cached_property
    def energies(self) -> Float64:
        """‖X‖_F² (s)."""
        return squared_lengths(self.norms)

    @cached_property
    def floors(self) -> Float64:
        """Resolution floors (s): what lies below may be noise; see :attr:`TokenStates.floor`."""
        floors: Float64 = self.roundings * np.sqrt(self.energies)
        return floors

    @cached_property
    def residual_energies(self) -> Float64:
        """Squared distances of the tokens to their mean (s × n)."""
        return squared_lengths(self.centred)

    @cached_property
    def residual_sums(self) -> Float64:
        """‖RX‖_F², exactly 0 for equal tokens (s)."""
        sums: Float64 = self.residual_energies.sum(axis=1)
        return sums

    # -- pairs of tokens ------------------------------------------------------------------------------------------

    @cached_property
    def centred_grams(self) -> Float64:
        """RX(RX)ᵀ (s × n × n)."""
        return self.centred @ self.centred.transpose(0, 2, 1)

    @cached_property
    def _along_means(self) -> Float64:
        """RX·mean (s × n)."""
        products: Float64 = np.matvec(self.centred, self.means)
        return products

    @cached_property
    def mean_energies(self) -> Float64:
        """‖mean‖² (s)."""
        return squared_lengths(self.means)

    @cached_property
    def grams(self) -> Float64:
        """XXᵀ (s × n × n), from the centred ones by a rank-one update."""
        offsets = self._along_means + 0.5 * self.mean_energies[:, None]
        grams = self.centred_grams + offsets[:, :, None]
        grams += offsets[:, None, :]
        return grams

    @cached_property
    def spreads(self) -> Float64:
        """Largest squared distance to the mean over the smallest squared norm (s); the gaps err by ε of it."""
        spreads: Float64 = self.residual_energies.max(axis=1) / self.lengths.min(axis=1) ** 2
        return spreads

    @cached_property
    def cosine_gaps(self) -> Float64:
        """1 − cosine of every pair of tokens (s × n × n), in [0, 2], without the cancellation of that subtraction.

        1 − cos(x_i, x_j) = (‖x_i − x_j‖² − (‖x_i‖ − ‖x_j‖)²) / (2‖x_i‖‖x_j‖), from residuals alone.
        """
        # ‖x_i‖ − ‖mean‖
        excess = self.residual_energies + 2.0 * self._along_means
        excess /= self.lengths + np.sqrt(self.mean_energies)[:, None]
        gaps = half_squared_distances(self.centred_grams, excess, 1.0 / self.lengths)
        wide = np.flatnonzero(self.spreads > WIDE_SPREAD)
        if wide.size:
            units = self.values[wide] / self.lengths[wide, :, None]
            units -= units[:, :1]
            none = np.zeros(units.shape[:2])
            gaps[wide] = half_squared_distances(units @ units.transpose(0, 2, 1), none, none + 1.0)
        return gaps

    # -- spectra --------------------------------------------------------------------------------------------------

    @cached_property
    def singular_values(self) -> Float64:
        """σ_1 ≥ … ≥ σ_min(n, d) of X (s × min(n, d)); NaN where nothing converges."""
        if self.count <= self.dimension:
            squares = eigenvalues(self.grams)
        else:
            outer = self.means[:, :, None] * self.means[:, None, :]
            squares = eigenvalues(self._centred_scatters + self.count * outer)
        return roots(squares, self.arithmetic.accurate_ratio, np.sqrt(self.energies), self._beside_mean)

    def _beside_mean(self, row: int, largest: float) -> Float64:
        """The singular values of one sequence, without an SVD where its tokens are nearly alike."""
        if self.residual_sums[row] > ALIKE**2 * self.energies[row]:
            return singular_values(self.values[row])
        mean, apart = self.means[row], self.centred[row]
        apart = apart - np.outer(apart @ mean / (mean @ mean), mean)
        # Both have one structural zero: the rows have no sum, the columns nothing along the mean.
        squares = eigenvalues((apart @ apart.T if self.count <= self.dimension else apart.T @ apart)[None])[:, 1:]
        length = np.sqrt(self.residual_sums[[row]])
        others = roots(squares, self.arithmetic.accurate_ratio, length, lambda *_: singular_values(apart))
        return np.append(largest, others[0])

    @cached_property
    def undecomposed(self) -> list[bool]:
        """Whether the decomposition of X did not converge (s)."""
        lost: list[bool] = np.isnan(self.singular_values[:, 0]).tolist()
        return lost

    @cached_property
    def centred_singular_values(self) -> Float64:
        """Those of RX, the structural zero of centring left out (s × min(n − 1, d))."""
        if self.count <= self.dimension:
            squares = eigenvalues(self.centred_grams)[:, 1:]
        else:
            squares = eigenvalues(self._centred_scatters)
        return roots(
            squares,
            self.arithmetic.accurate_ratio,
            np.sqrt(self.energies),
            lambda row, _: singular_values(self.centred[row]),
        )

    @property
    def _centred_scatters(self) -> Float64:
        return self.centred.transpose(0, 2, 1) @ self.centred

    @cached_property
    def spectrum(self) -> Spectrum:
        """The singular values, and what is made of them."""
        return Spectrum(self.singular_values)

    def of_spectrum(self, compute: Callable[[Spectrum], Sequence[float]]) -> Sequence[float]:
        """What is made of the singular values, computed when it is asked for first (s)."""
        if compute not in self._of_spectrum:
            self._of_spectrum[compute] = compute(self.spectrum)
        return self._of_spectrum[compute]

    def steady(self, compute: Callable[[Spectrum], Sequence[float]], least: float = 0.0) -> Sequence[bool]:
        """Whether what is made of the singular values would stay nearly the same with the noise of the floor (s).

        ``least`` is the size below which the number itself is no measure of what is nearly the same.
        """
        if compute not in self._disturbed:
            self._disturbed[compute] = self._steady(compute, least)
        return self._disturbed[compute]

    def _steady(self, compute: Callable[[Spectrum], Sequence[float]], least: float) -> Sequence[bool]:
        if self._far_above:
            return [True] * len(self.stored)
        found, moved = np.asarray(self.of_spectrum(compute)), np.asarray(compute(self._noisy))
        steady: list[bool] = (np.abs(moved - found) <= STEADY * np.maximum(np.abs(found), least)).tolist()
        return steady

    @property
    def noises(self) -> Float64:
        """Half the floor, spread over all directions (s)."""
        noises: Float64 = self.floors / (2.0 * np.sqrt(min(self.count, self.dimension)))
        return noises

    @cached_property
    def _far_above(self) -> bool:
        """Whether no singular value would move by a percent: so it is but after a collapse."""
        return bool((self.singular_values[:, -1] > 8.0 * self.noises).all())

    @cached_property
    def _noisy(self) -> Spectrum:
        return Spectrum(np.sqrt(self.singular_values**2 + self.noises[:, None] ** 2))


class Spectrum:
    """Singular values of s sequences, descending, and what is made of them.

    Args:
        values: s × min(n, d).
    """

    def __init__(self, values: Float64) -> None:
        self.values = values

    @cached_property
    def shares(self) -> Float64:
        """σ_i / Σσ, descending (s × min(n, d))."""
        shares: Float64 = self.values / divisors(self.values.sum(axis=1, keepdims=True))
        return shares

    @cached_property
    def energy_shares(self) -> Float64:
        """σ_i² / Σσ², descending (s × min(n, d))."""
        squares = self.values * self.values
        shares: Float64 = squares / divisors(squares.sum(axis=1, keepdims=True))
        return shares

    @cached_property
    def relative(self) -> Float64:
        """σ_i / σ_1, descending from 1 (s × min(n, d))."""
        relative: Float64 = self.values / divisors(self.values[:, :1])
        return relative
