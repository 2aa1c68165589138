"""The tokens of several texts at one point, with everything that several metrics share computed once."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import cached_property

import array_api_compat
import numpy as np

from oversmooth.metrics.numerics import (
    ALIKE,
    STEADY,
    Array,
    arithmetic_of,
    beside,
    divisors,
    eigenvalues,
    half_squared_distances,
    middle,
    namespace,
    on_host,
    products,
    roots,
    singular_values,
    squared_lengths,
)

LITTLE = 1 / 32
"""Floor over ‖X‖_F from which on directions, and what singular values are made of them, may be noise."""
WIDE_SPREAD = 1e5
"""Ratio of squared lengths beyond which the cosines of the short tokens no longer come from the shared Gram matrix."""


class TokenStates:
    """Hidden states X of s texts, each of n tokens × d dimensions, in float64, where they are: NumPy's, or torch's.

    Everything is computed when it is first asked for. One Gram product of the *centred* tokens serves cosine, rank,
    spectrum and entropy: the raw Gram matrix follows by a rank-one update without cancellation, which the other
    direction would not give in the over-smoothed regime.

    No text has a part in the numbers of another. Where a quantity is not defined for a text its entries mean nothing:
    a metric names what it requires (:mod:`~oversmooth.metrics.requirements`), and nobody reads them.

    Accuracy, wherever numbers are resolved: cosines and their means to an absolute 1e-10; singular values to a
    relative 1e-8 (float32 states) or 1e-9 (float64 states), but never better than a few ε of the largest one; all that
    is made of the residual RX alone to a relative 1e-10, even where it is 1e-8 of the whole.

    Args:
        stored: s × n × d, or n × d of a single text; float32 or float64, finite, of float32's magnitudes. The dtype
            decides the resolution.
        classifications: the [CLS] tokens' states (s × d, or d), where the model has one.
        includes_classification: whether that token is also one of the rows; for all texts, or for each (s).
        roundings: the resolution floors over ‖X‖_F (s); without them, the relative rounding of the stored values.

    Raises:
        ValueError: for another shape, or another type of numbers.
    """

    def __init__(
        self,
        stored: Array,
        classifications: Array | None = None,
        *,
        includes_classification: Array = False,
        roundings: Array | None = None,
    ) -> None:
        given = stored if array_api_compat.is_array_api_obj(stored) else np.asarray(stored)
        self.arithmetic = arithmetic_of(given.dtype)
        if given.ndim not in (2, 3) or not all(given.shape):
            raise ValueError(f"expected matrices of tokens, got a shape of {tuple(given.shape)}")
        self.xp = xp = namespace(given)
        self.stored = given if given.ndim == 3 else given[None]
        self.texts, self.count, self.dimension = self.stored.shape
        self.classifications: Array | None = None
        if classifications is not None:
            anchors = xp.astype(beside(self.stored, classifications), xp.float64)
            self.classifications = xp.reshape(anchors, (self.texts, self.dimension))
        self.includes_classification = self.each(includes_classification)
        self.roundings = self.each(self.arithmetic.rounding if roundings is None else roundings)
        """The floors over ‖X‖_F (s)."""

    def text(self, number: int) -> TokenStates:
        """One of the texts alone, of which everything is computed anew."""
        if self.texts == 1:
            return self
        rows = slice(number, number + 1)
        return TokenStates(
            self.stored[rows],
            None if self.classifications is None else self.classifications[rows],
            includes_classification=self.includes_classification[rows],
            roundings=self.roundings[rows],
        )

    def bare(self) -> TokenStates:
        """A copy of the states and their floors, without what was computed of them and without [CLS]."""
        return TokenStates(self.xp.asarray(self.stored, copy=True), roundings=self.roundings)

    def each(self, value: Array) -> Array:
        """An array with the value, or the values, of every text (s)."""
        if getattr(value, "shape", None) == (self.texts,) and isinstance(value, type(self.stored)):
            return value
        return self.xp.broadcast_to(beside(self.stored, value), (self.texts,))

    @cached_property
    def values(self) -> Array:
        """X (s × n × d)."""
        return self.xp.astype(self.stored, self.xp.float64)

    # -- mean and norms -------------------------------------------------------------------------------------------

    @cached_property
    def _centring(self) -> tuple[Array, Array]:
        # By way of the first token: alike tokens have exact differences, and equal ones a residual of exactly 0.
        first = self.values[:, :1]
        centred = self.values - first
        offset = self.xp.sum(centred, axis=1, keepdims=True)
        offset /= self.count
        centred -= offset
        return (first + offset)[:, 0], centred

    @property
    def means(self) -> Array:
        """Mean tokens (s × d)."""
        return self._centring[0]

    @property
    def centred(self) -> Array:
        """RX = X − 1 meanᵀ (s × n × d), the part that differs between tokens."""
        return self._centring[1]

    @cached_property
    def norms(self) -> Array:
        """Euclidean norms of the tokens (s × n)."""
        return self.xp.sqrt(squared_lengths(self.values))

    @cached_property
    def lengths(self) -> Array:
        """The norms as divisors."""
        return divisors(self.norms)

    @cached_property
    def energies(self) -> Array:
        """‖X‖_F² (s)."""
        return squared_lengths(self.norms)

    @cached_property
    def mean_energies(self) -> Array:
        """‖mean‖² (s)."""
        return squared_lengths(self.means)

    @cached_property
    def residual_energies(self) -> Array:
        """Squared distances of the tokens to their mean (s × n)."""
        return squared_lengths(self.centred)

    @cached_property
    def residual_sums(self) -> Array:
        """‖RX‖_F², exactly 0 for equal tokens (s)."""
        return self.xp.sum(self.residual_energies, axis=1)

    @cached_property
    def activations(self) -> tuple[Array, Array]:
        """Largest and median absolute entry of X (s each)."""
        # Of the stored type: the order of the values is the same, and selection is several times quicker in float32.
        sizes = self.xp.reshape(self.xp.abs(self.stored), (self.texts, -1))
        return self.xp.astype(self.xp.max(sizes, axis=1), self.xp.float64), middle(sizes)

    # -- what is resolved -----------------------------------------------------------------------------------------

    @cached_property
    def floors(self) -> Array:
        """Resolution floors (s): what lies below may be noise.

        u·‖X‖_F for states that are given, which is what rounding them may change in any singular value (Weyl). For
        those of a pass 64 u·‖X‖_F, four times what its arithmetic was found to change at most in tokens that are nearly
        alike; and more where tokens that were alike differ again.
        """
        return self.roundings * self.xp.sqrt(self.energies)

    @cached_property
    def residual_resolved(self) -> Array:
        """Whether the tokens differ by more than the floor (s)."""
        return self.xp.sqrt(self.residual_sums) > self.floors

    @property
    def mean_resolved(self) -> Array:
        """Whether the mean token is longer than noise may make it (s)."""
        return self.xp.sqrt(self.count * self.mean_energies) > self.floors

    @property
    def directions_resolved(self) -> Array:
        """Whether noise turns the tokens by little, so that cosines with them say something (s)."""
        return self.roundings < LITTLE

    @property
    def distances_from_mean_resolved(self) -> Array:
        """Whether every token's distance to the mean token rises above the rounding of the states (s)."""
        return self.xp.all(self.xp.sqrt(self.residual_energies) > self.roundings[:, None] * self.norms, axis=1)

    def steady(self, compute: Callable[[TokenStates], Array], least: float = 0.0) -> Array:
        """Whether what is made of the singular values would stay nearly the same with the noise of the floor (s).

        ``least`` is the size below which the number itself is no measure of what is nearly the same.
        """
        if self._far_above:
            return self.directions_resolved
        found, moved = compute(self), compute(self._noisy)
        allowed = STEADY * self.xp.clip(self.xp.abs(found), least, None)
        return self.directions_resolved & (self.xp.abs(moved - found) <= allowed)

    @property
    def noises(self) -> Array:
        """Half the floor, spread over all directions (s)."""
        return self.floors / (2.0 * math.sqrt(min(self.count, self.dimension)))

    @cached_property
    def _far_above(self) -> bool:
        """Whether no singular value would move by a percent: so it is but after a collapse."""
        return bool(self.xp.all(self.singular_values[:, -1] > 8.0 * self.noises))

    @cached_property
    def _noisy(self) -> TokenStates:
        """The same with other singular values, and so with other shares of them."""
        found = copy.copy(self)
        for name in ("shares", "energy_shares", "relative"):
            found.__dict__.pop(name, None)
        found.__dict__["singular_values"] = self.xp.sqrt(self.singular_values**2 + self.noises[:, None] ** 2)
        return found

    # -- pairs of tokens ------------------------------------------------------------------------------------------

    @cached_property
    def centred_grams(self) -> Array:
        """RX(RX)ᵀ (s × n × n)."""
        return self.centred @ self.centred.mT

    @cached_property
    def _along_means(self) -> Array:
        """RX·mean (s × n)."""
        return products(self.centred, self.means)

    @cached_property
    def grams(self) -> Array:
        """XXᵀ (s × n × n), from the centred ones by a rank-one update."""
        offsets = self._along_means + 0.5 * self.mean_energies[:, None]
        grams = self.centred_grams + offsets[:, :, None]
        grams += offsets[:, None, :]
        return grams

    @cached_property
    def spreads(self) -> Array:
        """Largest squared distance to the mean over the smallest squared norm (s); the gaps err by ε of it."""
        return self.xp.max(self.residual_energies, axis=1) / self.xp.min(self.lengths, axis=1) ** 2

    @cached_property
    def cosine_gaps(self) -> Array:
        """1 − cosine of every pair of tokens (s × n × n), in [0, 2], without the cancellation of that subtraction.

        1 − cos(x_i, x_j) = (‖x_i − x_j‖² − (‖x_i‖ − ‖x_j‖)²) / (2‖x_i‖‖x_j‖), from residuals alone.
        """
        # ‖x_i‖ − ‖mean‖
        excess = self.residual_energies + 2.0 * self._along_means
        excess /= self.lengths + self.xp.sqrt(self.mean_energies)[:, None]
        gaps = half_squared_distances(self.centred_grams, excess, 1.0 / self.lengths)
        for row in np.flatnonzero(on_host(self.spreads > WIDE_SPREAD)).tolist():
            units = self.values[row : row + 1] / self.lengths[row : row + 1, :, None]
            units = units - units[:, :1]
            none = self.xp.zeros_like(units[:, :, 0])
            gaps[row, ...] = half_squared_distances(units @ units.mT, none, none + 1.0)[0]
        return gaps

    # -- spectra --------------------------------------------------------------------------------------------------

    @cached_property
    def singular_values(self) -> Array:
        """σ_1 ≥ … ≥ σ_min(n, d) of X (s × min(n, d)); NaN where nothing converges."""
        if self.count <= self.dimension:
            squares = eigenvalues(self.grams)
        else:
            outer = self.means[:, :, None] * self.means[:, None, :]
            squares = eigenvalues(self._centred_scatters + self.count * outer)
        return roots(squares, self.arithmetic.accurate_ratio, self.xp.sqrt(self.energies), self._beside_mean)

    def _beside_mean(self, row: int, largest: Array) -> Array:
        """The singular values of one text, without an SVD where its tokens are nearly alike."""
        if self.residual_sums[row] > ALIKE**2 * self.energies[row]:
            return singular_values(self.values[row, ...])
        mean, apart = self.means[row, :], self.centred[row, ...]
        apart = apart - (apart @ mean / (mean @ mean))[:, None] * mean
        # Both have one structural zero: the rows have no sum, the columns nothing along the mean.
        squares = eigenvalues((apart @ apart.T if self.count <= self.dimension else apart.T @ apart)[None])[:, 1:]
        length = self.xp.sqrt(self.residual_sums[row : row + 1])
        others = roots(squares, self.arithmetic.accurate_ratio, length, lambda *_: singular_values(apart))
        return self.xp.concat((self.xp.reshape(largest, (1,)), others[0, :]))

    @cached_property
    def centred_singular_values(self) -> Array:
        """Those of RX, descending, the structural zero of centring left out (s × min(n − 1, d))."""
        if self.count <= self.dimension:
            squares = eigenvalues(self.centred_grams)[:, 1:]
        else:
            squares = eigenvalues(self._centred_scatters)
        return roots(
            squares,
            self.arithmetic.accurate_ratio,
            self.xp.sqrt(self.energies),
            lambda row, _: singular_values(self.centred[row, ...]),
        )

    @property
    def _centred_scatters(self) -> Array:
        return self.centred.mT @ self.centred

    @cached_property
    def shares(self) -> Array:
        """σ_i / Σσ, descending (s × min(n, d))."""
        return self.singular_values / divisors(self.xp.sum(self.singular_values, axis=1, keepdims=True))

    @cached_property
    def energy_shares(self) -> Array:
        """σ_i² / Σσ², descending (s × min(n, d))."""
        squares = self.singular_values * self.singular_values
        return squares / divisors(self.xp.sum(squares, axis=1, keepdims=True))

    @cached_property
    def relative(self) -> Array:
        """σ_i / σ_1, descending from 1 (s × min(n, d))."""
        return self.singular_values / divisors(self.singular_values[:, :1])
