"""A canvas drawn by matplotlib, at a size on paper."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.transforms import Transform, blended_transform_factory

from oversmooth.core.tokens import escape
from oversmooth.report.figures.canvas import legend
from oversmooth.report.paper import axes as axis_settings
from oversmooth.report.paper import lettering, markup, words
from oversmooth.report.paper.bars import ColourBar
from oversmooth.report.paper.chart import Chart, Values, axes_of, axis_name
from oversmooth.report.paper.colours import colour
from oversmooth.report.paper.marks import draw_bars, draw_map, draw_scatter, draw_shape, legend_key
from oversmooth.report.paper.presets import Preset
from oversmooth.report.paper.sheet import Note, Sheet
from oversmooth.report.paper.typefaces import Typefaces
from oversmooth.report.paper.words import Style

_AROUND = 2.0
"""Pixels around the words of an annotation."""

Entry = tuple[Line2D, str]


def draw(chart: Chart, preset: Preset, typefaces: Typefaces, *, title: str = "") -> Figure:
    """A chart on paper: the same lines, dashes, markers, colours and words.

    Everything of the chart is known to :mod:`~oversmooth.report.paper.known`; matplotlib's setting ``font.family``
    names the same typefaces. ``title`` is plain text above it.
    """
    sheet = Sheet.of(chart, preset)
    for number, pair in enumerate(chart.pairs()):
        sheet.panes[pair] = _pane(sheet, pair, number)
    _traces(sheet, typefaces)
    _decorations(sheet, typefaces)
    _heading(sheet, title, typefaces)
    if chart.legend():
        sheet.legend = _legend(sheet, typefaces)
    lettering.shorten_labels(sheet)
    sheet.fit()
    sheet.settle()
    changed = [lettering.thin_labels(sheet), lettering.wrap_titles(sheet)]
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


def _decorations(sheet: Sheet, typefaces: Typefaces) -> None:
    for shape in sheet.chart.canvas.shapes:
        pane, across = _place(sheet, shape)
        draw_shape(pane, shape, blended_transform_factory(*across), sheet.preset.points_per_pixel)
    for note in sheet.chart.notes:
        sheet.notes.append(_note(sheet, note, typefaces))


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
    return markup.wrapped(text, lambda line: words.width_of(typefaces.shown(line), style.size, bold=style.bold) <= room)


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
    entries = [
        (legend_key(trace, unit), typefaces.shown(markup.plain(trace["name"]))) for trace in sheet.chart.legend()
    ]
    gap, between = 0.5 * size, 1.5 * size
    widest = key + gap + max(words.width_of(name, size) for _, name in entries)
    columns = min(len(entries), max(1, int((sheet.inner.width + between) / (widest + between))))
    handles, names = zip(*_by_columns(entries, columns), strict=True)
    return sheet.figure.legend(
        handles, names, ncols=columns, loc="lower left", bbox_to_anchor=sheet.inner.p0,
        bbox_transform=sheet.points,
        frameon=False, borderpad=0, borderaxespad=0, handlelength=key / size, handletextpad=gap / size,
        columnspacing=between / size, labelspacing=0.5, prop={"size": size}, labelcolor=colour(font["color"]),
    )  # fmt: skip


def _by_columns(entries: Sequence[Entry], columns: int) -> list[Entry]:
    """In the order in which matplotlib, which fills column by column, shows them row by row."""
    return [entry for column in range(columns) for entry in entries[column::columns]]
