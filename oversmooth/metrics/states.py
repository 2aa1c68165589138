"""The tokens of one sequence at one point, with everything that several metrics share computed once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from oversmooth.core.errors import UndefinedError
from oversmooth.core.wording import count
from oversmooth.metrics.numerics import PRECISIONS, Float64
from oversmooth.metrics.stacks import Spectrum, Stack

Value = TypeVar("Value")

LITTLE = 1 / 32
"""Floor over ‖X‖_F from which on directions, and what singular values are made of them, may be noise."""
NOT_CONVERGED = "the singular value decomposition did not converge"


class TokenStates:
    """Hidden states X of one sequence at one point: n tokens × d dimensions, in float64.

    One sequence of a :class:`~oversmooth.metrics.stacks.Stack`, which computes; here stands what is not defined.

    Accuracy, wherever ``resolved`` does not object: cosines and their means to an absolute 1e-10; singular values to
    a relative 1e-8 (float32 states) or 1e-9 (float64 states), but never better than a few ε of the largest one; all
    that is made of the residual RX alone to a relative 1e-10, even where it is 1e-8 of the whole.

    Args:
        values: n × d, float32 or float64, finite, of float32's magnitudes. The dtype decides the resolution.
        classification: the [CLS] token's state (d), where the model has one.
        includes_classification: whether that token is also one of the rows.
        among: a stack, with the number in it of these tokens, where what sequences share is computed for all of them.
        rounding: the resolution floor over ‖X‖_F; without it, the relative rounding of the stored values.
    """

    def __init__(
        self,
        values: ArrayLike,
        classification: ArrayLike | None = None,
        *,
        includes_classification: bool = False,
        among: tuple[Stack, int] | None = None,
        rounding: float | None = None,
    ) -> None:
        stored = np.asarray(values)
        if stored.ndim != 2 or stored.size == 0 or stored.dtype not in PRECISIONS:
            raise ValueError(f"expected a float32 or float64 matrix, got {stored.dtype} of shape {stored.shape}")
        anchor = np.zeros(stored.shape[1]) if classification is None else np.asarray(classification)
        roundings = None if rounding is None else np.array([rounding])
        self._stack, self._row = among or (Stack(stored[None], anchor[None], roundings), 0)
        self.stored = stored
        self.count = self._stack.count
        self.dimension = self._stack.dimension
        self.has_classification = classification is not None
        self.includes_classification = includes_classification

    def shared(self, compute: Callable[[Stack], Sequence[Value]]) -> Value:
        """This sequence's value of what is computed for all sequences of the stack at once."""
        return self._stack.once(compute)[self._row]

    def of_spectrum(self, compute: Callable[[Spectrum], Sequence[float]]) -> float:
        """This sequence's value of what is made of the singular values of all sequences of the stack at once.

        Raises:
            UndefinedError: where every token is the zero vector, or the decomposition does not converge.
        """
        self.require_spectrum()
        return self._stack.of_spectrum(compute)[self._row]

    def steady(self, compute: Callable[[Spectrum], Sequence[float]], least: float = 0.0) -> bool:
        """Whether that would stay nearly the same with the noise of the floor; see :meth:`Stack.steady`."""
        return self.rounding < LITTLE and self._stack.steady(compute, least)[self._row]

    def _of(self, arrays: Float64) -> Float64:
        array: Float64 = arrays[self._row]
        return array

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
        zero = self._stack.zeros[self._row]
        if zero:
            raise UndefinedError(
                f"the cosine with a zero vector is not defined ({zero} of {count(self.count, 'token')})"
            )

    def require_spectrum(self) -> None:
        """Raise :class:`UndefinedError` where every token is the zero vector, or no decomposition converges."""
        self.require_energy()
        if self._stack.undecomposed[self._row]:
            raise UndefinedError(NOT_CONVERGED)

    # -- mean and norms -------------------------------------------------------------------------------------------

    @property
    def values(self) -> Float64:
        """X in float64 (n × d)."""
        return self._of(self._stack.values)

    @property
    def mean(self) -> Float64:
        """Mean token (d)."""
        return self._of(self._stack.means)

    @property
    def centred(self) -> Float64:
        """RX = X − 1 meanᵀ (n × d), the part that differs between tokens."""
        return self._of(self._stack.centred)

    @property
    def norms(self) -> Float64:
        """Euclidean norms of the tokens (n)."""
        return self._of(self._stack.norms)

    @property
    def energy(self) -> float:
        """‖X‖_F²."""
        return float(self._stack.energies[self._row])

    @property
    def residual_energies(self) -> Float64:
        """Squared distances of the tokens to their mean (n)."""
        return self._of(self._stack.residual_energies)

    @property
    def residual_energy(self) -> float:
        """‖RX‖_F², exactly 0 for equal tokens."""
        return float(self._stack.residual_sums[self._row])

    @property
    def floor(self) -> float:
        """Resolution floor: what lies below it may be noise.

        u·‖X‖_F for states that are given, which is what rounding them may change in any singular value (Weyl). For
        those of a pass 64 u·‖X‖_F, four times what its arithmetic was found to change at most in tokens that are nearly
        alike; and more where tokens that were alike differ again.
        """
        return float(self._stack.floors[self._row])

    @property
    def rounding(self) -> float:
        """The floor over ‖X‖_F."""
        return float(self._stack.roundings[self._row])

    @property
    def residual_resolved(self) -> bool:
        """Whether the tokens differ by more than the floor."""
        return math.sqrt(self.residual_energy) > self.floor

    @property
    def mean_resolved(self) -> bool:
        """Whether the mean token is longer than noise may make it."""
        return math.sqrt(self.count * float(self._stack.mean_energies[self._row])) > self.floor

    @property
    def directions_resolved(self) -> bool:
        """Whether noise turns the tokens by little, so that cosines with them say something."""
        return self.rounding < LITTLE

    # -- pairs of tokens ------------------------------------------------------------------------------------------

    @property
    def centred_gram(self) -> Float64:
        """RX(RX)ᵀ (n × n)."""
        return self._of(self._stack.centred_grams)

    @property
    def gram(self) -> Float64:
        """XXᵀ (n × n), from the centred one by a rank-one update."""
        return self._of(self._stack.grams)

    @property
    def cosine_gaps(self) -> Float64:
        """1 − cosine of every pair of tokens (n × n), in [0, 2], without the cancellation of that subtraction.

        Raises:
            UndefinedError: where a token is the zero vector.
        """
        self.require_directions()
        return self._of(self._stack.cosine_gaps)

    @property
    def cosines(self) -> Float64:
        """Cosine of every pair of tokens (n × n), in [−1, 1], with a diagonal of ones.

        Raises:
            UndefinedError: where a token is the zero vector.
        """
        return 1.0 - self.cosine_gaps

    # -- spectra --------------------------------------------------------------------------------------------------

    @property
    def singular_values(self) -> Float64:
        """σ_1 ≥ … ≥ σ_min(n, d) of X.

        Raises:
            UndefinedError: where the decomposition does not converge.
        """
        return _require_convergence(self._of(self._stack.singular_values))

    @property
    def centred_singular_values(self) -> Float64:
        """Singular values of RX, descending: min(n − 1, d) of them, the structural zero of centring left out.

        Raises:
            UndefinedError: where the decomposition does not converge.
        """
        return _require_convergence(self._of(self._stack.centred_singular_values))

    @property
    def energy_shares(self) -> Float64:
        """σ_i² / Σσ², descending.

        Raises:
            UndefinedError: where every token is the zero vector, or the decomposition does not converge.
        """
        self.require_spectrum()
        return self._of(self._stack.spectrum.energy_shares)

    @property
    def relative(self) -> Float64:
        """σ_i / σ_1, descending from 1.

        Raises:
            UndefinedError: where every token is the zero vector, or the decomposition does not converge.
        """
        self.require_spectrum()
        return self._of(self._stack.spectrum.relative)


def _require_convergence(values: Float64) -> Float64:
    if values.size and math.isnan(values[0]):
        raise UndefinedError(NOT_CONVERGED)
    return values
