"""Screen figures on paper: a plotly figure drawn again by matplotlib, which needs no browser.

The plotly figure is the one description of a chart: its own arrays, colours, dashes and words are drawn here, and what
cannot be drawn is refused. This module is quick to import; matplotlib is loaded when something is drawn.
"""

from oversmooth.report.paper.presets import PRESETS, Preset, Typeface

__all__ = ["PRESETS", "Preset", "Typeface"]
