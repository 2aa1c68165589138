"""Fonts for paper: what is installed, and what else is needed for the characters at hand.

Text is shaped by matplotlib (libraqm: HarfBuzz and FriBidi), so Arabic is joined and runs right to left, and the signs
of Devanagari are ordered and stacked.
"""

from __future__ import annotations

import io
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont, newTable
from matplotlib import font_manager
from matplotlib.font_manager import FontPath
from matplotlib.ft2font import FaceFlags

from oversmooth.report.paper.presets import Typeface

WANTED: Final[dict[Typeface, tuple[str, ...]]] = {
    "sans": ("Arial", "Liberation Sans", "DejaVu Sans"),
    "serif": ("Times New Roman", "Liberation Serif", "DejaVu Serif", "DejaVu Sans"),
}
"""In order of preference; those of DejaVu come with matplotlib."""
_ISOLATES = dict.fromkeys(map(ord, "\u2066\u2067\u2068\u2069"))
# A joiner or selector beside a code point has nothing to act on; fonts would be chosen for the two as one sign.
_IDLE: Final = re.compile("(?<=⟩)[\u200c\u200d\ufe0f]+|[\u200c\u200d]+(?=⟨U)")
_CHINESE, _JAPANESE, _KOREAN = "CJK SC", "CJK JP", "CJK KR"
_PRECISION: Final = 1e-3
"""Largest distance between the two outlines, in font sizes: 8 thousandths of a point at 8 points."""
_ENDING: Final = " quadratic"


@dataclass(frozen=True)
class Typefaces:
    """Installed fonts that together show the characters of a figure."""

    families: tuple[str, ...]
    """A character is taken from the first that has it."""
    missing: str
    """Characters that no installed font has."""

    def shown(self, text: str) -> str:
        """The text with a code point, ``⟨U+20BF⟩``, in the place of a character that would be an empty box.

        Spaces at an end and before another stay in SVG as well, whose readers drop plain ones. Marks that keep words
        of another direction apart are left out where there is only one, so that the text can be searched.
        """
        if not any(unicodedata.bidirectional(each) in ("R", "AL", "AN") for each in text):
            text = text.translate(_ISOLATES)
        shown = "".join(_code_point(each) if each in self.missing else each for each in text)
        shown = _IDLE.sub(lambda found: "".join(map(_code_point, found[0])), shown)
        return re.sub(r"^ | $| (?= )", "\u00a0", shown, flags=re.MULTILINE)


def _code_point(character: str) -> str:
    return f"⟨U+{ord(character):04X}⟩"


def choose(typeface: Typeface, text: Iterable[str]) -> Typefaces:
    """Fonts for all of these characters.

    Those without ink of their own, such as joiners, need no font.
    """
    installed = _installed()
    chosen = [name for name in WANTED[typeface] if name in installed]
    rest = {each for each in text if not each.isspace() and unicodedata.category(each) not in ("Cf", "Cc")}
    # Variation selectors choose between shapes of the character before them.
    rest -= {chr(code) for code in range(0xFE00, 0xFE10)}
    for name in chosen:
        rest -= characters(name)
    style = "Serif" if typeface == "serif" else "Sans"
    region = _region(rest)
    while rest:
        best = max(
            sorted(installed), key=lambda name: (len(rest & characters(name)), region in name, f"Noto {style}" in name)
        )
        if not rest & characters(best):
            break
        chosen.append(best)
        rest -= characters(best)
    return Typefaces(tuple(chosen), "".join(sorted(rest)))


def _region(text: Iterable[str]) -> str:
    """Whose forms of the Han characters a text wants: those of its own script beside them."""
    names = {unicodedata.name(each, "").split(" ")[0] for each in text}
    return _JAPANESE if names & {"HIRAGANA", "KATAKANA"} else _KOREAN if "HANGUL" in names else _CHINESE


def path_of(family: str) -> FontPath:
    """The file of the upright font of plain weight, and its place there."""
    return _installed()[family]


@cache
def _installed() -> dict[str, FontPath]:
    found: dict[str, FontPath] = {}
    for entry in font_manager.fontManager.ttflist:
        # A font of last resort “has” every character, as a box.
        if "last resort" in entry.name.casefold() or "LastResort" in entry.fname:
            continue
        if entry.style == "normal" and entry.stretch == "normal" and str(entry.weight) in ("400", "normal", "regular"):
            found.setdefault(entry.name, FontPath(entry.fname, entry.index))
    return found


@cache
def characters(family: str) -> frozenset[str]:
    """What a font has outlines for."""
    try:
        font = font_manager.get_font(_installed()[family])
    except (OSError, RuntimeError):  # a broken file, or one that was removed meanwhile
        return frozenset()
    # Coloured emoji are pictures, which matplotlib cannot set.
    if FaceFlags.SCALABLE not in font.face_flags or FaceFlags.COLOR in font.face_flags:
        return frozenset()
    return frozenset(map(chr, font.get_charmap()))


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
