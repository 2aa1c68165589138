"""What of a plotly figure is drawn on paper: everything else is refused, nothing is left out in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from oversmooth.core.errors import OutputError
from oversmooth.report.figures.theme import LIGHT
from oversmooth.report.paper.chart import Chart, Values
from oversmooth.report.paper.symbols import DASHES, SYMBOLS, is_dash

Known = Mapping[str, Any]
"""Key → ``DRAWN``, ``SCREEN``, the values that are drawn (a frozen set), or the keys of an object."""

DRAWN: Final = "drawn, whatever its value"
SCREEN: Final = "of the screen alone: hover, margins that paper finds by itself, what happens at a click"

_FONT: Known = {"size": DRAWN, "color": DRAWN, "family": SCREEN}
_DASH = frozenset(DASHES)
_LINE: Known = {"color": DRAWN, "width": DRAWN, "dash": _DASH}
_HOVER: Known = {"hovertemplate": SCREEN, "hoverinfo": SCREEN, "hovertext": SCREEN, "hoverlabel": SCREEN}

_SCATTER: Known = {
    **_HOVER,
    "type": DRAWN,
    "x": DRAWN,
    "y": DRAWN,
    "xaxis": DRAWN,
    "yaxis": DRAWN,
    "mode": frozenset({"none", "lines", "markers", "lines+markers"}),
    # Areas without an outline.
    "fill": frozenset({"toself"}),
    "fillcolor": DRAWN,
    "line": _LINE,
    "marker": {
        "size": DRAWN,
        "symbol": frozenset(SYMBOLS),
        "color": DRAWN,
        "line": {"color": DRAWN, "width": DRAWN},
        "maxdisplayed": DRAWN,
    },
    "name": DRAWN,
    "showlegend": DRAWN,
    "customdata": SCREEN,
    # Without “text” in the mode, the words of hover.
    "text": SCREEN,
}
_HEATMAP: Known = {
    **_HOVER,
    "type": DRAWN,
    "x": DRAWN,
    "y": DRAWN,
    "xaxis": DRAWN,
    "yaxis": DRAWN,
    "z": DRAWN,
    "zmin": DRAWN,
    "zmax": DRAWN,
    "colorscale": DRAWN,
    "showscale": frozenset({False}),
    "colorbar": {
        "title": {"text": DRAWN, "side": frozenset({"right"})},
        "orientation": frozenset({"h"}),
        "thickness": DRAWN,
        "lenmode": frozenset({"pixels"}),
        "len": DRAWN,
        "x": frozenset({0}),
        "xanchor": frozenset({"left"}),
        "y": frozenset({1}),
        "yanchor": frozenset({"bottom"}),
        "outlinewidth": frozenset({0}),
        "tickfont": _FONT,
        "tickformat": DRAWN,
        "nticks": DRAWN,
        "tickvals": DRAWN,
        "ticktext": DRAWN,
    },
}
_BAR: Known = {
    **_HOVER,
    "type": DRAWN,
    "x": DRAWN,
    "y": DRAWN,
    "base": DRAWN,
    "width": DRAWN,
    "xaxis": DRAWN,
    "yaxis": DRAWN,
    "marker": {"color": DRAWN, "line": {"color": DRAWN, "width": DRAWN}},
    "name": SCREEN,
    "showlegend": frozenset({False}),
}
"""Upright, from a base to base + y; without a legend."""
_TRACES: Mapping[str, Known] = {"scatter": _SCATTER, "heatmap": _HEATMAP, "bar": _BAR}
_AXIS: Known = {
    "type": frozenset({"linear", "log", "category"}),
    "range": DRAWN,
    "autorange": frozenset({True, "reversed"}),
    # What the range is found from, which is given as well.
    "autorangeoptions": SCREEN,
    "tickvals": DRAWN,
    "ticktext": DRAWN,
    "tickangle": DRAWN,
    "tickfont": _FONT,
    "ticklabelstandoff": DRAWN,
    "title": {"text": DRAWN, "font": _FONT, "standoff": DRAWN},
    "visible": DRAWN,
    "showticklabels": DRAWN,
    "showgrid": DRAWN,
    "gridcolor": DRAWN,
    "gridwidth": DRAWN,
    "showline": DRAWN,
    "linecolor": DRAWN,
    "linewidth": DRAWN,
    "ticks": frozenset({"", "outside"}),
    "ticklen": DRAWN,
    "tickcolor": DRAWN,
    "dtick": DRAWN,
    "tick0": DRAWN,
    "nticks": DRAWN,
    "tickformat": DRAWN,
    "exponentformat": frozenset({"power"}),
    "domain": DRAWN,
    "overlaying": DRAWN,
    "side": frozenset({"top", "bottom", "left"}),
    "zeroline": DRAWN,
    "zerolinecolor": DRAWN,
    "zerolinewidth": DRAWN,
    # Which axes move together: their ranges are given as well.
    "matches": SCREEN,
    "anchor": SCREEN,
    "constrain": frozenset({"range"}),
    "constraintoward": frozenset({"left", "top"}),
    "scaleanchor": DRAWN,
    "automargin": SCREEN,
    "fixedrange": SCREEN,
}
_SHAPE: Known = {
    "type": frozenset({"line", "rect"}),
    "x0": DRAWN,
    "x1": DRAWN,
    "y0": DRAWN,
    "y1": DRAWN,
    "xref": DRAWN,
    "yref": DRAWN,
    "line": _LINE,
    "fillcolor": DRAWN,
    "opacity": DRAWN,
    "layer": frozenset({"above", "below"}),
}
_NOTE: Known = {
    "text": DRAWN,
    "x": DRAWN,
    "y": DRAWN,
    "xref": DRAWN,
    "yref": DRAWN,
    "xanchor": DRAWN,
    "yanchor": DRAWN,
    "xshift": DRAWN,
    "yshift": DRAWN,
    "align": DRAWN,
    "textangle": DRAWN,
    "font": _FONT,
    "showarrow": frozenset({False}),
    "hovertext": SCREEN,
}
_LAYOUT: Known = {
    "font": _FONT,
    "paper_bgcolor": frozenset({LIGHT.paper}),
    "plot_bgcolor": frozenset({LIGHT.paper}),
    "height": DRAWN,
    "showlegend": DRAWN,
    "legend": {
        "orientation": frozenset({"h"}),
        "x": frozenset({0}),
        "xanchor": frozenset({"left"}),
        "y": frozenset({0}),
        "yref": frozenset({"container"}),
        "yanchor": frozenset({"bottom"}),
        "traceorder": frozenset({"normal"}),
        "font": _FONT,
        "itemwidth": DRAWN,
        "maxheight": SCREEN,
    },
    "title": {
        "text": DRAWN,
        "font": _FONT,
        "x": frozenset({0}),
        "xref": frozenset({"paper"}),
        "xanchor": frozenset({"left"}),
        "y": frozenset({1}),
        "yref": frozenset({"container"}),
        "yanchor": frozenset({"top"}),
        "pad": SCREEN,
    },
    "margin": SCREEN,
    "barmode": frozenset({"overlay"}),
    "separators": frozenset({".,"}),
    # Every trace has colours of its own.
    "colorway": SCREEN,
    "hovermode": SCREEN,
    "hoverlabel": SCREEN,
    "modebar": SCREEN,
    "dragmode": SCREEN,
    "uirevision": SCREEN,
}


_NEEDED: Mapping[str, tuple[str, ...]] = {
    "scatter": ("mode",),
    "heatmap": ("colorscale", "zmin", "zmax"),
    "bar": ("base", "width", "marker", "showlegend"),
}
"""What is not left to plotly's own choice."""


