"""Text of a plotly figure on a matplotlib one: several lines, bold, coloured pieces, anchors and shifts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.offsetbox import AnnotationBbox, HPacker, TextArea, VPacker
from matplotlib.text import Annotation
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Transform

from oversmooth.report.paper import markup
from oversmooth.report.paper.chart import Values
from oversmooth.report.paper.colours import colour
from oversmooth.report.paper.markup import Piece
from oversmooth.report.paper.presets import Preset
from oversmooth.report.paper.typefaces import Typefaces

Align = Literal["left", "center", "right"]
Point = tuple[float, float]

_SHARE = {"left": 0.0, "bottom": 0.0, "center": 0.5, "middle": 0.5, "right": 1.0, "top": 1.0}
_HORIZONTAL: Mapping[float, Literal["left", "center", "right"]] = {0.0: "left", 0.5: "center", 1.0: "right"}
_VERTICAL: Mapping[float, Literal["bottom", "center", "top"]] = {0.0: "bottom", 0.5: "center", 1.0: "top"}
_LINES = 0.25
"""Room between two lines, in sizes of the text."""


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
    """Put a text at a point of a page.

    Args:
        figure: the page.
        text: as markup.
        style: of its plain parts.
        at: the point.
        across: coordinates of the point, for x and y.
        held: which part of the text stands there, in shares of its extent.
        shift: points to the right and upwards.
        typefaces: for all its characters.
    """
    rows = [[_shown(piece, typefaces) for piece in line or [Piece("")]] for line in markup.lines(text)]
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


def _shown(piece: Piece, typefaces: Typefaces) -> Piece:
    return Piece(typefaces.shown(piece.text), piece.bold, piece.italic, piece.colour)


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
