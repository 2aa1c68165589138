"""Figures as pages of their own for the screen, which need no network."""

from __future__ import annotations

import html

from oversmooth.report.export.formats import FigureFormat, ToWrite, figure_format

ORDER = 40


def _page(drawn: ToWrite) -> dict[str, bytes]:
    # Only now: it needs plotly.
    from oversmooth.report.figures import CONFIG

    page: str = drawn.figure.to_html(include_plotlyjs=True, full_html=True, config=CONFIG, div_id="figure")
    name = f"<title>{html.escape(drawn.title)}</title>" if drawn.title else ""
    return {"html": page.replace("<head>", f"<head>{name}", 1).encode()}


figure_format(
    FigureFormat(name="html", title="HTML", media_type="text/html", write=_page, bundled=False, endings=("html",))
)
