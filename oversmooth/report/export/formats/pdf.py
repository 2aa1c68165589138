"""Figures as PDF: vectors for paper."""

from __future__ import annotations

from oversmooth.report.export.formats import FigureFormat, Metadata, figure_format

ORDER = 10
figure_format(
    FigureFormat(
        name="pdf",
        title="PDF",
        media_type="application/pdf",
        metadata=Metadata("Creator", "Keywords", "CreationDate"),
        endings=("pdf",),
    )
)
