"""A canvas as paper reads it: which axes belong together, where they lie, and what is written on them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oversmooth.core.errors import OutputError
from oversmooth.report.figures.canvas import Canvas
from oversmooth.report.figures.panes import log_axis
from oversmooth.report.figures.theme import axis_of, note_font, value_axis

Values = dict[str, Any]
Pair = tuple[str, str]
"""Names of the two axes of one pane, ``("xaxis", "yaxis2")``."""


@dataclass(frozen=True)
class Chart:
    """What is to be drawn."""

    canvas: Canvas

    @property
    def traces(self) -> list[Values]:
        """Lines, markers, areas, bars and maps, in the order in which they lie over each other."""
        return self.canvas.traces

    @cached_property
    def axes(self) -> dict[str, Values]:
        """Settings by name, ``xaxis`` to ``yaxis9``, with those of the theme behind them."""
        return {name: merged(axis_of(self.canvas.theme, name[0]), each) for name, each in self.canvas.axes.items()}

    @cached_property
    def notes(self) -> list[Values]:
        """Words on the chart, with the font of the theme behind theirs."""
        return [merged({"font": note_font(self.canvas.theme)}, each) for each in self.canvas.annotations]

    def within(self, ranges: Mapping[str, tuple[float, float] | None]) -> Chart:
        """The same chart with other ranges of the axes ``x`` and ``y``.

        What lies beyond them is left out. Lines that were named at their ends are named in a legend: these may be gone.

        Raises:
            OutputError: for an axis of categories, one of several, and what is no range.
        """
        canvas = self.canvas
        for side, ends in ranges.items():
            canvas = canvas if ends is None else _within(canvas, side, *map(float, ends))
        return Chart(canvas)

    def pairs(self) -> list[Pair]:
        """Axes that belong together, each pair once; those that lie over others behind these."""
        found = [axes_of(trace) for trace in self.traces] or [("xaxis", "yaxis")]
        below = [(self.below(x), self.below(y)) for x, y in found]
        every = dict.fromkeys([*below, *found])
        return sorted(every, key=lambda pair: pair != (self.below(pair[0]), self.below(pair[1])))

    def below(self, name: str) -> str:
        """The axis that an axis lies over; itself where there is none."""
        base = self.axes[name].get("overlaying")
        return axis_name(base) if base else name

    def domain(self, name: str) -> tuple[float, float]:
        """The share of the plot that an axis spans."""
        low, high = self.axes[self.below(name)].get("domain", (0, 1))
        return float(low), float(high)

    def categories(self, name: str) -> dict[Any, int]:
        """Where each category of an axis lies; empty on an axis of numbers."""
        if self.axes[name].get("type") != "category":
            return {}
        ours = [trace[name[0]] for trace in self.traces if name in axes_of(trace)]
        return {value: position for position, value in enumerate(dict.fromkeys(each for row in ours for each in row))}

    def positions(self, trace: Values, side: str) -> NDArray[np.float64]:
        """Where the points of a trace lie on their axis; NaN where one is missing."""
        places = self.categories(axes_of(trace)["xy".index(side)])
        return array([places[each] for each in trace[side]] if places else trace[side])

    def is_square(self, pair: Pair) -> bool:
        """Whether both axes have one scale."""
        return any("scaleanchor" in self.axes[name] for name in pair)

    def is_log(self, name: str) -> bool:
        """Whether an axis is logarithmic."""
        return self.axes[name].get("type") == "log"

    def legend(self) -> list[Values]:
        """Traces that a legend names."""
        return [each for each in self.traces if each.get("showlegend")] if self.canvas.legend else []

    def words(self) -> Iterator[str]:
        """Every text that is drawn, as markup; numbers of the axes apart."""
        for settings in (*self.axes.values(), *(trace.get("colorbar", {}) for trace in self.traces)):
            yield title_of(settings)
            yield from map(str, settings.get("ticktext", ()))
        yield from (trace["name"] for trace in self.legend())
        yield from (note["text"] for note in self.notes)


def _within(canvas: Canvas, side: str, low: float, high: float) -> Canvas:
    name, *others = (name for name, each in canvas.axes.items() if name[0] == side and each.get("visible", True))
    settings = canvas.axes[name]
    is_log = settings.get("type") == "log"
    if others or settings.get("type") == "category" or any("scaleanchor" in each for each in canvas.axes.values()):
        raise OutputError(
            f"This chart has no one axis {side} whose range can be another: draw it without {side}_range."
        )
    if not -math.inf < low < high < math.inf or (is_log and low <= 0):
        above = ", and the axis is logarithmic: both above 0" if is_log else ""
        raise OutputError(f"{low:g} to {high:g} is no range: give two numbers, the lower first{above}.")
    ends = (math.log10(low), math.log10(high)) if is_log else (low, high)
    if is_log:
        settings = settings | log_axis(low, high)
    elif "tickvals" not in settings:
        settings = settings | value_axis(low, high, ticks=6, from_zero=False)
    beside = [note for note in canvas.annotations if note["xref"] == "paper" and note["x"] == 1]
    notes = [note for note in canvas.annotations if note not in beside]
    shapes = [
        shape | {f"{side}0": max(shape[f"{side}0"], low), f"{side}1": min(shape[f"{side}1"], high)}
        if shape[f"{side}ref"] == side
        else shape
        for shape in canvas.shapes
    ]
    return replace(
        canvas,
        axes=canvas.axes | {name: settings | {"range": ends}},
        annotations=[note for note in notes if note[f"{side}ref"] != side or ends[0] <= note[side] <= ends[1]],
        shapes=[shape for shape in shapes if shape[f"{side}0"] <= shape[f"{side}1"]],
        legend=canvas.legend or bool(beside),
    )


def axes_of(trace: Values) -> Pair:
    """The axes that a trace belongs to."""
    return axis_name(trace.get("xaxis", "x")), axis_name(trace.get("yaxis", "y"))


def axis_name(reference: str) -> str:
    """``xaxis2`` of ``x2``, of ``x2 domain`` as well."""
    letter = reference.split()[0]
    return f"{letter[0]}axis{letter[1:]}"


def title_of(settings: Values) -> str:
    """The markup of a title; empty where there is none."""
    return str(settings.get("title", {}).get("text") or "")


def merged(base: Mapping[str, Any], above: Mapping[str, Any]) -> Values:
    """Both, the second before the first, down to the single value."""
    result = dict(base)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def array(values: ArrayLike) -> NDArray[np.float64]:
    """The numbers of a trace; NaN where one is None."""
    return np.asarray(values, dtype=np.float64)
