"""How each side of a comparison looks, everywhere it is drawn, and what it is called there."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from oversmooth.core.tokens import escape, visible
from oversmooth.core.wording import count
from oversmooth.report.figures.theme import Theme
from oversmooth.report.findings.absences import by_reason
from oversmooth.results.comparison import Comparison

NAME_CHARACTERS = 32
"""Longest name on a figure; longer labels are shortened in the middle and whole on hover."""
_HOVER_CHARACTERS = 60

DASHES: Final[Mapping[str, Sequence[float]]] = {
    "solid": (),
    "dot": (1, 1),
    "dash": (3, 3),
    "longdash": (5, 5),
    "dashdot": (3, 1, 1, 1),
    "longdashdot": (5, 2, 1, 2),
}
"""Lengths of lines and gaps of plotly's dashes, in line widths of at least ``_THICK`` pixels."""
_THICK = 3.0
_DASHES = ("dash", "dot", "dashdot", "longdash", "8px 2px 2px 2px 2px 2px", "2px 6px")
_SYMBOLS = ("square", "diamond", "triangle-up", "triangle-down", "cross", "star")
_GLYPHS = ("■", "◆", "▲", "▼", "✚", "★")


@dataclass(frozen=True)
class Identity:
    """Colour, dash and marker of one side: any one of the three tells it from the others."""

    colour: str
    """As ``#rrggbb``."""
    dash: str
    """As plotly's ``line.dash``."""
    symbol: str
    """As plotly's ``marker.symbol``."""
    glyph: str
    """The same marker as a character, for words beside a figure."""
    width: float
    """Of its lines, in pixels."""

    @property
    def key(self) -> str:
        """The marker in its colour, as markup for a plotly annotation."""
        return f'<span style="color:{self.colour}">{self.glyph}</span>'

    @property
    def line(self) -> dict[str, Any]:
        """Plotly's ``line``."""
        return {"color": self.colour, "dash": self.dash, "width": self.width}


@dataclass(frozen=True)
class NamedSide:
    """One measurement of a comparison, ready to be named and drawn."""

    label: str
    """As the user gave it: the key of ``Comparison.measurements``."""
    name: str
    """Made visible, shortened to ``NAME_CHARACTERS`` and kept apart from the others; not yet escaped."""
    identity: Identity

    @property
    def markup(self) -> str:
        """The name for a plotly label."""
        return escape(self.name)

    @property
    def hover(self) -> str:
        """The whole label for a plotly hover box, in lines."""
        return "<br>".join(escape(line) for line in textwrap.wrap(visible(self.label), _HOVER_CHARACTERS))


def identity(theme: Theme, position: int) -> Identity:
    """The looks of the side at a position: 0 is the baseline, then the variants in order.

    From the seventh variant on, colours come again with other markers.
    """
    if position == 0:
        return Identity(theme.text, "solid", "circle", "●", 3.0)
    turn, index = divmod(position - 1, len(_DASHES))
    marker = (index + turn) % len(_SYMBOLS)
    return Identity(theme.categories[index], _DASHES[index], _SYMBOLS[marker], _GLYPHS[marker], 2.0)


def dash_lengths(dash: str, width: float) -> list[float]:
    """Lines and gaps in pixels, of a dash by its name or written out as ``8px 2px``; none of a solid line."""
    if dash in DASHES:
        return [length * max(width, _THICK) for length in DASHES[dash]]
    return [float(length) for length in re.findall(r"[\d.]+", dash)]


def sides(comparison: Comparison, theme: Theme) -> list[NamedSide]:
    """All sides of a comparison, the baseline first."""
    names = short_names(list(comparison.measurements))
    looks = {label: identity(theme, comparison.position(label)) for label in comparison.measurements}
    return [NamedSide(label, names[label], looks[label]) for label in comparison.measurements]


def sides_in_words(comparison: Comparison) -> str:
    """``a baseline and 2 variants``."""
    return f"a baseline and {count(len(comparison.variants), 'variant')}"


def left_out(without: Mapping[str, str]) -> list[str]:
    """A sentence for each reason why sides, by their labels, are not drawn."""
    return by_reason({visible(label): why for label, why in without.items()})


def short_names(labels: Sequence[str], most: int = NAME_CHARACTERS) -> dict[str, str]:
    """Each label made visible and, where it is too long, shortened in the middle; no two alike."""
    names = {each: shortened(visible(each), most) for each in labels}
    shown = list(names.values())
    return {each: f"{name} ({n})" if shown.count(name) > 1 else name for n, (each, name) in enumerate(names.items())}


def shortened(text: str, most: int) -> str:
    """A visible text of at most so many characters, with … in the place of its middle."""
    if len(text) <= most:
        return text
    head = most // 2
    return f"{text[:head].rstrip()}…{text[len(text) - (most - head - 1) :].lstrip()}"
