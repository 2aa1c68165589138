"""The few HTML tags of plotly's text, taken apart for a drawing that knows none."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from html.parser import HTMLParser

Fits = Callable[[str], bool]
"""Says whether a line of plain text fits."""

_COLOUR = re.compile(r"color:\s*([^;\"]+)")


@dataclass(frozen=True)
class Piece:
    """A stretch of text in one style."""

    text: str
    bold: bool = False
    italic: bool = False
    colour: str | None = None
    """None for the colour of the whole."""


class _Reader(HTMLParser):
    """Collects lines of pieces; tags that it does not know only lose their angle brackets."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[list[Piece]] = [[]]
        self._styles = [Piece("")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.lines.append([])
            return
        style = self._styles[-1]
        if tag == "b":
            style = replace(style, bold=True)
        if tag == "i":
            style = replace(style, italic=True)
        colour = _COLOUR.search(dict(attrs).get("style") or "")
        if colour is not None:
            style = replace(style, colour=colour[1].strip())
        self._styles.append(style)

    def handle_endtag(self, tag: str) -> None:
        if tag != "br" and len(self._styles) > 1:
            self._styles.pop()

    def handle_data(self, data: str) -> None:
        self.lines[-1].append(replace(self._styles[-1], text=data))


def lines(text: str) -> list[list[Piece]]:
    """The lines of a plotly text, each in pieces of one style; entities are resolved."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.lines


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
