"""The tokens of one sequence at one point, with everything that several metrics share computed once."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oversmooth.metrics.registry import UndefinedError

Float64 = NDArray[np.float64]

ACCURATE_RATIO = 1e-4
"""σ/σ_max down to which a float64 Gram matrix gives singular values to a relative 1e-8 (its error is ε(σ_max/σ)²)."""

UNIT_ROUNDOFF = {np.dtype(np.float32): 2.0**-24, np.dtype(np.float64): 2.0**-53}


class TokenStates:
    """Hidden states X of one sequence at one point: n tokens × d dimensions, in float64.

    One Gram product of the *centred* tokens serves cosine, rank, spectrum and entropy: the raw Gram matrix follows
    by a rank-one update without cancellation, which the other direction would not give in the over-smoothed regime.

    Args:
        values: n × d, float32 or float64, finite. The dtype decides the resolution.
        classification: the [CLS] token's state (d), where the model has one.
        includes_classification: whether that token is also one of the rows.
    """

    def __init__(
        self, values: ArrayLike, classification: ArrayLike | None = None, *, includes_classification: bool = False
    ) -> None:
        stored = np.asarray(values)
        if stored.ndim != 2 or stored.dtype not in UNIT_ROUNDOFF:
            raise ValueError(f"expected a float32 or float64 matrix, got {stored.dtype} of shape {stored.shape}")
        self.stored = stored
        self.values: Float64 = stored.astype(np.float64)
        self.count, self.dimension = stored.shape
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

    # -- mean and norms -------------------------------------------------------------------------------------------

    @cached_property
    def mean(self) -> Float64:
        """Mean token (d)."""
        mean: Float64 = self.values.mean(axis=0)
        return mean

    @cached_property
    def centred(self) -> Float64:
        """RX = X − 1 meanᵀ (n × d), the part that differs between tokens."""
        return self.values - self.mean

    @cached_property
    def norms(self) -> Float64:
        """Euclidean norms of the tokens (n)."""
        return np.sqrt(np.einsum("ij,ij->i", self.values, self.values))

    @cached_property
    def energy(self) -> float:
        """‖X‖_F²."""
        return float(self.norms @ self.norms)

    @cached_property
    def residual_energy(self) -> float:
        """‖RX‖_F², exactly 0 for equal tokens."""
        flat = self.centred.ravel()
        return float(flat @ flat)

    @property
    def floor(self) -> float:
        """Resolution floor u·‖X‖_F: what rounding the stored states may change in any singular value (Weyl)."""
        return UNIT_ROUNDOFF[self.stored.dtype] * self.energy**0.5

    @property
    def residual_resolved(self) -> bool:
        """Whether the tokens differ by more than the rounding of the stored states."""
        return self.residual_energy**0.5 > self.floor

    # -- Gram matrices --------------------------------------------------------------------------------------------

    @cached_property
    def centred_gram(self) -> Float64:
        """RX(RX)ᵀ (n × n)."""
        return self.centred @ self.centred.T

    @cached_property
    def gram(self) -> Float64:
        """XXᵀ (n × n), from the centred one by a rank-one update."""
        offset = self.centred @ self.mean + 0.5 * (self.mean @ self.mean)
        gram = self.centred_gram + offset[:, None]
        gram += offset[None, :]
        return gram

    @cached_property
    def cosines(self) -> Float64:
        """Cosine of every pair of tokens (n × n), in [−1, 1], with a diagonal of ones.

        Raises:
            UndefinedError: where a token is the zero vector.
        """
        norms = self.norms
        if not norms.all():
            raise UndefinedError(f"the cosine of {np.count_nonzero(norms == 0)} zero vectors is not defined")
        cosines = self.gram / norms[:, None]
        cosines /= norms[None, :]
        np.clip(cosines, -1.0, 1.0, out=cosines)
        np.fill_diagonal(cosines, 1.0)
        return cosines

    # -- spectra --------------------------------------------------------------------------------------------------

    @cached_property
    def singular_values(self) -> Float64:
        """σ_1 ≥ … ≥ σ_min(n, d) of X."""
        if self.count <= self.dimension:
            squares = np.linalg.eigvalsh(self.gram)
        else:
            squares = np.linalg.eigvalsh(self._centred_scatter + self.count * np.outer(self.mean, self.mean))
        return self._roots(squares, self.values)

    @cached_property
    def centred_singular_values(self) -> Float64:
        """Singular values of RX, descending: min(n − 1, d) of them, the structural zero of centring left out."""
        if self.count <= self.dimension:
            squares = np.linalg.eigvalsh(self.centred_gram)[1:]
        else:
            squares = np.linalg.eigvalsh(self._centred_scatter)
        return self._roots(squares, self.centred)

    @property
    def _centred_scatter(self) -> Float64:
        return self.centred.T @ self.centred

    def _roots(self, squares: Float64, matrix: Float64) -> Float64:
        """Singular values from the ascending eigenvalues of a Gram matrix, by a true SVD where these are too coarse."""
        if squares.size == 0:
            return squares
        largest = squares[-1]
        coarse = squares < ACCURATE_RATIO**2 * largest
        # Below the floor any value is rounding, so only a tail between floor and accuracy is worth the SVD.
        if coarse.any() and (squares[coarse] > self.floor**2).any():
            descending: Float64 = np.linalg.svd(matrix, compute_uv=False)
            return descending[: squares.size]
        return np.sqrt(np.maximum(squares[::-1], 0.0))

    @cached_property
    def shares(self) -> Float64:
        """σ_i / Σσ, descending.

        Raises:
            UndefinedError: where every token is the zero vector.
        """
        self.require_energy()
        return self.singular_values / self.singular_values.sum()

    @cached_property
    def energy_shares(self) -> Float64:
        """σ_i² / Σσ², descending.

        Raises:
            UndefinedError: where every token is the zero vector.
        """
        self.require_energy()
        squares = self.singular_values**2
        return squares / squares.sum()

    @cached_property
    def relative(self) -> Float64:
        """σ_i / σ_1, descending from 1.

        Raises:
            UndefinedError: where every token is the zero vector.
        """
        self.require_energy()
        return self.singular_values / self.singular_values[0]
