"""A curve figure as a pgfplots drawing and the CSV file that it reads: the paper's own fonts, the very numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from matplotlib.colors import to_hex
from matplotlib.path import Path
from numpy.typing import ArrayLike

from oversmooth.report.export.latex import UNICODE, escaped, needs_unicode
from oversmooth.report.paper.axes import ticks
from oversmooth.report.paper.chart import Chart, Pair, Values, array, axes_of, title_of
from oversmooth.report.paper.known import chart_of
from oversmooth.report.paper.marks import Look, looks_of
from oversmooth.report.paper.presets import Preset
from oversmooth.report.paper.symbols import MARKERS, colour, line_style
from oversmooth.report.paper.words import plain

HEAD: Final = """\
% Needs \\usepackage{pgfplots} and \\pgfplotsset{compat=1.18}, and \\usepackage[T1]{fontenc} for accents.
% The numbers are read from CSV: where that lies elsewhere, change the path in \\addplot.
"""
_NO_NUMBER: Final = "nan"
_COLOUR: Final = re.compile(r"oversmooth[0-9a-f]{6}")


def mark_of(look: Look) -> str:
    """Name of a declared marker."""
    return f"oversmooth-{look.symbol}"


def options_of(look: Look, unit: float) -> str:
    """For ``mark options`` or a class of ``scatter``."""
    fill = "" if look.is_hollow else f"fill={name_of(look.fill)}, "
    return f"solid, draw={name_of(look.edge)}, {fill}line width={look.width * unit:g}bp"


def name_of(written: str) -> str:
    """What a colour is called in the file."""
    return f"oversmooth{to_hex(colour(written))[1:]}"


def opacity_of(written: str) -> str:
    """Of a colour, which its name does not hold."""
    return f"{colour(written)[3]:.3g}"


def colours(sources: Iterable[str]) -> list[str]:
    """Definitions of the colours by these names."""
    names = sorted(set(sources))
    return [rf"\definecolor{{{name}}}{{HTML}}{{{name.removeprefix('oversmooth').upper()}}}" for name in names]


def declaration(mark: str) -> str:
    """An outline in radii of the marker, filled unless it is open."""
    symbol = mark.removeprefix("oversmooth-")
    draw = r"\pgfusepathqstroke" if symbol.endswith("-open") else r"\pgfusepathqfillstroke"
    outline = _outline(symbol.removesuffix("-open"))
    return f"\\pgfdeclareplotmark{{{mark}}}{{%\n{outline}  {draw}}}"


def _outline(symbol: str) -> str:
    if symbol == "circle":
        return "  \\pgfpathcircle{\\pgfpointorigin}{\\pgfplotmarksize}%\n"
    corners: Path = MARKERS[symbol]
    places = [
        rf"\pgfqpoint{{{x:.4f}\pgfplotmarksize}}{{{y:.4f}\pgfplotmarksize}}"
        for x, y in np.asarray(corners.vertices)[:-1].tolist()
    ]
    steps = [rf"\pgfpathmoveto{{{places[0]}}}", *(rf"\pgfpathlineto{{{place}}}" for place in places[1:])]
    return "".join(f"  {step}%\n" for step in [*steps, r"\pgfpathclose"])


def line_options(trace: Values, unit: float) -> list[str]:
    """Colour, width and dash of a trace's line, or of its area; ``unit`` is what a pixel becomes, in points."""
    if "fill" in trace:
        # Filling closes each piece of the path; \closedcycle would draw it down to the axis.
        return ["draw=none", f"fill={name_of(trace['fillcolor'])}", f"fill opacity={opacity_of(trace['fillcolor'])}"]
    if "lines" not in trace["mode"]:
        return ["only marks"]
    line = trace.get("line", {})
    width = line.get("width", 2)
    style = line_style(line.get("dash", "solid"), width)
    found = [f"color={name_of(line['color'])}", f"line width={width * unit:.3g}bp"]
    if opacity_of(line["color"]) != "1":
        found.append(f"draw opacity={opacity_of(line['color'])}")
    if style != "solid":
        lengths = [f"{length * width * unit:.3g}bp" for length in style[1]]
        pairs = zip(lengths[::2], lengths[1::2], strict=True)
        found.append(f"dash pattern={' '.join(f'on {on} off {off}' for on, off in pairs)}")
    return found


