"""The colour scale above a map: its name, and beside it the colours with their values below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from oversmooth.report.figures.theme import Theme
from oversmooth.report.paper import markup
from oversmooth.report.paper.axes import label
from oversmooth.report.paper.chart import Values, title_of
from oversmooth.report.paper.colours import colour, shaded
from oversmooth.report.paper.presets import Preset
from oversmooth.report.paper.ticks import ticks
from oversmooth.report.paper.typefaces import Typefaces

_STEPS = 256
_ABOVE, _BESIDE = 8.0, 6.0
"""Pixels between the map and the words above it, and between the name and the colours."""


@dataclass(frozen=True)
class ColourBar:
    """A colour scale, to be placed when its map has found its own place."""

    axes: Axes
    map: Axes
    long: float
    """Points."""
    thick: float
    unit: float
    """Points of one pixel of the screen."""

    @classmethod
    def of(cls, axes: Axes, trace: Values, theme: Theme, preset: Preset, typefaces: Typefaces) -> ColourBar:
        """Of the map on these axes."""
        settings = trace["colorbar"]
        unit = preset.points_per_pixel
        below, axes = axes, axes.figure.add_axes((0, 0, 0.1, 0.1), label="colour bar")
        low, high = trace["zmin"], trace["zmax"]
        pixels = shaded(np.linspace(low, high, _STEPS)[None], low, high, trace["colorscale"])
        axes.imshow(pixels, aspect="auto", extent=(low, high, 0, 1), interpolation="none")
        for spine in axes.spines.values():
            spine.set_visible(False)
        size, words = preset.size(settings["tickfont"]["size"]), colour(theme.text)
        label(axes.xaxis, ticks(settings, low, high, {}), typefaces)
        label(axes.yaxis, [], typefaces)
        axes.tick_params(length=0, pad=3 * unit, labelsize=size, labelcolor=words)
        axes.set_ylabel(
            typefaces.shown(markup.plain(title_of(settings))),
            rotation=0, ha="right", va="center", size=preset.size(12), color=words, labelpad=_BESIDE * unit,
        )  # fmt: skip
        return cls(axes, below, settings["len"] * unit, settings["thickness"] * unit, unit)

    def arrange(self, page: Bbox, top: float) -> None:
        """Stand above the chart, the name at the left edge of the map.

        The page is in points; ``top`` is the upper end of the chart, as a share of it.
        """
        self.map.apply_aspect()
        box = self.map.get_position()
        name, numbers = self._words()
        left = box.x0 + name / page.width
        bottom = top + (numbers + _ABOVE * self.unit) / page.height
        long = min(self.long, box.x1 * page.width - left * page.width)
        self.axes.set_position((left, bottom, max(long, 1.0) / page.width, self.thick / page.height))

    def _words(self) -> tuple[float, float]:
        """Points that the name takes on the left, and the numbers below."""
        inner, whole = self.axes.get_window_extent(), self.axes.get_tightbbox()
        points = 72 / self.axes.get_figure(root=True).dpi  # type: ignore[union-attr]
        assert whole is not None  # noqa: S101  the axes are visible
        return (inner.x0 - whole.x0) * points, (inner.y0 - whole.y0) * points
