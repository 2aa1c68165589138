"""The tokens of one sequence at one point, with everything that several metrics share computed once."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from oversmooth.metrics.numerics import PRECISIONS, Float64, eigenvalues, half_squared_distances, roots
from oversmooth.metrics.registry import UndefinedError
from oversmooth.wording import count

WIDE_SPREAD = 1e5
"""Ratio of squared lengths beyond which the cosines of the short tokens no longer come from the shared Gram matrix."""


class TokenStates:
    """Hidden states X of one sequence at one point: n tokens × d dimensions, in float64.

    One Gram product of the *centred* tokens serves cosine, rank, spectrum and entropy: the raw Gram matrix follows
    by a rank-one update without cancellation, which the other direction would not give in the over-smoothed regime.

    Accuracy, wherever ``resolved`` does not object: cosines and their means to an absolute 1e-10; singular values to
    a relative 1e-8 (float32 states) or 1e-9 (float64 states), but never better than a few ε of the largest one; all
    that is made of the residual RX alone to a relative 1e-10, even where it is 1e-8 of the whole.

    Args:
        values: n × d, float32 or float64, finite, of float32's magnitudes. The dtype decides the resolution.
        classification: the [CLS] token's state (d), where the model has one.
        includes_classification: whether that token is also one of the rows.
    """

    def __init__(
        self, values: ArrayLike, classification: ArrayLike | None = None, *, includes_classification: bool = False
    ) -> None:
        stored = np.asarray(values)
        if stored.ndim != 2 or stored.size == 0 or stored.dtype not in PRECISIONS:
            raise ValueError(f"expected a float32 or float64 matrix, got {stored.dtype} of shape {stored.shape}")
        self.stored = stored
        self.precision = PRECISIONS[stored.dtype]
        self.values: Float64 = stored.astype(np.float64)
        self.count: int = stored.shape[0]
        self.dimension: int = stored.shape[1]
        self.classification: Float64 | None = None
        if classification is not None:
            self.classification = np.asarray(classification, dtype=np.float64)
        self.includes_classification = includes_classification

    def require_pairs(self) -> None:
        """Raise :class:`UndefinedError` where there is no pair of tokens."""
        if self.count < 2:
            raise UndefinedError("needs at least two tokens")

    def require_energy(self) -> None:
        """Raise :class:`UndefinedError` where every token is the zero vector."""
        if self.energy == 0.0:
            raise UndefinedError("every token is the zero vector")

    def require_directions(self) -> None:
        """Raise :class:`UndefinedError` where a token is the zero vector, which has no direction."""
        zero = self.count - np.count_nonzero(self.norms)
        if zero:
            raise UndefinedError(
                f"the cosine with a zero vector is not defined ({zero} of {count(self.count, 'token')})"
            )

    # -- mean and norms -------------------------------------------------------------------------------------------

    @cached_property
    def _centring(self) -> tuple[Float64, Float64]:
        # By way of the first token: alike tokens have exact differences, and equal ones a residual of exactly 0.
        centred = self.values - self.values[0]
        offset = centred.mean(axis=0)
        centred -= offset
        return self.values[0] + offset, centred

    @property
    def mean(self) -> Float64:
        """Mean token (d)."""
        return self._centring[0]

    @property
    def centred(self) -> Float64:
        """RX = X − 1 meanᵀ (n × d), the part that differs between tokens."""
        return self._centring[1]

    @cached_property
    def norms(self) -> Float64:
        """Euclidean norms of the tokens (n)."""
        norms: Float64 = np.sqrt(np.einsum("ij,ij->i", self.values, self.values))
        return norms

    @cached_property
    def energy(self) -> float:
        """‖X‖_F²."""
        return float(self.norms @ self.norms)

    @cached_property
    def residual_energies(self) -> Float64:
        """Squared distances of the tokens to their mean (n)."""
        energies: Float64 = np.einsum("ij,ij->i", self.centred, self.centred)
        return energies

    @cached_property
    def residual_energy(self) -> float:
        """‖RX‖_F², exactly 0 for equal tokens."""
        return float(self.residual_energies.sum())

    @property
    def floor(self) -> float:
        """Resolution floor u·‖X‖_F: what rounding the stored states may change in any singular value (Weyl)."""
        return self.precision.rounding * math.sqrt(self.energy)

    @property
    def residual_resolved(self) -> bool:
        """Whether the tokens differ by more than the rounding of the stored states."""
        return math.sqrt(self.residual_energy) > self.floor

    # -- pairs of tokens ------------------------------------------------------------------------------------------

    @cached_property
    def centred_gram(self) -> Float64:
        """RX(RX)ᵀ (n × n)."""
        return self.centred @ self.centred.T

    @cached_property
    def _along_mean(self) -> Float64:
        """RX·mean (n)."""
        return self.centred @ self.mean

    @cached_property
    def gram(self) -> Float64:
        """XXᵀ (n × n), from the centred one by a rank-one update."""
        offset = self._along_mean + 0.5 * (self.mean @ self.mean)
        gram = self.centred_gram + offset[:, None]
        gram += offset[None, :]
        return gram

    @cached_property
    def spread(self) -> float:
        """Largest squared distance of a token to the mean over the smallest squared norm; the gaps err by ε of it."""
        return float(self.residual_energies.max() / self.norms.min() ** 2)

    @cached_property
    def cosine_gaps(self) -> Float64:
        """1 − cosine of every pair of tokens (n × n), in [0, 2], without the cancellation of that subtraction.

        1 − cos(x_i, x_j) = (‖x_i − x_j‖² − (‖x_i‖ − ‖x_j‖)²) / (2‖x_i‖‖x_j‖), from residuals alone.

        Raises:
            UndefinedError: where a token is the zero vector.
        """
        self.require_directions()
        norms = self.norms
        if self.spread > WIDE_SPREAD:
            units = self.values / norms[:, None]
            units -= units[0]
            return half_squared_distances(units @ units.T, np.zeros(self.count), np.ones(self.count))
        length = float(np.sqrt(self.mean @ self.mean))
        # ‖x_i‖ − ‖mean‖
        excess = (self.residual_energies + 2.0 * self._along_mean) / (norms + length)
        return half_squared_distances(self.centred_gram, excess, 1.0 / norms)

    @property
    def cosines(self) -> Float64:
        """Cosine of every pair of tokens (n × n), in [−1, 1], with a diagonal of ones.

        Raises:
            UndefinedError: where a token is the zero vector.
        """
        return 1.0 - self.cosine_gaps

    # -- spectra --------------------------------------------------------------------------------------------------

    @cached_property
    def singular_values(self) -> Float64:
        """σ_1 ≥ … ≥ σ_min(n, d) of X; those that do not rise above the floor are 0.

        Raises:
            UndefinedError: where the decomposition does not converge.
        """
        if self.count <= self.dimension:
            gram = self.gram
        else:
            gram = self._centred_scatter + self.count * np.outer(self.mean, self.mean)
        return roots(eigenvalues(gram), self.values, self.precision.accurate_ratio, self.floor)

    @cached_property
    def centred_singular_values(self) -> Float64:
        """Singular values of RX, descending: min(n − 1, d) of them, the structural zero of centring left out.

        Those that do not rise above the floor are 0.

        Raises:
            UndefinedError: where the decomposition does not converge.
        """
        if self.count <= self.dimension:
            squares = eigenvalues(self.centred_gram)[1:]
        else:
            squares = eigenvalues(self._centred_scatter)
        return roots(squares, self.centred, self.precision.accurate_ratio, self.floor)

    @property
    def _centred_scatter(self) -> Float64:
        return self.centred.T @ self.centred

    @cached_property
    def shares(self) -> Float64:
        """σ_i / Σσ, descending.

        Raises:
            UndefinedError: where every token is the zero vector.
        """
        self.require_energy()
        shares: Float64 = self.singular_values / self.singular_values.sum()
        return shares

    @cached_property
    def energy_shares(self) -> Float64:
        """σ_i² / Σσ², descending.

        Raises:
            UndefinedError: where every token is the zero vector.
        """
        self.require_energy()
        squares = self.singular_values * self.singular_values
        shares: Float64 = squares / squares.sum()
        return shares

    @cached_property
    def relative(self) -> Float64:
        """σ_i / σ_1, descending from 1.

        Raises:
            UndefinedError: where every token is the zero vector.
        """
        self.require_energy()
        relative: Float64 = self.singular_values / self.singular_values[0]
        return relative
