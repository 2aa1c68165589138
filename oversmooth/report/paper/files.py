"""A chart drawn by matplotlib at a size on paper, and the bytes of its PDF, SVG or PNG file."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.transforms import Transform, blended_transform_factory

from oversmooth.core.tokens import escape
from oversmooth.report.figures.canvas import legend
from oversmooth.report.paper import axes as axis_settings
from oversmooth.report.paper import words
from oversmooth.report.paper.axes import ColourBar
from oversmooth.report.paper.chart import Chart, Values, axes_of, axis_name
from oversmooth.report.paper.marks import draw_bars, draw_map, draw_scatter, draw_shape, legend_key
from oversmooth.report.paper.presets import Preset
from oversmooth.report.paper.sheet import Note, Sheet, shorten_labels, thin_labels, wrap_titles
from oversmooth.report.paper.symbols import colour
from oversmooth.report.paper.typefaces import Typefaces, choose, embeddable
from oversmooth.report.paper.words import Style, plain, wrapped

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
_AROUND = 2.0
"""Pixels around the words of an annotation."""


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
    drawn = (character for word in chart.words() for character in plain(word))
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


def draw(chart: Chart, preset: Preset, typefaces: Typefaces, *, title: str = "") -> Figure:
    """A chart on paper: the same lines, dashes, markers, colours and words.

    Everything of the chart is known to :mod:`~oversmooth.report.paper.known`; matplotlib's setting ``font.family``
    names the same typefaces. ``title`` is plain text above it.
    """
    sheet = Sheet.of(chart, preset)
    for number, pair in enumerate(chart.pairs()):
        sheet.panes[pair] = _pane(sheet, pair, number)
    _traces(sheet, typefaces)
    for shape in chart.canvas.shapes:
        pane, across = _place(sheet, shape)
        draw_shape(pane, shape, blended_transform_factory(*across), preset.points_per_pixel)
    sheet.notes += [_note(sheet, note, typefaces) for note in chart.notes]
    _heading(sheet, title, typefaces)
    if chart.legend():
        sheet.legend = _legend(sheet, typefaces)
    shorten_labels(sheet)
    sheet.fit()
    sheet.settle()
    changed = [thin_labels(sheet), wrap_titles(sheet)]
    if any(changed):
        sheet.fit()
        sheet.settle()
    # Not before a title that is longer than its axis is broken into lines.
    sheet.require_room()
    return sheet.figure


def _pane(sheet: Sheet, pair: tuple[str, str], number: int) -> Axes:
    pane = sheet.figure.add_axes((0, 0, 1, 1), label=" ".join(pair), zorder=number)
    pane.set_facecolor("none")
    pane.set_axisbelow(True)
    # A square map keeps to the corner where its words begin.
    pane.set_anchor("NW")
    if sheet.chart.is_square(pair):
        pane.set_aspect("equal")
    return pane


def _traces(sheet: Sheet, typefaces: Typefaces) -> None:
    chart, unit = sheet.chart, sheet.preset.points_per_pixel
    for trace in chart.traces:
        pane = sheet.panes[axes_of(trace)]
        if trace["type"] == "heatmap":
            draw_map(pane, trace, square=chart.is_square(axes_of(trace)))
            if trace.get("showscale", True):
                sheet.bar = ColourBar.of(pane, trace, chart.canvas.theme, sheet.preset, typefaces)
        elif trace["type"] == "bar":
            draw_bars(pane, trace, unit)
        else:
            draw_scatter(pane, trace, chart, unit)
    drawn: set[str] = set()
    for pair, pane in sheet.panes.items():
        for name in pair:
            axis_settings.set_up(pane, name, chart, sheet.preset, typefaces, decorate=name not in drawn)
            drawn.add(name)


def _place(sheet: Sheet, item: Values) -> tuple[Axes, tuple[Transform, Transform]]:
    """The axes that an item belongs to, and its coordinates."""
    references = [str(item.get(f"{side}ref", side)) for side in "xy"]
    wanted = [None if each == "paper" else axis_name(each) for each in references]
    pane = next(
        axes
        for pair, axes in sheet.panes.items()
        if all(ours in (None, each) for ours, each in zip(wanted, pair, strict=True))
    )
    systems = [
        sheet.paper if each == "paper" else pane.transAxes if each.endswith("domain") else pane.transData
        for each in references
    ]
    return pane, (systems[0], systems[1])


def _note(sheet: Sheet, note: Values, typefaces: Typefaces) -> Note:
    preset, chart = sheet.preset, sheet.chart
    _, across = _place(sheet, note)
    x, y = float(note["x"]), float(note["y"])
    at = []
    for side, value in (("x", x), ("y", y)):
        reference = str(note.get(f"{side}ref", side))
        plain = reference != "paper" and not reference.endswith("domain")
        # On a logarithmic axis plotly places words by their exponent, unlike shapes.
        at.append(10**value if plain and chart.is_log(axis_name(reference)) else value)
    held = words.share(note.get("xanchor"), x), words.share(note.get("yanchor"), y)
    unit = preset.points_per_pixel
    # Plotly keeps a little room around words, so that they stand off what they are anchored to.
    xshift, yshift = (
        (float(note.get(f"{side}shift", 0)) + _AROUND * (1 - 2 * part)) * unit
        for side, part in zip("xy", held, strict=True)
    )
    style = Style.of(note, preset)
    text = _wrapped(sheet, str(note.get("text", "")), style, typefaces)
    artist = words.put(sheet.figure, text, style, (at[0], at[1]), across, held, (xshift, yshift), typefaces)
    # “Beside” are the names of lines to the right of the chart, and those of axes to its left.
    relative = note.get("xref") == "paper"
    return Note(artist, (xshift, yshift), beside=relative and (x, held[0]) in ((1.0, 0.0), (0.0, 1.0)))


def _wrapped(sheet: Sheet, text: str, style: Style, typefaces: Typefaces) -> str:
    """Markup in lines that are no wider than the page."""
    room = sheet.inner.width
    return wrapped(text, lambda line: words.width_of(typefaces.shown(line), style.size, bold=style.bold) <= room)


def _heading(sheet: Sheet, title: str, typefaces: Typefaces) -> None:
    """What the caller says above the chart."""
    if title:
        edge, style = sheet.preset.edge, Style(sheet.preset.size(13), sheet.chart.canvas.theme.text, "left", bold=True)
        lines, across = _wrapped(sheet, escape(title), style, typefaces), (sheet.points, sheet.points)
        artist = words.put(sheet.figure, lines, style, (0, 0), across, (0.0, 1.0), (edge, 0), typefaces)
        sheet.heading = Note(artist, (edge, 0), beside=False)


def _legend(sheet: Sheet, typefaces: Typefaces) -> Legend:
    """Below the chart, in as many columns of one width as fit; entries in their order, row by row."""
    settings, preset = legend(sheet.chart.canvas.theme), sheet.preset
    unit, font = preset.points_per_pixel, settings["font"]
    size = preset.size(font["size"])
    key = settings["itemwidth"] * unit
    entries = [(legend_key(trace, unit), typefaces.shown(plain(trace["name"]))) for trace in sheet.chart.legend()]
    gap, between = 0.5 * size, 1.5 * size
    widest = key + gap + max(words.width_of(name, size) for _, name in entries)
    columns = min(len(entries), max(1, int((sheet.inner.width + between) / (widest + between))))
    # Matplotlib fills column by column; they are shown row by row.
    handles, names = zip(*(each for column in range(columns) for each in entries[column::columns]), strict=True)
    return sheet.figure.legend(
        handles, names, ncols=columns, loc="lower left", bbox_to_anchor=sheet.inner.p0,
        bbox_transform=sheet.points,
        frameon=False, borderpad=0, borderaxespad=0, handlelength=key / size, handletextpad=gap / size,
        columnspacing=between / size, labelspacing=0.5, prop={"size": size}, labelcolor=colour(font["color"]),
    )  # fmt: skip
