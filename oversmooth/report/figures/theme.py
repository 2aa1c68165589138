"""Colours, type and the plotly template of the light and the dark theme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

import plotly.colors
import plotly.graph_objects as go

FONT: Final = "Segoe UI, Helvetica Neue, Arial, Liberation Sans, sans-serif"
"""Fonts that are already on the reader's machine; the digits of each have one width."""
MAP_SCALE: Final = "Cividis"
"""Colour scale of maps in both themes: even in lightness, and alike for colour-blind readers."""


@dataclass(frozen=True)
class Theme:
    """Colours of one theme, as ``#rrggbb``."""

    name: Literal["light", "dark"]
    paper: str
    text: str
    muted: str
    """Second-rank text and lines."""
    grid: str
    accent: str
    """What the reader should look at first."""
    categories: tuple[str, ...]
    """Okabe and Ito's colours, most legible first; their black follows the theme's text."""
    depth: tuple[float, float]
    """The part of the map scale that is legible as thin lines on the paper, shallow to deep."""
    band: float
    """Opacity of an area in the colour of the line within it."""

    def depth_colour(self, share: float) -> str:
        """Colour at a share of the depth in [0, 1]."""
        low, high = self.depth
        colour: str = plotly.colors.sample_colorscale(MAP_SCALE, [low + (high - low) * share])[0]
        return colour


LIGHT: Final = Theme(
    name="light",
    paper="#ffffff",
    text="#1b1f24",
    muted="#5b6472",
    grid="#e7eaee",
    accent="#0072b2",
    categories=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1b1f24", "#f0e442"),
    depth=(0.85, 0.0),
    band=0.2,
)
DARK: Final = Theme(
    name="dark",
    paper="#0e1117",
    text="#e8eaed",
    muted="#a3abb8",
    grid="#262c36",
    accent="#56b4e9",
    categories=("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#e8eaed", "#0072b2"),
    depth=(0.25, 1.0),
    band=0.3,
)


def axis_of(theme: Theme, side: str) -> dict[str, Any]:
    """Settings of every axis of a theme, across (``x``) or upwards (``y``): quiet, with a grid behind values alone."""
    words = {"size": 12, "color": theme.text}
    axis = {
        "showgrid": False, "zeroline": False, "showline": True, "linecolor": theme.muted, "linewidth": 1,
        "ticks": "outside", "ticklen": 4, "tickcolor": theme.muted, "tickfont": {"size": 11, "color": theme.text},
        "title": {"font": words, "standoff": 8}, "exponentformat": "power", "automargin": True,
    }  # fmt: skip
    grid = {"showgrid": True, "gridcolor": theme.grid, "gridwidth": 1, "showline": False, "ticks": ""}
    return axis if side == "x" else axis | grid


def note_font(theme: Theme) -> dict[str, Any]:
    """Of words on a chart that name none."""
    return {"size": 11, "color": theme.muted}


@cache
def template(theme: Theme) -> go.layout.Template:
    """The plotly template of a theme: quiet axes, no panel, text that needs no download."""
    words = {"family": FONT, "size": 12, "color": theme.text}
    return go.layout.Template(
        layout={
            "font": words,
            "paper_bgcolor": theme.paper,
            "plot_bgcolor": theme.paper,
            "colorway": list(theme.categories),
            "xaxis": axis_of(theme, "x"),
            "yaxis": axis_of(theme, "y"),
            "margin": {"l": 8, "r": 12, "t": 24, "b": 8},
            "showlegend": False,
            "separators": ".,",
            "hovermode": "closest",
            "hoverlabel": {
                "bgcolor": theme.paper,
                "bordercolor": theme.muted,
                "font": words,
                "align": "left",
                # Whole, however long: hover is where a shortened label is read in full.
                "namelength": -1,
            },
            "annotationdefaults": {"font": note_font(theme), "showarrow": False},
            "modebar": {
                "bgcolor": "rgba(0,0,0,0)",
                "color": theme.muted,
                "activecolor": theme.accent,
                # A notebook draws figures without our browser options: no upload to the vendor's cloud there either.
                "remove": ["sendChartToCloud"],
            },
        }
    )


def translucent(colour: str, opacity: float) -> str:
    """A colour of a theme, ``#rrggbb``, with an opacity in [0, 1]."""
    red, green, blue = plotly.colors.hex_to_rgb(colour)
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def value_axis(low: float, high: float, *, ticks: int, from_zero: bool) -> dict[str, Any]:
    """Settings of a linear value axis: a round step, all tick labels with the same decimals, no exaggeration.

    About ``ticks`` of them fit. ``from_zero`` keeps zero in view: cut off above it, an axis makes a small change look
    large.
    """
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    span = (high - low) or abs(high) or 1.0
    step = round_step(span * 0.999 / ticks)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    margin = 0.06 * span
    ends = [low if from_zero and low == 0 else low - margin, high if from_zero and high == 0 else high + margin]
    plain = decimals <= 4 and high < 1e6
    return {"range": ends, "tick0": 0, "dtick": step, "tickformat": f",.{decimals}f" if plain else "~g"}


def round_step(least: float, factors: Sequence[int] = (1, 2, 5, 10)) -> float:
    """The smallest of these times a power of ten that is no less than a number above 0."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in factors if factor * power >= least)
