"""What the arithmetic of a pass leaves of the differences between tokens, followed through the blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from oversmooth.core import points
from oversmooth.measuring.measured_rows import MeasuredRows, by_kind, stacked
from oversmooth.metrics.numerics import Array, Float64, arithmetic_of, namespace, on_host, squared_lengths

LOST: Final = 2.0
"""Floor over differences beyond which all of these may be noise."""
NEGLIGIBLE: Final = 1 / 64
"""Floor over differences up to which noise is not followed: what grows of it stays as small beside them."""
RAISED: Final = 2.0
"""A floor is raised where it would be this much higher."""
_SUMS: Final = ("attention", "mlp")


class Resolution:
    """The resolution floors of texts at all points, over ‖X‖_F.

    At every point a floor is at least 64 u: four times the noise that float32 passes were found to have in tokens that
    are nearly alike. It is higher in two cases. A sum that is much smaller than what it is a sum of keeps the rounding
    of that. And differences that noise has covered do not come back: where the tokens differ more again, what was noise
    has grown with them.

    Args:
        rows: of each text, which tokens count.
        dtype: in which the network runs.
        post_norm: whether the norms of its blocks stand on the residual stream.
    """

    def __init__(self, rows: Sequence[MeasuredRows], dtype: np.dtype[np.floating], *, post_norm: bool) -> None:
        self._rows = rows
        self._dtype = dtype
        self._post_norm = post_norm
        self._usual = arithmetic_of(dtype).in_pass
        self._drowned = np.zeros(len(rows))
        """The largest floor over the differences between tokens, so far (text)."""
        self._sizes = np.zeros(len(rows))
        """‖X‖_F of the residual stream where it was seen last (text)."""
        self._raised: dict[tuple[int, str], float] = {}

    def see(self, numbers: Sequence[int], point: str, states: Array) -> None:
        """The states (text, token, dim) of some texts at a point, in the order in which a pass reaches it."""
        if point == points.FUSION:
            self._fused(numbers)
            return
        stream = self._on_stream(point)
        if point == points.EMBEDDING:
            self._drowned[list(numbers)] = self._sizes[list(numbers)] = 0.0
        if not (stream or any(self._drowned[number] > NEGLIGIBLE for number in numbers)):
            return
        for alike in by_kind(numbers, lambda number: self._rows[number].kind):
            measured = stacked([states[row, ...] for row in alike], [self._rows[numbers[row]] for row in alike])
            for row, size, differing in zip(alike, *_sizes(measured), strict=True):
                if stream or self._drowned[numbers[row]] > NEGLIGIBLE:
                    self._one(numbers[row], point, size, differing, stream=stream)

    def of(self, numbers: Sequence[int], point: str) -> Float64:
        """The floors of these texts at a point that was seen, over ‖X‖_F (text)."""
        return np.array([self._raised.get((number, point), self._usual) for number in numbers])

    def reason(self, number: int, point: str) -> str:
        """Why a number of a text at a point is not resolved, and what to do, in a clause."""
        name = self._dtype.name
        if (number, point) not in self._raised:
            return below(name)
        return _with_advice(
            f"the tokens were alike up to the rounding of a {name} pass before, which may be all they differ by", name
        )

    def _on_stream(self, point: str) -> bool:
        part = point.partition(".")[2]
        return (
            point == points.EMBEDDING
            or points.is_block(point)
            or part in _SUMS
            or (self._post_norm and part == "attention_norm")
        )

    def _is_sum(self, point: str) -> bool:
        """Whether what was on the stream was added to there, without a norm since."""
        return point.partition(".")[2] in _SUMS or (points.is_block(point) and not self._post_norm)

    def _one(self, number: int, point: str, size: float, differing: float, *, stream: bool) -> None:
        if not math.isfinite(size):
            return
        floor = self._usual * (max(size, self._sizes[number]) if self._is_sum(point) else size)
        if self._drowned[number] > NEGLIGIBLE:
            floor = max(floor, min(self._drowned[number], LOST) * differing)
        if size == 0.0 or floor > RAISED * self._usual * size:
            self._raised[number, point] = floor / size if size else LOST
        if stream:
            self._sizes[number] = size
            if differing > 0.0:
                self._drowned[number] = max(self._drowned[number], floor / differing)
            elif point != points.EMBEDDING:  # Equal tokens that a text begins with have lost nothing.
                self._drowned[number] = LOST

    def _fused(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            raised = [size for (text, at), size in self._raised.items() if text == number and points.is_block(at)]
            if raised:
                self._raised[number, points.FUSION] = max(raised)


def below(precision: str) -> str:
    """Why a number is not resolved by a pass in a precision, and what to do, in a clause."""
    return _with_advice(f"the value lies below what a {precision} pass resolves", precision)


def _with_advice(why: str, precision: str) -> str:
    return f"{why}; run with precision float64" if precision == "float32" else why


def _sizes(tokens: Array) -> tuple[list[float], list[float]]:
    """‖X‖_F and ‖RX‖_F of texts (text, token, dim), to a few digits."""
    xp = namespace(tokens)
    first = tokens - tokens[:, :1]  # Alike tokens have exact differences.
    offset = xp.mean(first, axis=1)
    with np.errstate(invalid="ignore", over="ignore"):
        whole, apart = (squared_lengths(xp.reshape(each, (each.shape[0], -1))) for each in (tokens, first))
        rest = xp.clip(apart - tokens.shape[1] * squared_lengths(offset), 0.0, None)
        size, differing = on_host(xp.sqrt(xp.stack((whole, rest)))).tolist()
    return size, differing