def refuse_unknown(chart: Chart) -> None:
    """Check that all of a chart can be drawn.

    Raises:
        OutputError: for a figure that is not of the light theme, and for anything that would be left out.
    """
    if chart.layout.get("paper_bgcolor") != LIGHT.paper:
        raise OutputError("Paper is white: build the figure with the light theme (theme=LIGHT) to export it.")
    unknown = next(_unknown(chart), None)
    if unknown is not None:
        raise OutputError(f"A chart with {unknown} cannot be drawn on paper: export it as HTML.")


def _unknown(chart: Chart) -> Iterator[str]:
    for trace in chart.traces:
        kind = trace.get("type", "scatter")
        if kind not in _TRACES:
            yield f"a trace of the kind “{kind}”"
        else:
            yield from _beyond(trace, _TRACES[kind], kind)
            yield from (f"no “{kind}.{key}” of its own" for key in _NEEDED[kind] if key not in trace)
            if kind == "heatmap" and trace.get("showscale", True) and "colorbar" not in trace:
                yield "no “heatmap.colorbar” of its own"
        if kind == "scatter" and not _coloured(trace):
            yield f"no colour of its own for “{trace.get('name', kind)}”"
    for name, settings in chart.axes.items():
        yield from _beyond(settings, _AXIS, name)
    rest = dict(chart.layout)
    for key, known in (("shapes", _SHAPE), ("annotations", _NOTE)):
        for each in rest.pop(key, ()):
            yield from _beyond(each, known, key)
    yield from _beyond(rest, _LAYOUT, "layout")


def _coloured(trace: Values) -> bool:
    """Whether all that a scatter trace draws has a colour of its own."""
    outlined = any("color" in trace.get(part, {}) for part in ("line", "marker"))
    return (outlined or trace.get("mode") == "none") and ("fill" not in trace or "fillcolor" in trace)


def _beyond(values: Mapping[str, Any], known: Known, path: str) -> Iterator[str]:
    """Keys and values that are not known."""
    for key, value in values.items():
        place, expected = f"{path}.{key}", known.get(key)
        if expected is None:
            yield f"“{place}”"
        elif isinstance(expected, Mapping):
            yield from _beyond(value, expected, place)
        elif isinstance(expected, frozenset):
            every = value if isinstance(value, list | tuple) else [value]
            yield from (f"“{place}” = “{each}”" for each in every if each not in expected and not is_dash(key, each))
