"""What is drawn in one chart, told once: the screen figure and the one on paper are both made of it."""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import plotly.graph_objects as go

from oversmooth.core.tokens import escape
from oversmooth.report.figures.theme import Theme, template

LINE = 15
"""Pixels from one line of small text to the next."""
_NOTE_CHARACTERS = 58
_TITLE_CHARACTERS = 40
Path = tuple[str | int, ...]
"""Where a value stands in a figure."""
_ALONE = threading.Lock()
"""Plotly makes what checks a value when it is first set, and mixes up the axes where two threads do so at once."""
_TEXT_ONLY = "%{text}<extra></extra>"
"""Hover template of a trace whose ``text`` holds the words of each point."""


@dataclass(frozen=True)
class Pane:
    """One chart of several; ``x`` and ``y`` are plotly's names of its axes, ``x2`` and ``y2``."""

    x: str
    y: str

    @property
    def trace(self) -> dict[str, str]:
        """Keywords of a trace that belongs to it."""
        return {"xaxis": self.x, "yaxis": self.y}

    @property
    def inside(self) -> dict[str, str]:
        """Keywords of an annotation or a shape in shares of its width and height."""
        return {"xref": f"{self.x} domain", "yref": f"{self.y} domain"}


WHOLE = Pane("x", "y")
"""The one chart of a figure."""


