"""Fonts for paper: what is installed, and what else is needed for the characters at hand.

Text is shaped by matplotlib (libraqm: HarfBuzz and FriBidi), so Arabic is joined and runs right to left, and the signs
of Devanagari are ordered and stacked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

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
