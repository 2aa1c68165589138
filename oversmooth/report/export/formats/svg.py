"""Figures as SVG: vectors for paper."""

from __future__ import annotations

from oversmooth.report.export.formats import FigureFormat, Metadata, figure_format

ORDER = 20
figure_format(
    FigureFormat(
        name="svg",
        title="SVG",
        media_type="image/svg+xml",
        metadata=Metadata("Creator", "Description", "Date"),
        endings=("svg",),
    )
)
