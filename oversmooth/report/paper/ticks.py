"""Where the ticks of an axis are and what stands beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from oversmooth.report.figures.theme import round_step
from oversmooth.report.paper.chart import Values

Ticks = list[tuple[float, str]]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_DEFAULT = 6
_STEPS = (2, 5, 10)
"""Round steps, as plotly takes them: the smallest that is no less than what the number of ticks asks for."""


def ticks(settings: Values, low: float, high: float, categories: dict[Any, int]) -> Ticks:
    """Positions within the range, with their labels as markup.

    Settings are those of an axis or a colour bar; ``categories`` are the positions of the axis's categories.
    """
    if settings.get("tickvals") is not None:
        places = [float(categories.get(each, each)) for each in settings["tickvals"]]
        labels = settings.get("ticktext")
        found = list(zip(places, map(str, labels) if labels is not None else map(_plain, places), strict=True))
    elif settings.get("type") == "log":
        found = _powers(int(settings.get("dtick") or 1), low, high)
    else:
        found = [(place, formatted(place, settings.get("tickformat", ""))) for place in _even(settings, low, high)]
    room = 1e-9 * (high - low)
    return [(place, label) for place, label in found if low - room <= place <= high + room]


def _powers(step: int, low: float, high: float) -> Ticks:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    shown = [power for power in range(first, last + 1) if power % step == 0]
    plain = {0: "1", 1: "10"}
    return [(10.0**power, plain.get(power, f"10{str(power).translate(_SUPERSCRIPTS)}")) for power in shown]


def _even(settings: Values, low: float, high: float) -> Sequence[float]:
    start = float(settings.get("tick0") or 0)
    step = float(settings.get("dtick") or round_step((high - low) / (settings.get("nticks") or _DEFAULT), _STEPS))
    counts = np.arange(math.ceil((low - start) / step - 1e-9), math.floor((high - start) / step + 1e-9) + 1)
    return [float(start + step * count) for count in counts]


def formatted(value: float, form: str) -> str:
    """A number in a form of d3, which is Python's but for a tilde that drops zeros."""
    if abs(value) < 1e-12:
        value = 0.0
    if not form or form == "~g":
        return _plain(value)
    return format(value, form).replace("-", "−")


def _plain(value: float) -> str:
    return f"{value:g}".replace("-", "−")
