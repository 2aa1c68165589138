"""A figure as the bytes of a file: vectors or pixels for paper, a page of its own for the screen.

Quick to import: matplotlib takes a second to load, and is loaded when the first figure is drawn on paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go

from oversmooth.core.errors import OutputError
from oversmooth.core.progress import Progress, Report, silent
from oversmooth.report.export.formats import IMAGES, figure_formats, folders, image_formats
from oversmooth.report.paper.presets import Preset

RESOLUTIONS: Final = (300, 600)
"""Dots per inch of PNG files."""
_DOTS = (50, 2400)
_MOST_PIXELS = 12_000
"""Width of a PNG; twice as many would take a gigabyte of memory."""
if TYPE_CHECKING:
    from oversmooth.report.figures.registry import Drawable
    from oversmooth.report.paper.presets import Preset
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement


def image(
    figure: go.Figure,
    form: str,
    preset: Preset,
    *,
    dpi: int = 300,
    record: str = "",
    title: str = "",
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
) -> bytes:
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
        x_range: ends of the axis across on paper, over depth in numbers of blocks; None for those of the figure.
        y_range: ends of the axis upwards.

    Raises:
        OutputError: for a format, resolution or figure that cannot be written.
    """
    known = image_formats()
    if form not in known:
        raise OutputError(f"There is no format “{form}” for figures: choose {', '.join(known[:-1])} or {known[-1]}.")
    declared = figure_formats()[form]
    if declared.write is not None:
        if (x_range, y_range) != (None, None):
            raise OutputError(f"Ranges are given for paper: where a figure goes into {form}, set its own.")
        written = declared.write(figure, name="figure", title=title, preset=preset, is_curve=False)
        return written[form]
    if form == "png":
        require_resolution(preset, dpi)
    from oversmooth.report.paper.files import write
    from oversmooth.report.paper.known import chart_of

    keys = declared.metadata
    texts = {keys.owner: "Oversmooth", keys.record: record, "Title": title}
    metadata = {key: value for key, value in texts.items() if value} | ({keys.date: None} if keys.date else {})
    heading = title if preset.titled else ""
    chart = chart_of(figure).within({"x": x_range, "y": y_range})
    return write(chart, form, preset, dpi=dpi, heading=heading, metadata=metadata)


def require_resolution(preset: Preset, dpi: int) -> None:
    """Refuse a resolution before anything is drawn.

    Raises:
        OutputError: where a PNG of that size cannot have so many dots per inch.
    """
    if not (_DOTS[0] <= dpi <= _DOTS[1] and preset.width * dpi <= _MOST_PIXELS):
        raise OutputError(f"A PNG {preset.width:g} in wide cannot have {dpi} dots per inch: choose 300 or 600.")


def missing_characters(figure: go.Figure, preset: Preset, *, title: str = "") -> str:
    """Characters of the figure that no installed font has: on paper, their code points stand in their place."""
    from oversmooth.report.paper.files import missing
    from oversmooth.report.paper.known import chart_of

    return missing(chart_of(figure), preset, title if preset.titled else "")


def drawings(
    result: Measurement | Comparison,
    figures: Mapping[str, Drawable],
    forms: Sequence[str],
    preset: Preset,
    *,
    dpi: int = 300,
    report: Report = silent,
) -> dict[str, bytes]:
    """Files by their path: ``figures/token_cosine.pdf``, ``latex/figures.tex``, ``pgfplots/token_cosine.tex``.

    Figures are of the light theme; ``forms`` are image formats, ``latex`` for an environment around each figure, and
    ``pgfplots`` for a drawing and a CSV file of each curve over depth. ``report`` is told of each figure before it is
    drawn.
    """
    record = result.record.to_json()
    found: dict[str, bytes] = {}
    chosen = [each for name, each in figure_formats().items() if name in forms]
    images = [each.name for each in chosen if each.folder == IMAGES]
    for number, (name, each) in enumerate(figures.items()):
        figure = each.build()
        for done, form in enumerate(images, number * len(images)):
            report(Progress("write", done, len(figures) * len(images), f"{name}.{form}"))
            content = image(figure, form, preset, dpi=dpi, record=record, title=each.title)
            found[f"{IMAGES}/{name}.{form}"] = content
        about = {"name": name, "title": each.title, "preset": preset, "is_curve": each.declared.pgfplots}
        for other in chosen:
            if other.write is not None and other.folder != IMAGES:
                files = other.write(figure, **about)
                found |= {f"{other.folder}/{name}.{ending}": content for ending, content in files.items()}
    found |= {each.file: each.gather(result, figures, preset) for each in chosen if each.gather is not None}
    order = folders()
    return dict(sorted(found.items(), key=lambda item: order.index(item[0].partition("/")[0])))
