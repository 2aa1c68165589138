"""What is drawn in one chart, collected as plain dictionaries."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from oversmooth.core.tokens import escape
from oversmooth.report.figures.theme import Theme, template

LINE = 15
"""Pixels from one line of small text to the next."""
_NOTE_CHARACTERS = 58
_TITLE_CHARACTERS = 40

TEXT_ONLY = "%{text}<extra></extra>"
"""Hover template of a trace whose ``text`` holds the words of each point."""


@dataclass(frozen=True)
class Canvas:
    """Traces, shapes, annotations and the two main axes: plotly checks them once, all together, in :meth:`figure`."""

    theme: Theme
    traces: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    depth_axis: dict[str, Any] = field(default_factory=dict)
    value_axis: dict[str, Any] = field(default_factory=dict)
    layout: dict[str, Any] = field(default_factory=dict)
    """Whatever else the figure needs."""

    def add(self, **trace: Any) -> None:  # noqa: ANN401  plotly's own keywords
        """A scatter trace."""
        self.traces.append({"type": "scatter", **trace})

    def note(self, **note: Any) -> None:  # noqa: ANN401  plotly's own keywords
        """An annotation, at a position of the depth axis and a share of the height unless told otherwise."""
        self.annotations.append({"xref": "x", "yref": "y domain", **note})

    def above(self, text: str, size: int, **place: Any) -> None:  # noqa: ANN401  plotly's own keywords
        """Words just above the chart, where no line runs."""
        self.note(text=text, y=1, yanchor="bottom", yshift=2, font={"size": size, "color": self.theme.text}, **place)

    def over(self, position: float, text: str, *, shift: float = 0) -> None:
        """Words above one position of the depth axis, kept inside the chart; ``shift`` pixels higher."""
        low, high = self.depth_axis["range"]
        share = (position - low) / (high - low)
        anchor = "left" if share < 0.2 else "right" if share > 0.8 else "center"
        font = {"size": 12, "color": self.theme.text}
        self.note(text=text, x=position, xanchor=anchor, y=1, yanchor="bottom", yshift=2 + shift, font=font)

    def shape(self, **shape: Any) -> None:  # noqa: ANN401  plotly's own keywords
        """Something behind the lines, over the whole height."""
        refs = {"xref": "x", "yref": "y domain", "y0": 0, "y1": 1, "layer": "below"}
        self.shapes.append(refs | shape)

    def remarks(self, sentences: Sequence[str], *, above: int = 0) -> int:
        """Sentences of plain text over the chart, wrapped for a phone; gives back their height in pixels.

        Args:
            sentences: not yet escaped.
            above: pixels that other words take between them and the chart.
        """
        lines = [escape(line) for sentence in sentences for line in textwrap.wrap(sentence, _NOTE_CHARACTERS)]
        if not lines:
            return 0
        corner = {"x": 0, "xref": "paper", "xanchor": "left", "align": "left"}
        self.note(text="<br>".join(lines), y=1, yref="paper", yanchor="bottom", yshift=above + 4, **corner)
        return LINE * len(lines) + 4

    def title_values(self, *lines: str) -> None:
        """The title of the value axis, each line broken where it is longer than the axis; not yet escaped."""
        broken = [escape(part) for line in lines for part in textwrap.wrap(line, _TITLE_CHARACTERS)]
        self.value_axis["title"] = {"text": "<br>".join(broken)}

    def figure(self, height: int) -> go.Figure:
        """Everything at once: adding one thing at a time, plotly checks it all again each time."""
        layout = {
            "template": template(self.theme),
            "height": height,
            "shapes": self.shapes,
            "annotations": self.annotations,
            "xaxis": self.depth_axis,
            "yaxis": self.value_axis,
        }
        return go.Figure(self.traces, layout | self.layout)