def pgfplots(figure: go.Figure, preset: Preset, data: str) -> tuple[str, str] | None:
    """LaTeX source and CSV of a figure of lines and markers; None where there is nothing to draw.

    LaTeX finds the CSV file under the path ``data``. Its columns are ``x1,y1`` of the first trace and so on, as the
    comments of the source name them, with ``nan`` where there is no number; ``mark1`` names the marker of each point
    where a trace has several.
    """
    chart = chart_of(figure)
    if not chart.traces:
        return None
    drawing = _Drawing(chart, preset, data)
    body = "\n".join(drawing.lines())
    marks = "\n".join(declaration(mark) for mark in sorted(drawing.marks))
    palette = "\n".join(colours(_COLOUR.findall(body)))
    unicode = UNICODE if needs_unicode(body) else ""
    source = f"{HEAD}{unicode}{marks}\n\\begin{{tikzpicture}}\n{palette}\n{body}\n\\end{{tikzpicture}}\n"
    return source, drawing.csv()


def _words(text: str) -> str:
    """Markup of plotly as LaTeX, its lines below each other."""
    lines = plain(text).split("\n")
    return r"\\".join(escaped(line) if line.strip() else r"\strut" for line in lines)


@dataclass
class _Drawing:
    """One figure: an axis environment for each pair of axes, over each other."""

    chart: Chart
    preset: Preset
    data: str
    marks: set[str] = field(default_factory=set)
    """Markers to declare."""
    columns: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.unit = self.preset.points_per_pixel

    def lines(self) -> Iterator[str]:
        """The axes with everything in them."""
        drawn: set[str] = set()
        for place, pair in enumerate(self.chart.pairs()):
            yield r"\begin{axis}["
            yield from (f"  {option}," for option in (*self._common(pair), *self._sides(pair, drawn)))
            drawn |= set(pair)
            if place == 0:
                yield from (f"  {option}," for option in self._legend_place(pair[0]))
            yield "]"
            if place == 0:
                yield from self._behind(pair)
            for number, trace in enumerate(self.chart.traces, start=1):
                if axes_of(trace) == pair:
                    yield from self._plot(number, trace)
            yield from self._notes(pair)
            if place == 0:
                yield from self._legend()
            yield r"\end{axis}"

    def csv(self) -> str:
        """The table that the plots read."""
        rows = max(map(len, self.columns.values()))
        # A row in which a trace has no point is skipped, whatever its marker.
        table = {
            name: [*values, *[values[0] if name.startswith("mark") else _NO_NUMBER] * (rows - len(values))]
            for name, values in self.columns.items()
        }
        return pd.DataFrame(table).to_csv(index=False, lineterminator="\n")

    def _common(self, pair: Pair) -> Iterator[str]:
        """Size and range."""
        height = self.preset.height or self.chart.canvas.height * self.unit / 72
        yield f"width={self.preset.width:g}in"
        yield f"height={height:.3f}in"
        for name in pair:
            axis, side = self.chart.axes[name], name[0]
            low, high = axis["range"]
            yield f"{side}min={float(low)!r}, {side}max={float(high)!r}"
        yield "unbounded coords=jump"
        yield "clip=false"
        yield f"font=\\fontsize{{{self.preset.points:g}}}{{{1.2 * self.preset.points:g}}}\\selectfont"

    def _sides(self, pair: Pair, drawn: set[str]) -> Iterator[str]:
        """Ticks, titles and grid of the axes that are not drawn yet."""
        for name in pair:
            axis, side = self.chart.axes[name], name[0]
            if name in drawn or axis.get("visible") is False:
                yield f"axis {side} line=none, {side}tick=\\empty"
                continue
            low, high = axis["range"]
            found = [] if axis.get("showticklabels") is False else ticks(axis, low, high, {})
            yield f"axis {side} line*={'top' if axis.get('side') == 'top' else 'left' if side == 'y' else 'bottom'}"
            yield f"{side}tick={{{','.join(repr(float(place)) for place, _ in found)}}}"
            yield f"{side}ticklabels={{{','.join(f'{{{_words(label)}}}' for _, label in found)}}}"
            yield f"{side}ticklabel style={{align=center}}, {side}tick align=outside"
            if title_of(axis):
                yield f"{side}label={{{_words(title_of(axis))}}}, {side}label style={{align=center}}"
            if axis.get("showgrid"):
                yield f"{side}majorgrids, {side}tick style={{draw=none}}"
                yield f"{side} grid style={{draw={name_of(axis['gridcolor'])}, line width={self.unit:.3g}bp}}"
            if axis.get("showline") is False:
                yield f"{side} axis line style={{draw=none}}"

    def _legend_place(self, name: str) -> Iterator[str]:
        """Below the labels of the axis."""
        rows = [str(text).count("<br>") + 1 for text in self.chart.axes[name].get("ticktext", [""])]
        down = 1.3 * self.preset.points * (max(rows) + bool(title_of(self.chart.axes[name]))) + 12
        yield (
            f"legend style={{at={{(0,0)}}, anchor=north west, yshift=-{down:.3g}bp, draw=none, legend columns=1, "
            "cells={anchor=west}}"
        )

    def _behind(self, pair: Pair) -> Iterator[str]:
        """The line at zero, and shapes over the whole height."""
        axis = self.chart.axes[pair[1]]
        if axis.get("zeroline"):
            style = f"draw={name_of(axis['zerolinecolor'])}, line width={axis['zerolinewidth'] * self.unit:.3g}bp"
            yield rf"\draw[{style}] ({{rel axis cs:0,0}}|-{{axis cs:0,0}}) -- ({{rel axis cs:1,0}}|-{{axis cs:0,0}});"
        for shape in self.chart.canvas.shapes:
            ends = [f"({{axis cs:{float(shape[f'x{end}'])!r},0}}|-{{rel axis cs:0,{end}}})" for end in (0, 1)]
            if shape["type"] == "rect":
                yield rf"\fill[{name_of(shape['fillcolor'])}] {ends[0]} rectangle {ends[1]};"

    def _plot(self, number: int, trace: Values) -> Iterator[str]:
        self.columns[f"x{number}"] = _numbers(trace["x"])
        self.columns[f"y{number}"] = _numbers(trace["y"])
        every = looks_of(trace)
        kinds = list(dict.fromkeys(every))
        self.marks |= set(map(mark_of, kinds))
        source = f"x=x{number}, y=y{number}, col sep=comma"
        options = ["forget plot", *line_options(trace, self.unit), *_marker_options(kinds, self.unit)]
        if len(kinds) > 1:
            self.columns[f"mark{number}"] = [f"m{kinds.index(look)}" for look in every]
            source += f", meta=mark{number}"
        yield f"% trace {number}: {plain(trace.get('name') or 'without a name')}"
        yield rf"\addplot[{', '.join(options)}] table[{source}] {{{self.data}}};"

    def _notes(self, pair: Pair) -> Iterator[str]:
        """Words at a position of the axis, and those above its beginning."""
        for note in self.chart.notes:
            ours = pair[0].replace("axis", "") if pair[1] == "yaxis" else None
            if note.get("xref") == ours:
                x = f"axis cs:{float(note['x'])!r},0"
            elif note.get("xref") == "paper" and note["x"] == 0 and pair == ("xaxis", "yaxis"):
                x = "rel axis cs:0,0"
            else:
                continue
            place = f"({{{x}}}|-{{rel axis cs:0,{float(note['y'])!r}}})"
            yield rf"\node[{self._style(note)}] at {place} {{{_words(note['text'])}}};"

    def _style(self, note: Values) -> str:
        """Font, and where a note stands beside its position."""
        across = {"left": "west", "right": "east"}.get(note.get("xanchor", ""), "")
        upright = {"bottom": "south", "top": "north"}.get(note.get("yanchor", ""), "")
        size = self.preset.size(note["font"]["size"])
        options = [
            f"anchor={f'{upright} {across}'.strip() or 'center'}",
            f"align={note.get('align', 'center')}, rotate={-note.get('textangle', 0)}, inner sep=0pt",
            *(f"{side}shift={note.get(f'{side}shift', 0) * self.unit:.3g}bp" for side in "xy"),
            rf"font=\fontsize{{{size:.3g}}}{{{1.2 * size:.3g}}}\selectfont, text={name_of(note['font']['color'])}",
        ]
        return ", ".join(options)

    def _legend(self) -> Iterator[str]:
        for trace in self.chart.traces:
            if trace.get("name") and trace.get("showlegend", True):
                options = [*line_options(trace, self.unit), *_marker_options(looks_of(trace)[:1], self.unit)]
                yield rf"\addlegendimage{{{', '.join(options)}}}"
                yield rf"\addlegendentry{{{_words(trace['name'])}}}"


def _marker_options(kinds: Sequence[Look], unit: float) -> list[str]:
    """No marker, one for all points, or a class for each kind."""
    if not kinds:
        return ["mark=none"]
    size = f"mark size={kinds[0].size * unit / 2:.3g}bp"
    every = [(mark_of(look), options_of(look, unit)) for look in kinds]
    if len(every) == 1:
        mark, options = every[0]
        return [f"mark={mark}", size, f"mark options={{{options}}}"]
    classes = ", ".join(f"m{number}={{mark={mark}, {options}}}" for number, (mark, options) in enumerate(every))
    return ["scatter", "scatter src=explicit symbolic", size, f"scatter/classes={{{classes}}}"]


def _numbers(values: ArrayLike) -> list[str]:
    """The fewest digits that read back to the same float."""
    return [repr(float(value)) if np.isfinite(value) else _NO_NUMBER for value in array(values)]
