"""Several sequences of equal length at one point: what is the same work for each is done for all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from oversmooth.metrics.numerics import (
    PRECISIONS,
    Float64,
    divisors,
    eigenvalues,
    half_squared_distances,
    roots,
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
    """

    def __init__(self, stored: NDArray[Any], classifications: NDArray[Any]) -> None:
        self.stored = stored
        self.precision = PRECISIONS[stored.dtype]
        self.values: Float64 = stored.astype(np.float64)
        self.classifications: Float64 = classifications.astype(np.float64)
        self.count: int = stored.shape[1]
        self.dimension: int = stored.shape[2]
        self._known: dict[Callable[[Stack], Sequence[Any]], Sequence[Any]] = {}

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
        """Resolution floors u·‖X‖_F: what rounding the stored states may change in any singular value (Weyl) (s)."""
        floors: Float64 = self.precision.rounding * np.sqrt(self.energies)
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
        """σ_1 ≥ … ≥ σ_min(n, d) of X (s × min(n, d)); 0 where not above the floor, NaN where nothing converges."""
        if self.count <= self.dimension:
            squares = eigenvalues(self.grams)
        else:
            outer = self.means[:, :, None] * self.means[:, None, :]
            squares = eigenvalues(self._centred_scatters + self.count * outer)
        return roots(squares, self.values, self.precision.accurate_ratio, self.floors)

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
        return roots(squares, self.centred, self.precision.accurate_ratio, self.floors)

    @property
    def _centred_scatters(self) -> Float64:
        return self.centred.transpose(0, 2, 1) @ self.centred

    @cached_property
    def shares(self) -> Float64:
        """σ_i / Σσ, descending (s × min(n, d))."""
        shares: Float64 = self.singular_values / divisors(self.singular_values.sum(axis=1, keepdims=True))
        return shares

    @cached_property
    def energy_shares(self) -> Float64:
        """σ_i² / Σσ², descending (s × min(n, d))."""
        squares = self.singular_values * self.singular_values
        shares: Float64 = squares / divisors(squares.sum(axis=1, keepdims=True))
        return shares

    @cached_property
    def relative(self) -> Float64:
        """σ_i / σ_1, descending from 1 (s × min(n, d))."""
        relative: Float64 = self.singular_values / divisors(self.singular_values[:, :1])
        return relative
