"""A plotly figure as plain values: its template merged in, its arrays unpacked."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

Values = dict[str, Any]
Pair = tuple[str, str]
"""Names of the two axes of one pane, ``("xaxis", "yaxis2")``."""


@dataclass(frozen=True)
class Chart:
    """What is to be drawn."""

    traces: tuple[Values, ...]
    layout: Values
    """Without axes and template, whose settings are merged in."""
    axes: dict[str, Values]
    """Settings by name, ``xaxis`` to ``yaxis9``, with those of the template behind them."""

    @classmethod
    def of(cls, figure: go.Figure) -> Chart:
        """Everything that a figure holds."""
        whole = figure.to_plotly_json()
        layout = dict(whole["layout"])
        template = dict(dict(layout.pop("template", {})).get("layout", {}))
        words = template.pop("annotationdefaults", {})
        behind = {side: template.pop(side, {}) for side in ("xaxis", "yaxis")}
        names = dict.fromkeys(["xaxis", "yaxis", *(name for name in layout if name[:5] in behind)])
        axes = {name: merged(behind[name[:5]], layout.pop(name, {})) for name in names}
        layout["annotations"] = [merged(words, each) for each in layout.get("annotations", ())]
        return cls(tuple(whole["data"]), merged(template, layout), axes)

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
        ours = [trace.get(name[0], ()) for trace in self.traces if name in axes_of(trace)]
        return {value: position for position, value in enumerate(dict.fromkeys(each for row in ours for each in row))}

    def positions(self, trace: Values, side: str) -> NDArray[np.float64]:
        """Where the points of a trace lie on their axis; NaN where one is missing."""
        places = self.categories(axes_of(trace)["xy".index(side)])
        values = array(trace[side])
        return np.asarray([places[each] for each in values], dtype=float) if places else values.astype(float)

    def is_square(self, pair: Pair) -> bool:
        """Whether both axes have one scale."""
        return any("scaleanchor" in self.axes[name] for name in pair)

    def is_log(self, name: str) -> bool:
        """Whether an axis is logarithmic."""
        return self.axes[name].get("type") == "log"

    def legend(self) -> list[Values]:
        """Traces that a legend names."""
        return [each for each in self.traces if each.get("showlegend", True)] if self.layout.get("showlegend") else []

    def words(self) -> Iterator[str]:
        """Every text that is drawn, as markup; numbers of the axes apart."""
        for axis in self.axes.values():
            yield title_of(axis)
            yield from map(str, axis.get("ticktext", ()))
        for trace in self.traces:
            bar = trace.get("colorbar", {})
            yield title_of(bar)
            yield from map(str, bar.get("ticktext", ()))
        yield from (trace.get("name", "") for trace in self.legend())
        yield from (str(note.get("text", "")) for note in self.layout["annotations"])
        yield title_of(self.layout)


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


def array(value: Any) -> NDArray[Any]:  # noqa: ANN401  what plotly keeps
    """An array of a trace, however plotly packed it; None becomes NaN among numbers."""
    if isinstance(value, Mapping):
        flat = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
        return flat.reshape([int(side) for side in str(value.get("shape", flat.size)).split(",")])
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value
    if any(isinstance(each, str) for each in value):
        return np.asarray(value, dtype=object)
    return np.asarray([np.nan if each is None else each for each in value], dtype=float)
