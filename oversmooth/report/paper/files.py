"""A chart drawn into the bytes of a PDF, SVG or PNG file."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl

from oversmooth.report.paper import markup
from oversmooth.report.paper.chart import Chart
from oversmooth.report.paper.drawing import draw
from oversmooth.report.paper.outlines import embeddable
from oversmooth.report.paper.presets import Preset
from oversmooth.report.paper.typefaces import Typefaces, choose

_SETTINGS: Final[dict[str, Any]] = {
    "pdf.fonttype": 42,  # fonts embedded as TrueType
    "svg.fonttype": "none",  # text as text
    "svg.hashsalt": "oversmooth",  # the same names inside the file each time
    "path.simplify": False,  # every point of a curve
    "text.hinting": "no_hinting",  # words as wide at every resolution
    "text.parse_math": False,  # a dollar sign in a token is one, never the start of a formula
}
_DIGITS = "0123456789⁰¹²³⁴⁵⁶⁷⁸⁹⁻+−-.,%e⟨U⟩ABCDEF…"
"""What numbers, replaced characters and shortened words are written with."""
_ALONE = threading.Lock()
"""Matplotlib's settings and fonts belong to the whole process: one figure at a time."""


def write(
    chart: Chart, form: str, preset: Preset, *, dpi: int, heading: str, metadata: Mapping[str, str | None]
) -> bytes:
    """The file; the same chart gives the same bytes on one machine.

    All parts of the chart are known. ``heading`` is plain text above it; ``metadata`` is as matplotlib takes it for the
    form.
    """
    text = _characters(chart, heading)
    buffer = io.BytesIO()
    with _ALONE:
        typefaces = choose(preset.typeface, text)
        with _families(form, typefaces, preset, text) as families, mpl.rc_context():
            # Not the settings of a notebook that draws figures of its own.
            mpl.rcdefaults()
            settings: dict[Any, Any] = _SETTINGS | families
            mpl.rcParams.update(settings)
            figure = draw(chart, preset, typefaces, title=heading)
            if form == "png":
                # Whole pixels, however the product of inches and dots is rounded.
                wide, high = (round(inches * dpi) / dpi + 1e-9 for inches in figure.get_size_inches())
                figure.set_size_inches(wide, high)
            figure.savefig(buffer, format=form, dpi=dpi if form == "png" else "figure", metadata=metadata)
    return buffer.getvalue()


def missing(chart: Chart, preset: Preset, heading: str) -> str:
    """Characters that no installed font has."""
    with _ALONE:
        return choose(preset.typeface, _characters(chart, heading)).missing


def _characters(chart: Chart, heading: str) -> str:
    drawn = (character for word in chart.words() for character in markup.plain(word))
    return "".join(sorted({*_DIGITS, *heading, *drawn}))


@contextmanager
def _families(form: str, typefaces: Typefaces, preset: Preset, text: str) -> Iterator[dict[str, list[str]]]:
    """Matplotlib's settings of the fonts."""
    fonts = list(typefaces.families)
    if form == "pdf":
        with embeddable(typefaces, text) as families:
            yield {"font.family": families}
    elif form == "svg":
        # An SVG names its fonts; where they are not installed, any of their kind.
        kind = "serif" if preset.typeface == "serif" else "sans-serif"
        yield {"font.family": [*fonts, kind], f"font.{kind}": fonts}
    else:
        yield {"font.family": fonts}
