"""What a canvas may tell that paper draws: everything else is refused, nothing is left out in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from oversmooth.core.errors import OutputError
from oversmooth.report.figures.canvas import Drawn
from oversmooth.report.figures.identity import DASHES
from oversmooth.report.figures.theme import LIGHT
from oversmooth.report.paper.chart import Chart, Values
from oversmooth.report.paper.symbols import SYMBOLS, is_dash

Known = Mapping[str, Any]
"""Key → the values that are drawn (a tuple), the keys of an object, or None for whatever value."""


def _any(*keys: str) -> dict[str, None]:
    return dict.fromkeys(key for row in keys for key in row.split())


_FONT: Known = _any("size color")
_LINE: Known = {**_any("color width"), "dash": (*DASHES,)}
_EDGE: Known = _any("color width")
# Hover, and of an area or bars, which no legend names, their name.
_HOVER: Known = _any("hovertemplate text customdata name showlegend", "xaxis yaxis type x y") | {"hoverinfo": ("skip",)}
_TRACES: Mapping[str, Known] = {
    "scatter": {
        **_HOVER,
        "mode": ("none", "lines", "markers", "lines+markers"),
        "fill": ("toself",),
        "fillcolor": None,
        "line": _LINE,
        "marker": {**_any("size color maxdisplayed"), "symbol": (*SYMBOLS,), "line": _EDGE},
    },
    "heatmap": {**_HOVER, **_any("z zmin zmax colorscale"), "showscale": (False,), "colorbar": None},
    "bar": {**_HOVER, **_any("base width hovertext"), "marker": {"color": None, "line": _EDGE}},
}
_NEEDED: Mapping[str, str] = {"scatter": "mode", "heatmap": "colorscale zmin zmax", "bar": "base width marker"}
"""What is not left to plotly's own choice."""
_AXIS: Known = {
    **_any("range tickvals ticktext tickangle ticklabelstandoff ticklen tickcolor dtick tick0 nticks tickformat"),
    **_any("visible showticklabels showgrid gridcolor gridwidth showline linecolor linewidth domain overlaying"),
    **_any("zeroline zerolinecolor zerolinewidth scaleanchor"),
    # Of the screen alone: which axes move together, and how a range is found there that is given as well.
    **_any("matches anchor automargin fixedrange autorangeoptions"),
    "type": ("linear", "log", "category"),
    "autorange": (True, "reversed"),
    "tickfont": _FONT,
    "title": {"text": None, "font": _FONT, "standoff": None},
    "ticks": ("", "outside"),
    "exponentformat": ("power",),
    "side": ("top", "bottom", "left"),
    "constrain": ("range",),
    "constraintoward": ("left", "top"),
}
_SHAPE: Known = {
    **_any("x0 x1 y0 y1 xref yref fillcolor opacity"),
    "type": ("line", "rect"),
    "line": _LINE,
    "layer": ("above", "below"),
}
_NOTE: Known = {**_any("text x y xref yref xanchor yanchor xshift yshift align textangle hovertext"), "font": _FONT}


def chart_of(figure: object) -> Chart:
    """What paper draws of a figure, after a check that all of it can be drawn.

    Raises:
        OutputError: for a figure that Oversmooth did not draw or that was changed since, one that is not of the light
            theme, and anything that would be left out.
    """
    if not isinstance(figure, Drawn) or figure.canvas is None or not figure.is_unchanged:
        raise OutputError(
            "Paper takes a figure as Oversmooth drew it, and this one is a copy, was changed since, or is of another "
            "hand: export it as HTML, or draw it anew. Your own title and ranges are given where it is written, as "
            "title, x_range and y_range of oversmooth.report.export.images.image."
        )
    chart = Chart(figure.canvas)
    if chart.canvas.theme != LIGHT:
        raise OutputError("Paper is white: build the figure with the light theme (theme=LIGHT) to export it.")
    unknown = next(_unknown(chart), None)
    if unknown is not None:
        raise OutputError(f"A chart with {unknown} cannot be drawn on paper: export it as HTML.")
    return chart


def _unknown(chart: Chart) -> Iterator[str]:
    for trace in chart.traces:
        kind = trace["type"]
        if kind not in _TRACES:
            yield f"a trace of the kind “{kind}”"
            continue
        yield from _beyond(trace, _TRACES[kind], kind)
        yield from (f"no “{kind}.{key}” of its own" for key in _NEEDED[kind].split() if key not in trace)
        if kind == "heatmap" and trace.get("showscale", True) and "colorbar" not in trace:
            yield "no “heatmap.colorbar” of its own"
        if kind == "scatter" and not _coloured(trace):
            yield f"no colour of its own for “{trace.get('name', kind)}”"
    for name, settings in chart.canvas.axes.items():
        yield from _beyond(settings, _AXIS, name)
    for shape in chart.canvas.shapes:
        yield from _beyond(shape, _SHAPE, "shapes")
    for note in chart.canvas.annotations:
        yield from _beyond(note, _NOTE, "annotations")


def _coloured(trace: Values) -> bool:
    """Whether all that a scatter trace draws has a colour of its own."""
    outlined = any("color" in trace.get(part, {}) for part in ("line", "marker"))
    return (outlined or trace.get("mode") == "none") and ("fill" not in trace or "fillcolor" in trace)


def _beyond(values: Mapping[str, Any], known: Known, path: str) -> Iterator[str]:
    """Keys and values that are not known."""
    for key, value in values.items():
        place, expected = f"{path}.{key}", known.get(key)
        if key not in known:
            yield f"“{place}”"
        elif isinstance(expected, Mapping):
            yield from _beyond(value, expected, place)
        elif expected is not None:
            every = value if isinstance(value, list | tuple) else [value]
            yield from (f"“{place}” = “{each}”" for each in every if each not in expected and not is_dash(key, each))
