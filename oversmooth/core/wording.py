"""Small pieces of language that several messages share."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

MISSING: Final = "–"
"""In the place of a number that is not defined."""
SHOWN: Final = 40
"""Characters of a wrong value that a sentence repeats."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean “x”?)`` for the nearest known word, or nothing when none is near or it is that very word."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean “{near[0]}”?)" if near and near[0] != word else ""


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 token``, ``1,832 tokens``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def enumerated(words: Sequence[str], most: int | None = None) -> str:
    """``a``, ``a and b``, ``a, b and c``; at least one. Of more than ``most``: ``a, b and 7 more``."""
    if most is not None and len(words) > most:
        words = [*words[:most], f"{len(words) - most:,} more"]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def blocks_in_words(layers: Sequence[int]) -> str:
    """``block 1``, ``blocks 1, 3 and 5``; at least one."""
    return f"{'block' if len(layers) == 1 else 'blocks'} {enumerated([*map(str, layers)])}"


def bytes_in_words(number: float) -> str:
    """``90.9 MB``, in decimal units as the hub shows them."""
    for unit in ("B", "kB", "MB", "GB"):
        if round(abs(number), 1) < 1000:
            return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def shortened(text: str, most: int = SHOWN) -> str:
    """What someone gave, in one line and short enough for a sentence."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"
