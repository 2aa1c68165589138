"""What every command that measures does once its settings are known: refuse, compute, write or print, and tell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from oversmooth.cli import options, terminal
from oversmooth.measuring import repeating
from oversmooth.results.comparison import Comparison
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.settings import Settings

if TYPE_CHECKING:
    from oversmooth.cli.output import Target
    from oversmooth.results.measurement import Measurement


def execute(wanted: Settings | ComparisonSettings, target: Target) -> Measurement | Comparison:
    """What the settings give; refused before anything is computed where settings or target show that it cannot be.

    Raises:
        OversmoothError: why it is refused, or cannot be measured.
    """
    sides = [wanted] if isinstance(wanted, Settings) else [wanted.baseline, *dict(wanted.variants).values()]
    options.require_measurable(*sides)
    target.check()
    # Only now: what follows takes seconds to import, and Ctrl-C ends it at once.
    import oversmooth.measuring.measuring  # noqa: F401

    with terminal.progress_line(sys.stderr) as report:
        return repeating.repeat(wanted, report=report)


def show(result: Measurement | Comparison, target: Target) -> int:
    """Write the result or print it, tell what was found, and give back the exit code: 2 where a variant is left out.

    Raises:
        OutputError: where it cannot be written.
    """
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
