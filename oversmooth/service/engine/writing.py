"""What a worker that writes files does: one export at a time, with matplotlib and without torch or models."""

from typing import ClassVar, cast

# What every export of a figure needs, imported once.
import oversmooth.report.export.pgfplots
import oversmooth.report.figures.gallery
import oversmooth.report.paper.files  # noqa: F401
from oversmooth.core.progress import Report
from oversmooth.report.export.requests import Export
from oversmooth.service.engine.messages import Ready, Request
from oversmooth.service.engine.serving import TOO_LARGE_A_FILE, Serving


class Writing(Serving):
    """Writes what is asked for, and says how it went."""

    too_large: ClassVar[str] = TOO_LARGE_A_FILE

    def prepare(self) -> Ready:
        """Nothing is left to do: what takes long was imported."""
        return Ready()

    def answer(self, request: Request, report: Report) -> bytes:
        """Write one file."""
        return cast(Export, request).write(report)
