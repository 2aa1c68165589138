"""Charts of a measurement, as plotly figures: one file a kind.

Every function takes a :class:`~oversmooth.results.measurement.Measurement` and a theme and gives back a figure that
stands alone: its own template, no setting of plotly's shared defaults. Draw it with :data:`CONFIG`.
"""

from __future__ import annotations

from typing import Any, Final

CONFIG: Final[dict[str, Any]] = {
    "displaylogo": False,
    # On by default, the button uploads the figure to the vendor's cloud.
    "showSendToCloud": False,
    "modeBarButtonsToRemove": ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"],
    # No label is TeX; without this, a page that has MathJax would typeset `$…$`.
    "typesetMath": False,
    "toImageButtonOptions": {"format": "svg"},
    "responsive": True,
}
"""Browser options for ``st.plotly_chart(config=)`` and ``Figure.write_html(config=)``."""
