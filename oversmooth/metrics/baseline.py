"""What is kept of a baseline's tokens, to set a variant's against."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

from oversmooth.metrics.numerics import Array, beside, divisors, namespace, nearest, on_host, same_kind, squared_lengths
from oversmooth.metrics.states import TokenStates

NEIGHBOURS: Final = 12


@dataclass(frozen=True)
class Baseline:
    """What is kept of a baseline's tokens at one point of s texts of equal length, to set others against."""

    means: Array
    """Mean tokens (s × d)."""
    grams: Array
    """Gram matrices of the centred tokens, scaled into the range of the states' type (s × n × n), which they have;
    zeros where all tokens are equal."""
    gram_norms: Array
    """Their Frobenius norms (s)."""
    neighbours: Array
    """Rows of each token's nearest other tokens (s × n × k)."""
    weights: Array
    """Their weights w_ij, which sum to 1 in each row (s × n × k)."""
    local_errors: Array
    """Squared error of the tokens' local reconstruction over the squared length of the centred tokens (s)."""
    resolved: Array
    """Whether the tokens differ by more than the resolution floor (s)."""
    mean_resolved: Array
    """Whether the mean token is longer than it (s)."""
    structure_resolved: Array
    """Whether the local reconstruction errs by more than it (s)."""

    @classmethod
    def of(cls, states: TokenStates) -> Baseline:
        """From the baseline's tokens."""
        xp, grams = states.xp, states.centred_grams
        neighbours, weights = _neighbourhoods(grams)
        spreads = xp.max(xp.linalg.diagonal(grams), axis=1)
        errors = xp.where(spreads > 0.0, local_errors_of(grams, neighbours, weights), math.nan)
        scaled = xp.astype(grams / divisors(spreads)[:, None, None], states.stored.dtype)
        return cls(
            means=states.means,
            grams=scaled,
            gram_norms=frobenius_norms(scaled),
            neighbours=neighbours,
            weights=weights,
            local_errors=errors,
            resolved=states.residual_resolved,
            mean_resolved=states.mean_resolved,
            structure_resolved=structure_resolved(errors, states),
        )

    @classmethod
    def gathered(cls, texts: Sequence[tuple[Baseline, int]], states: TokenStates) -> Baseline:
        """Of texts that were kept with others, each given with its number among these; where the states are."""
        first, like = texts[0][0], states.stored
        together = all(each is first for each, _ in texts)
        if together and same_kind(first.means, like) and [row for _, row in texts] == list(range(len(first.means))):
            return first

        def of(name: str) -> Array:
            rows = [getattr(each, name)[row, ...] for each, row in texts]
            return states.xp.stack([row if same_kind(row, like) else beside(like, on_host(row)) for row in rows])

        return cls(**{field.name: of(field.name) for field in fields(cls)})

    @staticmethod
    def size(count: int, dimension: int, itemsize: int) -> int:
        """Bytes for a text of that many tokens of that width, with numbers of so many bytes."""
        return itemsize * count**2 + 16 * count * min(NEIGHBOURS, count - 1) + 8 * dimension


def frobenius_norms(matrices: Array) -> Array:
    """‖·‖_F (s)."""
    xp = namespace(matrices)
    entries = xp.reshape(xp.astype(matrices, xp.float64), (matrices.shape[0], -1))
    return xp.sqrt(squared_lengths(entries))


def _neighbourhoods(grams: Array) -> tuple[Array, Array]:
    """The nearest tokens of each, and weights exp(−‖x_i − x_j‖²/t) that sum to 1 (both s × n × k)."""
    xp, size = namespace(grams), grams.shape[1]
    squares = xp.linalg.diagonal(grams)
    distances = squares[:, :, None] + squares[:, None, :] - 2.0 * grams
    xp.reshape(distances, (distances.shape[0], -1))[:, :: size + 1] = math.inf  # the diagonals
    neighbours = nearest(distances, min(NEIGHBOURS, size - 1))
    squared = xp.clip(xp.take_along_axis(distances, neighbours, axis=2), 0.0, None)
    if not all(squared.shape):
        return neighbours, squared
    widths = divisors(xp.mean(squared, axis=(1, 2)))
    # Less the nearest one's distance: the weights of a far token would all vanish, and the sum cancels the factor.
    weights = xp.exp(-(squared - xp.min(squared, axis=2, keepdims=True)) / widths[:, None, None])
    return neighbours, weights / xp.sum(weights, axis=2, keepdims=True)


def local_errors_of(grams: Array, neighbours: Array, weights: Array) -> Array:
    """Σ‖x_i − Σ_j w_ij x_j‖² / Σ‖x_i − x̄‖², from the Gram matrices of the centred tokens (s)."""
    xp, (texts, size, near) = namespace(grams), neighbours.shape
    squares = xp.linalg.diagonal(grams)
    towards = xp.sum(xp.take_along_axis(grams, neighbours, axis=2) * weights, axis=2)
    pairs = xp.reshape(size * neighbours[:, :, :, None] + neighbours[:, :, None, :], (texts, -1))
    among = xp.take_along_axis(xp.reshape(grams, (texts, -1)), pairs, axis=1)
    mixed = xp.reshape(among, (texts, size, near, near)) @ weights[:, :, :, None]
    combined = xp.sum(mixed[:, :, :, 0] * weights, axis=2)
    errors = xp.clip(squares - 2.0 * towards + combined, 0.0, None)
    return xp.sum(errors, axis=1) / divisors(xp.sum(squares, axis=1))


def structure_resolved(errors: Array, states: TokenStates) -> Array:
    """Whether the local reconstruction errs by more than noise would make it (s)."""
    return states.xp.sqrt(errors * states.residual_sums) > states.floors
