"""Everything that is written of a result, by file name: what a folder and a bundle hold."""

from __future__ import annotations

from dataclasses import dataclass

from oversmooth.core.progress import Report, silent
from oversmooth.report.export.formats import figure_formats
from oversmooth.report.paper.presets import PRESETS, Preset
from oversmooth.results.comparison import Comparison
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.files.data import data
from oversmooth.results.files.formats import number_formats
from oversmooth.results.files.names import RECORD, SETTINGS
from oversmooth.results.files.tables import all_tables
from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings


@dataclass(frozen=True)
class Parts:
    """What is written beside settings and record."""

    formats: tuple[str, ...] = ("csv",)
    figures: tuple[str, ...] = ()
    preset: Preset = PRESETS["single"]
    dpi: int = 300
    """Dots per inch of PNG."""
    point: str | None = None
    """Where maps and spectra are read; None for the last block."""
    lines: bool = False
    """Whether curves have a thin line for each of several texts."""


def contents(result: Measurement | Comparison, parts: Parts, report: Report = silent) -> dict[str, bytes]:
    """The files of a result."""
    found = data(result, parts.formats)
    found[SETTINGS] = settings_of(result).to_json().encode()
    found[RECORD] = result.record.to_json().encode()
    if parts.figures:
        # Only now: they need plotly.
        from oversmooth.report.export.images import drawings
        from oversmooth.report.figures.gallery import figures_of

        figures = figures_of(result, point=parts.point, lines=parts.lines)
        found |= drawings(result, figures, parts.figures, parts.preset, dpi=parts.dpi, report=report)
    return found


def files_beside_figures() -> tuple[str, ...]:
    """Names of all files that a result can have but those of its figures."""
    formats = number_formats().values()
    tables = (f"{name}.{each.name}" for each in formats if not each.file for name in all_tables())
    return (*tables, *(each.file for each in formats if each.file), SETTINGS, RECORD)


def belongs(path: str) -> bool:
    """Whether a result can have a file of that path in its folder: any other is the user's own."""
    folder, _, name = path.rpartition("/")
    if not folder:
        return path in files_beside_figures()
    stem, _, ending = name.rpartition(".")
    formats = figure_formats().values()
    if all(each.folder != folder or ending not in each.endings for each in formats):
        return path in [each.file for each in formats if each.gather is not None]
    # Only now: it needs plotly.
    from oversmooth.report.figures import registry

    return registry.owns(stem)


def settings_of(result: Measurement | Comparison) -> Settings | ComparisonSettings:
    """What repeats a result."""
    return ComparisonSettings.of(result) if isinstance(result, Comparison) else result.settings
