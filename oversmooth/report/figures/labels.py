"""Names of lines and points: beside them where they fit, else in a legend below; and the key of a chart above it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from oversmooth.core.tokens import escape
from oversmooth.report.figures.canvas import LINE, Canvas
from oversmooth.report.figures.identity import NamedSide

CHARACTER = 5.8
"""Pixels of one character of small text, on average."""
LABEL_LINE = 13
"""Pixels from one line of a direct label to the next."""
PHONE = 340
"""Pixels between the margins of a figure on a narrow phone."""

_LABEL_CHARACTERS = 16
_MOST_SHIFT = 15
"""Pixels that a label may stand above or below the end of its line before it seems to belong to another."""
_LEGEND_KEY = 46
_LEGEND_ROW = 20
Entry = tuple[str, str, str]
"""A glyph, its colour and what it stands for, not yet escaped."""
_GAP = 3
_OFF = 8.0
"""Pixels between a marker's centre and its words."""
_BESIDE: tuple[tuple[int, int], ...] = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
"""Directions in which words may stand, in order of preference: right, left, above, below, the corners."""


def name_sides(canvas: Canvas, ends: Sequence[tuple[NamedSide, float]], height: float) -> int:
    """Name lines at their ends or, where that does not fit, below; gives back the pixels that it takes below.

    Each side comes with the height of its line's end, in pixels from the bottom of the chart. The canvas gets the
    labels and the margin right of the chart, or the legend.
    """
    labels = _direct(ends, height, canvas.theme.text)
    if labels is None:
        return legend(canvas, [side for side, _ in ends])
    canvas.annotations.extend(labels)
    texts = [re.sub(r"<span.*?</span>", "■", line) for label in labels for line in label["text"].split("<br>")]
    canvas.margin["r"] = round(CHARACTER * max(map(len, texts))) + 12
    return 0


def _direct(ends: Sequence[tuple[NamedSide, float]], height: float, colour: str) -> list[dict[str, Any]] | None:
    """Annotations right of the chart, each beside its line's end; None where one has no room."""
    order = sorted(ends, key=lambda end: end[1])
    broken = [broken_name(side.name) for side, _ in order]
    if any(lines is None for lines in broken):
        return None
    names = [lines for lines in broken if lines is not None]
    centres = _spread([end for _, end in order], [LABEL_LINE * len(lines) for lines in names])
    shifts = [abs(centre - end) for centre, (_, end) in zip(centres, order, strict=True)]
    if max(shifts) > _MOST_SHIFT or centres[0] < 0 or centres[-1] > height:
        return None
    return [
        {
            "text": f"{side.identity.key} " + "<br>".join(map(escape, lines)),
            "hovertext": side.hover, "font": {"color": colour},
            "x": 1, "xref": "paper", "xanchor": "left", "xshift": 4, "align": "left",
            "y": centre / height, "yref": "y domain", "yanchor": "middle",
        }
        for (side, _), lines, centre in zip(order, names, centres, strict=True)
    ]  # fmt: skip


def broken_name(name: str) -> list[str] | None:
    """A name in at most two short lines, broken behind a sign that parts words; None where it needs more."""
    lines = [""]
    for part in re.findall(r"[^\s:,+/]*[\s:,+/]?", name):
        if lines[-1] and len(lines[-1]) + len(part.rstrip()) > _LABEL_CHARACTERS:
            lines.append("")
        lines[-1] += part
    lines = [line.strip() for line in lines]
    return lines if len(lines) <= 2 and max(map(len, lines)) <= _LABEL_CHARACTERS else None


def legend(canvas: Canvas, sides: Sequence[NamedSide]) -> int:
    """Switch on a legend below the chart; gives back the pixels that it takes on a phone."""
    canvas.legend = True
    widest = _LEGEND_KEY + CHARACTER * max(len(side.name) for side in sides)
    columns = max(1, int(PHONE // widest))
    return _LEGEND_ROW * -(-len(sides) // columns)


def _spread(centres: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Centres in ascending order, pushed apart until their extents no longer overlap."""
    moved = list(centres)
    for _ in range(60):
        for lower, upper in pairwise(range(len(moved))):
            overlap = (sizes[lower] + sizes[upper]) / 2 - (moved[upper] - moved[lower])
            if overlap > 0:
                moved[lower] -= overlap / 2
                moved[upper] += overlap / 2
    return moved


def draw_key(canvas: Canvas, entries: Sequence[Entry]) -> None:
    """Put a key above the chart and what stands there already, in lines that fit a phone."""
    lines: list[list[Entry]] = [[]]
    for entry in entries:
        if CHARACTER * sum(len(words) + 2 + _GAP for _, _, words in (*lines[-1], entry)) > PHONE:
            lines.append([])
        lines[-1].append(entry)
    words = [
        [f'<span style="color:{each[1]}"><b>{each[0]}</b></span> {escape(each[2])}' for each in row] for row in lines
    ]
    rows = [(" " * _GAP).join(row) for row in words if row]
    canvas.corner("<br>".join(rows), shift=canvas.above + 4, colour=canvas.theme.text)
    canvas.above += LINE * len(rows) + 4


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
        x = self.x + across * (_OFF + self.width / 2)
        y = self.y + up * (_OFF + self.height / 2) if not across else self.y + up * (self.height / 2 + _OFF / 2)
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
