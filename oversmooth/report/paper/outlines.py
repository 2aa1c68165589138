"""Fonts with cubic outlines as fonts with quadratic ones, the only ones that matplotlib embeds correctly in a PDF."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont, newTable
from matplotlib import font_manager

from oversmooth.report.paper.typefaces import Typefaces, path_of

_PRECISION: Final = 1e-3
"""Largest distance between the two outlines, in font sizes: 8 thousandths of a point at 8 points."""
_ENDING: Final = " quadratic"


@contextmanager
def embeddable(typefaces: Typefaces, text: str) -> Iterator[list[str]]:
    """Families for a PDF: for as long as this lasts, TrueType versions of those that are none stand in for them.

    ``text`` holds all characters of the figure.
    """
    cubic = [family for family in typefaces.families if _is_cubic(family)]
    if not cubic:
        yield list(typefaces.families)
        return
    manager = font_manager.fontManager
    before = list(manager.ttflist)
    # Windows keeps a font that is still in a cache from being removed.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            for number, family in enumerate(cubic):
                path = Path(folder) / f"{number}.ttf"
                path.write_bytes(_quadratic(family, text))
                manager.addfont(path)
                # There is no bold one; matplotlib would say so in the log each time.
                manager.ttflist.append(replace(manager.ttflist[-1], weight=700))
            yield [f"{each}{_ENDING}" if each in cubic else each for each in typefaces.families]
        finally:
            manager.ttflist[:] = before


@cache
def _is_cubic(family: str) -> bool:
    font = path_of(family)
    with TTFont(font.path, fontNumber=font.face_index, lazy=True) as opened:
        return "glyf" not in opened


@lru_cache(maxsize=16)
def _quadratic(family: str, text: str) -> bytes:
    """The part of a font that a text needs, as TrueType under another name.

    Tables that shape text are left out: scripts that need them have TrueType fonts on every system.
    """
    file = path_of(family)
    buffer = io.BytesIO()
    # The time of now within would make another file of the same figure each time.
    with TTFont(file.path, fontNumber=file.face_index, lazy=True, recalcTimestamp=False) as font:
        shaping = ["GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx"]
        subset = Subsetter(Options(drop_tables=[*Options().drop_tables, *shaping]))
        subset.populate(text=text)
        subset.subset(font)
        _replace_outlines(font)
        for record in font["name"].names:
            if record.nameID in (1, 16):
                record.string = f"{family}{_ENDING}"
        font.save(buffer)
    return buffer.getvalue()


def _replace_outlines(font: TTFont) -> None:
    outlines = font.getGlyphSet()
    glyphs = {}
    for name in font.getGlyphOrder():
        pen = TTGlyphPen(None)
        # TrueType fills to the right of an outline, PostScript to the left.
        outlines[name].draw(Cu2QuPen(pen, _PRECISION * font["head"].unitsPerEm, reverse_direction=True))
        glyphs[name] = pen.glyph()
    for table in ("CFF ", "CFF2"):
        if table in font:
            del font[table]
    font.sfntVersion = "\x00\x01\x00\x00"
    font["glyf"] = newTable("glyf")
    builder = FontBuilder(font=font)
    builder.setupGlyf(glyphs)
    builder.setupMaxp()
    builder.setupPost(keepGlyphNames=False)
