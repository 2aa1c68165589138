"""What the arithmetic of a pass leaves of the differences between tokens, followed through the blocks."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oversmooth.core import points
from oversmooth.measuring.measured_rows import MeasuredRows
from oversmooth.metrics.numerics import Float64, arithmetic_of

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
        self._masks: tuple[Hashable, tuple[Tensor, Tensor]] = None, (torch.empty(0), torch.empty(0))

    def see(self, numbers: Sequence[int], point: str, states: Tensor) -> None:
        """The states (text, token, dim) of some texts at a point, in the order in which a pass reaches it."""
        if point == points.FUSION:
            self._fused(numbers)
            return
        texts, stream = np.asarray(numbers), self._on_stream(point)
        if point == points.EMBEDDING:
            self._drowned[texts] = self._sizes[texts] = 0.0
        if stream or (self._drowned[texts] > NEGLIGIBLE).any():
            self._follow(texts, point, *self._measure(numbers, states), stream=stream)

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

    def _measure(self, numbers: Sequence[int], states: Tensor) -> tuple[Float64, Float64]:
        """‖X‖_F and ‖RX‖_F of the measured tokens (text each), to a few digits."""
        count, mask = self._mask(numbers, states)
        # By way of the first of them: alike tokens have exact differences.
        first = torch.stack(
            [text[self._rows[number].measured[0]] for text, number in zip(states, numbers, strict=True)]
        )
        moved = (states - first[:, None]).masked_fill_(~mask[:, :, None], 0.0)
        offset = moved.sum(dim=1) / count[:, None]
        lengths = torch.linalg.vecdot(states, states).masked_fill_(~mask, 0.0).sum(dim=1)
        rest = torch.linalg.vecdot(moved, moved).sum(dim=1) - count * torch.linalg.vecdot(offset, offset)
        size, differing = torch.stack((lengths, rest.clamp_min(0.0))).sqrt().double().cpu().numpy()
        return size, differing

    def _mask(self, numbers: Sequence[int], states: Tensor) -> tuple[Tensor, Tensor]:
        """How many tokens of each text are measured (text), and which (text, token); kept for the next point."""
        key = (*numbers, states.shape[1])
        if self._masks[0] != key:
            mask = torch.zeros(states.shape[:2], dtype=torch.bool)
            for row, number in enumerate(numbers):
                mask[row, self._rows[number].measured] = True
            mask = mask.to(states.device)
            self._masks = key, (mask.sum(dim=1).to(states.dtype), mask)
        return self._masks[1]

    def _follow(self, texts: NDArray[np.intp], point: str, size: Float64, differing: Float64, *, stream: bool) -> None:
        drowned = self._drowned[texts]
        followed = np.isfinite(size) & ((drowned > NEGLIGIBLE) | stream)
        texts, size, differing, drowned = texts[followed], size[followed], differing[followed], drowned[followed]
        floor = self._usual * (np.maximum(size, self._sizes[texts]) if self._is_sum(point) else size)
        covered = np.where(drowned > NEGLIGIBLE, np.minimum(drowned, LOST) * differing, 0.0)
        floor = np.maximum(floor, covered)
        for at in np.flatnonzero((size == 0.0) | (floor > RAISED * self._usual * size)).tolist():
            self._raised[int(texts[at]), point] = float(floor[at] / size[at]) if size[at] else LOST
        if stream:
            self._sizes[texts] = size
            # Equal tokens that a text begins with have lost nothing.
            lost = drowned if point == points.EMBEDDING else np.full_like(drowned, LOST)
            noise = np.divide(floor, differing, out=np.zeros_like(floor), where=differing > 0.0)
            self._drowned[texts] = np.where(differing > 0.0, np.maximum(drowned, noise), lost)

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