@dataclass
class Canvas:
    """Traces, shapes, annotations and axes, in the keywords of plotly that paper knows as well.

    :mod:`oversmooth.report.paper.known` lists them; others are seen on the screen alone, and paper refuses them.
    """

    theme: Theme
    traces: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    axes: dict[str, dict[str, Any]] = field(default_factory=lambda: {"xaxis": {}, "yaxis": {}})
    """By plotly's names, ``xaxis`` to ``yaxis9``."""
    margin: dict[str, int] = field(default_factory=dict)
    """Pixels around the chart on screen, where they are not those of the theme."""
    legend: bool = False
    """Whether the traces that are told to be in it are named below the chart."""
    above: int = 0
    """Pixels that words and keys take above the chart."""
    height: int = 0
    """Of the whole, in pixels."""

    @property
    def depth_axis(self) -> dict[str, Any]:
        """The first axis across."""
        return self.axes["xaxis"]

    @property
    def value_axis(self) -> dict[str, Any]:
        """The first axis upwards."""
        return self.axes["yaxis"]

    def add(self, pane: Pane = WHOLE, /, **trace: Any) -> None:  # noqa: ANN401  plotly's own keywords
        """A scatter trace: a line, markers or an area; hover shows its ``text``, or else nothing.

        It is named in a legend only where ``showlegend`` says so.
        """
        hover = {"hovertemplate": _TEXT_ONLY} if "text" in trace else {"hoverinfo": "skip"}
        if "hovertemplate" in trace:
            hover = {}
        place = {} if pane == WHOLE else pane.trace
        self.traces.append({"type": "scatter", "showlegend": False, **hover, **place, **trace})

    def note(self, **note: Any) -> None:  # noqa: ANN401  plotly's own keywords
        """An annotation, at a position of the depth axis and a share of the height unless told otherwise."""
        self.annotations.append({"xref": "x", "yref": "y domain", **note})

    def corner(self, text: str, *, shift: int, size: int = 11, colour: str = "") -> None:
        """Lines of markup over the left end of the chart, ``shift`` pixels above it."""
        font = {"size": size, "color": colour or self.theme.muted}
        place = {"x": 0, "xref": "paper", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom"}
        self.note(text=text, align="left", yshift=shift, font=font, **place)

    def name_above(self, text: str, size: int = 12, *, shift: float = 0, **place: Any) -> None:  # noqa: ANN401
        """Words just above the chart, where no line runs; ``shift`` pixels higher."""
        font = {"size": size, "color": self.theme.text}
        self.note(text=text, y=1, yanchor="bottom", yshift=2 + shift, font=font, **place)

    def select(self, position: float, text: str, *, shift: float = 0) -> None:
        """A line at one position of the depth axis, and words above it that are kept inside the chart, if there are."""
        self.shape(type="line", x0=position, x1=position, opacity=0.6, line={"color": self.theme.muted, "width": 1})
        if text:
            low, high = self.depth_axis["range"]
            share = (position - low) / (high - low)
            anchor = "left" if share < 0.2 else "right" if share > 0.8 else "center"
            self.name_above(text, shift=shift, x=position, xanchor=anchor)

    def gap(self, first: float, last: float, hover: str, *, upright: bool) -> None:
        """A stretch of the depth axis without values: a grey area with a word in its middle, and why on hover."""
        self.shape(type="rect", x0=first, x1=last, line={"width": 0}, fillcolor=self.theme.grid)
        turned = -90 if upright else 0
        self.note(text="missing", x=(first + last) / 2, y=0.5, font={"size": 10}, textangle=turned, hovertext=hover)

    def shape(self, **shape: Any) -> None:  # noqa: ANN401  plotly's own keywords
        """Something behind the lines, over the whole height."""
        refs = {"xref": "x", "yref": "y domain", "y0": 0, "y1": 1, "layer": "below"}
        self.shapes.append(refs | shape)

    def level(self, value: float, pane: Pane = WHOLE, /, **line: Any) -> None:  # noqa: ANN401  plotly's own keywords
        """A line across the chart at one value."""
        self.shape(type="line", x0=0, x1=1, xref=f"{pane.x} domain", y0=value, y1=value, yref=pane.y, line=line)

    def remarks(self, *sentences: str) -> None:
        """Sentences of plain text over the chart and what is above it, wrapped for a phone; empty ones are left out."""
        lines = [escape(line) for sentence in sentences for line in textwrap.wrap(sentence, _NOTE_CHARACTERS)]
        if lines:
            self.corner("<br>".join(lines), shift=self.above + 4)
            self.above += LINE * len(lines) + 4

    def title_values(self, *lines: str) -> None:
        """The title of the value axis, each line broken where it is longer than the axis; not yet escaped."""
        broken = [escape(part) for line in lines for part in textwrap.wrap(line, _TITLE_CHARACTERS)]
        self.value_axis["title"] = {"text": "<br>".join(broken)}

    def figure(self, height: int, *, over: int | None = None) -> Drawn:
        """The screen figure, which knows what it was drawn from.

        ``height`` is without what stands above the chart; ``over`` pixels of it stay free there, or those of the theme.
        """
        if over is not None:
            self.margin["t"] = self.above + over
        self.height = height + self.above
        layout: dict[str, Any] = {
            "height": self.height,
            "shapes": self.shapes,
            "annotations": self.annotations,
            **self.axes,
        }
        if self.margin:
            layout["margin"] = self.margin
        if self.legend:
            layout |= {"showlegend": True, "legend": legend(self.theme)}
        if any(trace["type"] == "bar" for trace in self.traces):
            layout["barmode"] = "overlay"
        with _ALONE:
            # Everything at once: adding one thing at a time, plotly checks it all again each time.
            figure = Drawn(self.traces, {"template": template(self.theme), **layout})
        figure.canvas, figure._told = self, figure._leaves()
        return figure


class Drawn(go.Figure):  # type: ignore[misc]  # plotly has no types
    """A plotly figure that was drawn from a canvas."""

    canvas: Canvas | None = None
    """What it was drawn from; None in a copy."""
    _told: Mapping[Path, Any] = MappingProxyType({})

    @property
    def is_unchanged(self) -> bool:
        """Whether it shows what its canvas tells and nothing else."""
        now, told = self._leaves(), self._told
        return not self.frames and now.keys() == told.keys() and all(now[path] is told[path] for path in now)

    def _leaves(self) -> dict[Path, Any]:
        """Each value that plotly keeps, by where it stands; setting one puts another object there."""
        return dict(_leaves({"data": self._data, "layout": self._layout}, ()))


def _leaves(values: Any, path: Path) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401  whatever plotly keeps
    if isinstance(values, dict):
        parts: Iterable[tuple[Any, Any]] = values.items()
    elif isinstance(values, list | tuple) and values and isinstance(values[0], dict):
        parts = enumerate(values)
    else:
        yield path, values
        return
    for key, each in parts:
        yield from _leaves(each, (*path, key))


def legend(theme: Theme) -> dict[str, Any]:
    """Plotly's settings of a legend below the chart."""
    return {
        "orientation": "h", "x": 0, "xanchor": "left", "y": 0, "yref": "container", "yanchor": "bottom",
        "itemwidth": 36, "font": {"size": 11, "color": theme.text}, "maxheight": 1, "traceorder": "normal",
    }  # fmt: skip


def blank(reason: str, theme: Theme, *, height: int = 320) -> Drawn:
    """An empty chart that says why it is empty; ``reason`` is shown as it is."""
    canvas = Canvas(theme, axes={"xaxis": {"visible": False}, "yaxis": {"visible": False}})
    lines = [escape(line) for line in textwrap.wrap(reason, 44)]
    place = {"x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper"}
    canvas.note(text="<br>".join(lines), font={"size": 13}, align="center", **place)
    return canvas.figure(height)
