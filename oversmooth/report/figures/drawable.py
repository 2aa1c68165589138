"""A figure that can be drawn, before it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import plotly.graph_objects as go

Build = Callable[[], go.Figure]


@dataclass(frozen=True)
class Drawable:
    """A figure that can be drawn, and what is said of it."""

    title: str
    """What it shows, as a heading of plain text."""
    metrics: tuple[str, ...]
    """The metrics on its axes; none for maps and spectra."""
    point: str | None
    """Where in the model; None for curves over depth."""
    build: Build
    """Draws it."""
    drawn: str = ""
    """What is drawn of several texts, in sentences for a caption; empty of one."""
    quantities: tuple[str, ...] = ()
    """The quantities of an explanation that it shows."""
    pgfplots: bool = True
    """Whether, as a curve over depth, it is made of lines and markers alone."""


Named = Iterator[tuple[str, Drawable]]
"""Figures with the names of their files."""
