"""The few HTML tags of plotly's text, taken apart for a drawing that knows none."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import unescape

Fits = Callable[[str], bool]
"""Says whether a line of plain text fits."""

_PARTS = re.compile(r"<(/?)([a-z]+)([^<>]*)>|((?:(?!</?[a-z]+[^<>]*>).)+)", re.DOTALL)
"""A tag with its attributes, or what stands between two tags."""
_COLOUR = re.compile(r"color:\s*([^;\"]+)")


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
