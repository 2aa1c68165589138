"""Figures on paper: what a canvas tells, drawn by matplotlib, which needs no browser.

The canvas is the one description of a chart, :mod:`oversmooth.report.figures.canvas`. Plotly draws the screen figure of
it; its arrays, colours, dashes and words are drawn again here, and what cannot be is refused. This module is quick
to import: matplotlib is loaded when something is drawn.
"""

from oversmooth.report.paper.presets import PRESETS, Preset, Typeface

__all__ = ["PRESETS", "Preset", "Typeface"]
