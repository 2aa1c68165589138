"""Figures as SVG: vectors for paper."""

from __future__ import annotations

from oversmooth.report.export.formats import Metadata, figure_format

ORDER = 20
figure_format("svg", title="SVG", media_type="image/svg+xml", metadata=Metadata("Creator", "Description", "Date"))
