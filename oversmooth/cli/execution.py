"""What every command that measures does once its settings are known: refuse, compute, write or print, and tell."""

# ruff: noqa: RUF009  an option is a field of a dataclass, made by another name

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oversmooth.cli import options, terminal
from oversmooth.cli.options import option
from oversmooth.core.errors import OutputError
from oversmooth.core.wording import did_you_mean, enumerated
from oversmooth.measuring import repeating
from oversmooth.report.export.formats import figure_formats
from oversmooth.results.comparison import Comparison
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.files.formats import number_formats
from oversmooth.results.settings import Settings

if TYPE_CHECKING:
    from oversmooth.report.export.contents import Parts
    from oversmooth.report.paper.presets import Preset
    from oversmooth.results.measurement import Measurement

LOOKS = ("preset", "width", "font_size", "serif", "titles", "dpi")
"""Options that say how figures are drawn."""


@dataclass(frozen=True)
class Target:
    """Where a result goes."""

    out: Path | None
    bundle: Path | None
    parts: Parts
    force: bool

    @property
    def given(self) -> bool:
        """Whether anything is written; else the numbers are printed."""
        return self.out is not None or self.bundle is not None

    def check(self) -> None:
        """Refuse, before anything is computed, a folder or file that cannot take the result, and a PNG too large."""
        from oversmooth.report.export import bundle, folder

        if self.out is not None:
            folder.check(self.out, force=self.force)
        if self.bundle is not None:
            bundle.check(self.bundle, force=self.force)
        if self.bundle is not None or "png" in self.parts.figures:
            # Only now: it loads plotly.
            from oversmooth.report.export.images import require_resolution

            require_resolution(self.parts.preset, self.parts.dpi)

    def write(self, result: Measurement | Comparison) -> tuple[Path, ...]:
        """Write it; gives back what was written. Where it cannot be, what was to be replaced stays as it was."""
        from oversmooth.report.export import bundle, folder

        written: tuple[Path, ...] = ()
        if self.out is not None:
            written = folder.write(result, self.out, self.parts, force=self.force)
        if self.bundle is not None:
            content = bundle.bundle(result, self.parts.preset, dpi=self.parts.dpi)
            bundle.place(content, self.bundle, force=self.force)
            written = (*written, self.bundle)
        return written


@dataclass(frozen=True)
class Output:
    """The options that say what is written where."""

    out: Path | None = option("Write the numbers, settings.json and record.json into this folder.", "FOLDER")
    formats: str | None = option(
        f"Of the numbers in --out: {', '.join(number_formats())}; csv without it.", "NAMES", "--format"
    )
    figures: str | None = option(f"Write the figures into --out too: {', '.join(figure_formats())}.", "NAMES")
    bundle: Path | None = option(
        "Write numbers in every format, figures, LaTeX, settings and record into this zip file.", "FILE"
    )
    preset: str | None = option(
        "Size of figures: single (one of two columns, 3.25 in), double (both, 6.75 in) or slide (16:9).", "NAME"
    )
    width: float | None = option("Another width of figures.", "INCHES")
    font_size: float | None = option("Size of the words in figures.", "POINTS")
    serif: bool | None = option("Typeface of figures.", flag="--serif/--sans")
    titles: bool | None = option("Whether figures have a heading.")
    dpi: int | None = option("Dots per inch of PNG; 300 without it.", "N")
    force: bool = option("Replace the files of an earlier result in --out or --bundle.", flag="--force", default=False)

    def target(self) -> Target:
        """The target that they name; an unknown name, an impossible size and an option without effect are refused."""
        from oversmooth.report.export.contents import Parts

        for name, value in (("--format", self.formats), ("--figures", self.figures)):
            if value is not None and self.out is None:
                raise OutputError(f"{name} says what is written into a folder: add --out FOLDER.")
        given = [name for name in LOOKS if getattr(self, name) is not None]
        if given and self.figures is None and self.bundle is None:
            option = f"--{given[0].replace('_', '-')}"
            raise OutputError(f"{option} says how figures are drawn: add --figures pdf, or --bundle FILE.")
        parts = Parts(
            formats=("csv",) if self.formats is None else _named(self.formats, number_formats(), "format of numbers"),
            figures=() if self.figures is None else _named(self.figures, figure_formats(), "format of figures"),
            preset=self._preset(),
            dpi=300 if self.dpi is None else self.dpi,
        )
        return Target(self.out, self.bundle, parts, self.force)

    def _preset(self) -> Preset:
        from oversmooth.report.paper.presets import PRESETS

        name = "single" if self.preset is None else self.preset
        if name not in PRESETS:
            raise OutputError(
                f"There is no preset named “{name}”{did_you_mean(name, PRESETS)}: choose {', '.join(PRESETS)}."
            )
        changes: dict[str, Any] = {
            "width": self.width,
            "points": self.font_size,
            "typeface": None if self.serif is None else "serif" if self.serif else "sans",
            "titled": self.titles,
        }
        return replace(PRESETS[name], **{name: value for name, value in changes.items() if value is not None})


def _named(text: str, registered: Iterable[str], what: str) -> tuple[Any, ...]:
    known = list(registered)
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names or [""]:
        if name not in known:
            raise OutputError(
                f"There is no {what} named “{name}”{did_you_mean(name, known)}. Choose from {enumerated(known)}, "
                "with commas between several."
            )
    return tuple(dict.fromkeys(names))


def execute(wanted: Settings | ComparisonSettings, target: Target) -> Measurement | Comparison:
    """What the settings give; refused before anything is computed where settings or target show that it cannot be."""
    sides = [wanted] if isinstance(wanted, Settings) else [wanted.baseline, *dict(wanted.variants).values()]
    options.require_measurable(*sides)
    target.check()
    # Only now: what follows takes seconds to import, and Ctrl-C ends it at once.
    import oversmooth.measuring.measuring  # noqa: F401

    with terminal.progress_line(sys.stderr) as report:
        return repeating.repeat(wanted, report=report)


def show(result: Measurement | Comparison, target: Target) -> int:
    """Write the result or print it, tell what was found, and give back the exit code: 2 where a variant is left out."""
    if isinstance(result, Comparison):
        return _comparison(result, target)
    # Only now: what follows takes seconds to import.
    from oversmooth.report.findings import headline, missing, warnings_beside
    from oversmooth.report.findings.explanations import in_words

    terminal.notes([*warnings_beside(result), *missing(result)])
    written = target.write(result)
    if result.explanation is not None:
        terminal.tell(in_words(result))
    else:
        if not target.given:
            terminal.tell(f"{terminal.table(result)}\n")
        terminal.tell(headline(result))
    terminal.wrote(written)
    return 0


def _comparison(comparison: Comparison, target: Target) -> int:
    from oversmooth.report.findings import comparison_headline, missing, told_once, warnings_beside

    # Nothing is written of a baseline alone: the next try would find the folder taken.
    if comparison.variants:
        sides = comparison.measurements
        terminal.notes(told_once({label: (*warnings_beside(each), *missing(each)) for label, each in sides.items()}))
        written = target.write(comparison)
        if not target.given:
            terminal.tell(f"{terminal.comparison_tables(comparison)}\n")
        terminal.tell(comparison_headline(comparison))
        terminal.wrote(written)
    for label, reason in comparison.failures.items():
        terminal.error(f"The variant “{label}” was left out. {reason}")
    return 2 if comparison.failures else 0
