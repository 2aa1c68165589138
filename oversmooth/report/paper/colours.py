"""Colours as plotly writes them, for matplotlib."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import plotly.colors
from matplotlib.colors import to_rgba
from numpy.typing import NDArray

Colour = tuple[float, float, float, float]
"""Red, green, blue and opacity in [0, 1]."""

_FUNCTION = re.compile(r"rgba?\(([^)]*)\)")


def colour(written: str) -> Colour:
    """``#rrggbb`` and names as they are; ``rgb(…)`` and ``rgba(…)`` as shares."""
    function = _FUNCTION.fullmatch(written.strip())
    if function is None:
        return to_rgba(written)
    red, green, blue, *alpha = (float(part) for part in function[1].split(","))
    return to_rgba((red / 255, green / 255, blue / 255), *alpha)


def shaded(values: NDArray[np.float64], low: float, high: float, name: Any) -> NDArray[np.uint8]:  # noqa: ANN401
    """Values as pixels: red, green, blue and opacity, mixed between the colours of a scale as plotly does.

    Those that are not finite are transparent. ``low`` has the first colour, ``high`` the last; ``name`` is plotly's of
    the scale, or pairs of share and colour.
    """
    pairs = plotly.colors.get_colorscale(name) if isinstance(name, str) else name
    stops, colours = [float(stop) for stop, _ in pairs], np.asarray([colour(each) for _, each in pairs])
    shares = (values - low) / (high - low)
    pixels = np.stack([np.interp(shares, stops, channel) for channel in colours.T], axis=-1)
    pixels[~np.isfinite(values)] = 0.0
    return np.round(255 * pixels).astype(np.uint8)
