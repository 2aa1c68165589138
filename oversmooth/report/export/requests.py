"""What a page may ask to have written of a result, as a process of its own takes it. Quick to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from oversmooth.results.files.formats import number_formats

if TYPE_CHECKING:
    from oversmooth.core.progress import Report
    from oversmooth.report.export.contents import Parts
    from oversmooth.report.figures.registry import Drawable
    from oversmooth.report.paper.presets import Preset
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement


class Export(Protocol):
    """A file that can be written; it travels between processes."""

    @property
    def heavy(self) -> bool:
        """Whether it holds many figures."""

    def write(self, report: Report) -> bytes:
        """The file.

        Raises:
            OutputError: why it cannot be written.
            CancelledError: where ``report`` raises it.
        """


@dataclass(frozen=True)
class ChartFile:
    """A chart in one format, or a zip of it where that takes several files."""

    result: Measurement | Comparison
    name: str
    figure: Drawable
    forms: tuple[str, ...]
    preset: Preset
    dpi: int
    heavy: bool = False

    def write(self, report: Report) -> bytes:
        """See :class:`Export`."""
        from oversmooth.report.export.bundle import zipped
        from oversmooth.report.export.images import drawings

        figures = {self.name: self.figure}
        files = drawings(self.result, figures, self.forms, self.preset, dpi=self.dpi, report=report)
        return zipped(files) if len(self.forms) > 1 else next(iter(files.values()))


@dataclass(frozen=True)
class NumbersFile:
    """The numbers of a result in one format; a zip of the tables of CSV and Parquet."""

    result: Measurement | Comparison
    format: str
    heavy: bool = False

    def write(self, report: Report) -> bytes:
        """See :class:`Export`."""
        del report  # done before anybody could read it
        from oversmooth.report.export.bundle import zipped
        from oversmooth.results.files.data import data

        files = data(self.result, [self.format])
        return next(iter(files.values())) if number_formats()[self.format].file else zipped(files)


@dataclass(frozen=True)
class SettingsFile:
    """What repeats a result, as JSON."""

    result: Measurement | Comparison
    heavy: bool = False

    def write(self, report: Report) -> bytes:
        """See :class:`Export`."""
        del report
        from oversmooth.report.export.contents import settings_of

        return settings_of(self.result).to_json().encode()


@dataclass(frozen=True)
class Everything:
    """A zip of figures, numbers, settings, record and a ``README.txt``."""

    result: Measurement | Comparison
    parts: Parts
    heavy: bool = True

    def write(self, report: Report) -> bytes:
        """See :class:`Export`."""
        from oversmooth.report.export.bundle import zip_of

        return zip_of(self.result, self.parts, report)
