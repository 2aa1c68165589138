"""Text of a plotly figure for a drawing that knows no tags: lines, bold, coloured pieces, anchors and shifts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import unescape
from typing import Any, Literal

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.offsetbox import AnnotationBbox, HPacker, TextArea, VPacker
from matplotlib.text import Annotation
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Transform

from oversmooth.report.paper.chart import Values
from oversmooth.report.paper.presets import Preset
from oversmooth.report.paper.symbols import colour
from oversmooth.report.paper.typefaces import Typefaces

Fits = Callable[[str], bool]
"""Says whether a line of plain text fits."""

_PARTS = re.compile(r"<(/?)([a-z]+)([^<>]*)>|((?:(?!</?[a-z]+[^<>]*>).)+)", re.DOTALL)
"""A tag with its attributes, or what stands between two tags."""
_COLOUR = re.compile(r"color:\s*([^;\"]+)")
Align = Literal["left", "center", "right"]
Point = tuple[float, float]

_SHARE = {"left": 0.0, "bottom": 0.0, "center": 0.5, "middle": 0.5, "right": 1.0, "top": 1.0}
_HORIZONTAL: Mapping[float, Literal["left", "center", "right"]] = {0.0: "left", 0.5: "center", 1.0: "right"}
_VERTICAL: Mapping[float, Literal["bottom", "center", "top"]] = {0.0: "bottom", 0.5: "center", 1.0: "top"}
_LINES = 0.25
"""Room between two lines, in sizes of the text."""


@dataclass(frozen=True)
class Piece:
    """A stretch of text in one style."""

    text: str
    bold: bool = False
    italic: bool = False
    colour: str | None = None
    """None for the colour of the whole."""


def lines(text: str) -> list[list[Piece]]:
    """The lines of a plotly text, each in pieces of one style; entities are resolved, other tags are left out."""
    found: list[list[Piece]] = [[]]
    styles = [Piece("")]
    for end, tag, attributes, words in _PARTS.findall(text):
        if words:
            found[-1].append(replace(styles[-1], text=unescape(words)))
        elif tag == "br":
            found.append([])
        elif end:
            styles = styles[:-1] or styles
        else:
            colour = _COLOUR.search(attributes)
            style = replace(styles[-1], colour=colour[1].strip()) if colour else styles[-1]
            styles.append(replace(style, bold=style.bold or tag == "b", italic=style.italic or tag == "i"))
    return found


def plain(text: str) -> str:
    """The text without its tags; lines end with a line feed."""
    return "\n".join("".join(piece.text for piece in line) for line in lines(text))


def wrapped(text: str, fits: Fits) -> str:
    """The same markup with its lines broken between words where they do not fit; no tag may reach over a line.

    A line that holds groups of words, parted by several spaces, is broken between these. A single word that does not
    fit stays whole.
    """
    return "<br>".join(part for line in text.split("<br>") for part in _folded(line, lambda part: fits(plain(part))))


def broken(text: str, fits: Fits) -> str:
    """The same for plain text with line feeds."""
    return "\n".join(part for line in text.split("\n") for part in _folded(line, fits))


def _folded(line: str, fits: Fits) -> list[str]:
    if fits(line):
        return [line]
    gap = "   " if re.search(r"[ \u00a0]{3}", line) else " "
    found = [""]
    # Not at a space within a tag.
    for word in re.split(rf"[ \u00a0]{{{len(gap)},}}(?![^<]*>)", line):
        longer = f"{found[-1]}{gap}{word}" if found[-1] else word
        if found[-1] and not fits(longer):
            found.append(word)
        else:
            found[-1] = longer
    return found


@dataclass(frozen=True)
class Style:
    """How a text is set."""

    size: float
    """Points."""
    colour: str
    align: Align = "center"
    angle: float = 0.0
    """Degrees, counter-clockwise."""
    bold: bool = False

    @classmethod
    def of(cls, settings: Values, preset: Preset) -> Style:
        """Of an annotation or a title, with its font."""
        font = settings["font"]
        angle = -float(settings.get("textangle") or 0)
        return cls(preset.size(font["size"]), font["color"], settings.get("align", "center"), angle)


def share(anchor: str | None, position: float) -> float:
    """Where a text is held, as a share of its extent; plotly's own choice by position where none is given."""
    if anchor in _SHARE:
        return _SHARE[anchor]
    return 0.0 if position < 1 / 3 else 1.0 if position > 2 / 3 else 0.5


def put(
    figure: Figure, text: str, style: Style, at: Point, across: tuple[Transform, Transform], held: Point, shift: Point,
    typefaces: Typefaces,
) -> Annotation | AnnotationBbox:  # fmt: skip
    """Put a text, given as markup, at a point of a page whose coordinates are ``across``.

    ``held`` is which part of the text stands there, in shares of its extent; ``shift`` moves it, in points to the right
    and upwards.
    """
    rows = [[replace(piece, text=typefaces.shown(piece.text)) for piece in line or [Piece("")]] for line in lines(text)]
    if style.angle or all(
        (piece.bold, piece.italic, piece.colour) == (False, False, None) for r in rows for piece in r
    ):
        note: Annotation | AnnotationBbox = Annotation(
            "\n".join("".join(piece.text for piece in row) for row in rows),
            at, shift, across, "offset points", annotation_clip=False,
            size=style.size, color=colour(style.colour), rotation=style.angle, weight=_weight(style.bold),
            ha=_HORIZONTAL[held[0]], va=_VERTICAL[held[1]], multialignment=style.align, linespacing=1 + _LINES,
        )  # fmt: skip
        figure.add_artist(note)
        return note
    packed: list[Artist] = [
        HPacker(children=[_area(piece, style) for piece in row], align="baseline", pad=0, sep=0) for row in rows
    ]
    box = VPacker(children=packed, align=style.align, pad=0, sep=_LINES * style.size)
    note = AnnotationBbox(
        box, at, shift, across, "offset points", box_alignment=held, frameon=False, pad=0, annotation_clip=False,
    )  # fmt: skip
    figure.add_artist(note)
    return note


def _weight(bold: bool) -> str:
    return "bold" if bold else "normal"


def _area(piece: Piece, style: Style) -> TextArea:
    properties: dict[str, Any] = {
        "size": style.size,
        "color": colour(piece.colour or style.colour),
        "weight": _weight(piece.bold or style.bold),
        "style": "italic" if piece.italic else "normal",
    }
    return TextArea(piece.text, textprops=properties)


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Width of one line of plain text, in points."""
    return text_to_path.get_text_width_height_descent(text, FontProperties(size=size, weight=_weight(bold)), False)[0]
