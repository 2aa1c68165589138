"""Figures on paper: what a canvas tells, drawn by matplotlib, which needs no browser.

The canvas is the one description of a chart (:mod:`oversmooth.report.figures.canvas`): plotly draws the screen figure of
it, and here its arrays, colours, dashes and words are drawn again; what cannot be drawn is refused. This module is quick
to import; matplotlib is loaded when something is drawn.
"""

from oversmooth.report.paper.presets import PRESETS, Preset, Typeface

__all__ = ["PRESETS", "Preset", "Typeface"]
