"""What the colours and marks of a chart stand for, in a line of words above it."""

from __future__ import annotations

from collections.abc import Sequence

from oversmooth.core.tokens import escape
from oversmooth.report.figures.canvas import LINE, Canvas
from oversmooth.report.figures.labels import CHARACTER, PHONE

Entry = tuple[str, str, str]
"""A glyph, its colour and what it stands for, not yet escaped."""
_GAP = 3


def draw_key(canvas: Canvas, entries: Sequence[Entry]) -> None:
    """Put a key above the chart and what stands there already, in lines that fit a phone."""
    lines: list[list[Entry]] = [[]]
    for entry in entries:
        if CHARACTER * sum(len(words) + 2 + _GAP for _, _, words in (*lines[-1], entry)) > PHONE:
            lines.append([])
        lines[-1].append(entry)
    rows = [(" " * _GAP).join(map(_markup, row)) for row in lines if row]
    canvas.corner("<br>".join(rows), shift=canvas.above + 4, colour=canvas.theme.text)
    canvas.above += LINE * len(rows) + 4


def _markup(entry: Entry) -> str:
    glyph, colour, words = entry
    return f'<span style="color:{colour}"><b>{glyph}</b></span> {escape(words)}'
