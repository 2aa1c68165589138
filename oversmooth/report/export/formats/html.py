"""Figures as pages of their own for the screen, which need no network."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from oversmooth.report.export.formats import FigureFormat, figure_format

if TYPE_CHECKING:
    import plotly.graph_objects as go

ORDER = 40


def _page(figure: go.Figure, *, title: str, **_: object) -> dict[str, bytes]:
    # Only now: it needs plotly.
    from oversmooth.report.figures import CONFIG

    page: str = figure.to_html(include_plotlyjs=True, full_html=True, config=CONFIG, div_id="figure")
    name = f"<title>{html.escape(title)}</title>" if title else ""
    return {"html": page.replace("<head>", f"<head>{name}", 1).encode()}


figure_format(
    FigureFormat(name="html", title="HTML", media_type="text/html", write=_page, bundled=False, endings=("html",))
)
