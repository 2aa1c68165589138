"""Figures as PNG: pixels for paper."""

from __future__ import annotations

from oversmooth.report.export.formats import FigureFormat, Metadata, figure_format

ORDER = 30
figure_format(
    FigureFormat(
        name="png",
        title="PNG",
        media_type="image/png",
        metadata=Metadata("Software", "oversmooth-record"),
        endings=("png",),
    )
)
