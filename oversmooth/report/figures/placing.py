"""Room for words beside the markers of a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_GAP = 8.0
"""Pixels between a marker's centre and its words."""
_BESIDE: tuple[tuple[int, int], ...] = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
"""Directions in which words may stand, in order of preference: right, left, above, below, the corners."""


@dataclass(frozen=True)
class Box:
    """An upright rectangle, in pixels from the lower left corner of the chart."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two share any area."""
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.top <= other.bottom or other.top <= self.bottom)

    def within(self, width: float, height: float) -> bool:
        """Whether it lies inside a chart of that size."""
        return self.left >= 0 and self.bottom >= 0 and self.right <= width and self.top <= height


@dataclass(frozen=True)
class Words:
    """Words to be set beside a marker, with their size, in pixels."""

    x: float
    y: float
    width: float
    height: float

    def box(self, across: int, up: int) -> Box:
        """Where they stand in one of the directions."""
        x = self.x + across * (_GAP + self.width / 2)
        y = self.y + up * (_GAP + self.height / 2) if not across else self.y + up * (self.height / 2 + _GAP / 2)
        return Box(x - self.width / 2, y - self.height / 2, x + self.width / 2, y + self.height / 2)


def place(words: Sequence[Words], taken: Sequence[Box], width: float, height: float) -> list[tuple[int, int] | None]:
    """A direction for each, in which it covers nothing that is taken; None where there is none."""
    covered = list(taken)
    found: list[tuple[int, int] | None] = []
    for each in words:
        free = (
            way
            for way in _BESIDE
            if each.box(*way).within(width, height) and not any(each.box(*way).overlaps(box) for box in covered)
        )
        way = next(free, None)
        found.append(way)
        if way is not None:
            covered.append(each.box(*way))
    return found


def anchored(words: Words, way: tuple[int, int]) -> dict[str, Any]:
    """Plotly's keywords for an annotation at the marker in that direction."""
    box = words.box(*way)
    return {
        "xanchor": "center",
        "yanchor": "middle",
        "xshift": (box.left + box.right) / 2 - words.x,
        "yshift": (box.bottom + box.top) / 2 - words.y,
    }
