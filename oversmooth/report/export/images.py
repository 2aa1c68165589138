"""A figure as the bytes of a file: vectors or pixels for paper, a page of its own for the screen.

Quick to import: matplotlib takes a second to load, and is loaded when the first figure is drawn on paper.
"""

from __future__ import annotations

from typing import Final

import plotly.graph_objects as go

from oversmooth.core.errors import OutputError
from oversmooth.report.export.formats import ToWrite, figure_formats, image_formats
from oversmooth.report.paper.presets import Preset

RESOLUTIONS: Final = (300, 600)
"""Dots per inch of PNG files."""
_DOTS = (50, 2400)
_MOST_PIXELS = 12_000
"""Width of a PNG; twice as many would take a gigabyte of memory."""


def image(figure: go.Figure, form: str, preset: Preset, *, dpi: int = 300, record: str = "", title: str = "") -> bytes:
    """The figure in a file format; the same figure gives the same bytes on one machine.

    PDF and SVG hold curves as vectors and a map as one pixel a cell, lossless. Text stays text; a PDF embeds its fonts
    as TrueType. HTML needs no network. No format needs a browser.

    Args:
        figure: of the light theme, and for paper as it was drawn; HTML takes any.
        form: the format, one of :func:`oversmooth.report.export.formats.image_formats`.
        preset: size and type on paper; HTML has the size of the screen.
        dpi: dots per inch of PNG.
        record: how the numbers came about (JSON), kept in the metadata: ``Keywords`` of PDF, the description of SVG,
            the text ``oversmooth-record`` of PNG.
        title: what is shown; above the chart where the preset is ``titled``, and in the metadata.

    Raises:
        OutputError: for a format, resolution or figure that cannot be written.
    """
    known = image_formats()
    if form not in known:
        raise OutputError(f"There is no format “{form}” for figures: choose {', '.join(known[:-1])} or {known[-1]}.")
    declared = figure_formats()[form]
    if declared.write is not None:
        written = declared.write(ToWrite(figure=figure, name="figure", title=title, preset=preset, is_curve=False))
        return written[form]
    if form == "png":
        require_resolution(preset, dpi)
    from oversmooth.report.paper.files import write
    from oversmooth.report.paper.known import chart_of

    keys = declared.metadata
    texts = {keys.owner: "Oversmooth", keys.record: record, "Title": title}
    metadata = {key: value for key, value in texts.items() if value} | ({keys.date: None} if keys.date else {})
    heading = title if preset.titled else ""
    return write(chart_of(figure), form, preset, dpi=dpi, heading=heading, metadata=metadata)


def require_resolution(preset: Preset, dpi: int) -> None:
    """Refuse a resolution before anything is drawn.

    Raises:
        OutputError: where a PNG of that size cannot have so many dots per inch.
    """
    if not (_DOTS[0] <= dpi <= _DOTS[1] and preset.width * dpi <= _MOST_PIXELS):
        raise OutputError(f"A PNG {preset.width:g} in wide cannot have {dpi} dots per inch: choose 300 or 600.")


def missing_characters(figure: go.Figure, preset: Preset, *, title: str = "") -> str:
    """Characters of the figure that no installed font has: on paper, their code points stand in their place.

    Raises:
        OutputError: for a figure that cannot be drawn.
    """
    from oversmooth.report.paper.files import missing
    from oversmooth.report.paper.known import chart_of

    return missing(chart_of(figure), preset, title if preset.titled else "")
