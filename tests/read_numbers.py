"""Numbers read back from sentences, each with what its last digit leaves open."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_PLAIN = r"[\d,]+(?:\.\d+)?(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
NUMBER = rf"(?:−1 \+ {_PLAIN}|1 − {_PLAIN}|[+−]?{_PLAIN}|missing)"
"""A number as a sentence writes it."""


@dataclass(frozen=True)
class Read:
    """A number of a sentence."""

    value: float
    open: float
    """Half a unit of its last digit."""

    def says(self, number: float) -> bool:
        """Whether it may have been written for this number."""
        return abs(self.value - number) <= self.open * (1 + 1e-6) + 1e-15


def read(text: str) -> Read:
    """The number that a sentence writes so."""
    for start, side in (("1 − ", 1.0), ("−1 + ", -1.0)):
        if text.startswith(start):
            distance = read(text.removeprefix(start))
            return Read(side * (1 - distance.value), distance.open)
    sign = -1.0 if text.startswith("−") else 1.0
    mantissa, _, power = text.lstrip("−+").replace(",", "").partition("×10")
    scale = 10.0 ** int(power.translate(_SUPERSCRIPTS) or 0)
    decimals = len(mantissa.partition(".")[2])
    return Read(sign * float(mantissa) * scale, 0.5 * 10.0**-decimals * scale)


def found(pattern: str, sentence: str) -> re.Match[str] | None:
    """The first match of a pattern in which ``#`` stands for a number."""
    return re.search(pattern.replace("#", f"({NUMBER})"), sentence)


def mean(values: list[float]) -> float:
    """Of the numbers that are known; NaN without one."""
    known = [value for value in values if math.isfinite(value)]
    return math.fsum(known) / len(known) if known else math.nan
