"""What the command line shows: tables of numbers, notes and errors, and a line of progress."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from oversmooth.cli import interrupts
from oversmooth.core.numerals import arrow, number, signed
from oversmooth.core.points import title
from oversmooth.core.progress import Progress, Report, sentence, silent
from oversmooth.core.tokens import harmless, visible
from oversmooth.core.wording import MISSING, count

if TYPE_CHECKING:
    from oversmooth.report.findings import Side
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement

MOST_NAMES = 12
"""Files that are told by name; of more, their number."""


def columns(rows: Iterable[tuple[str, ...]]) -> str:
    """Rows as text, every column but the last padded to its widest cell."""
    rows = list(rows)
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    widths[-1] = 0
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def table(measurement: Measurement) -> str:
    """One row for each metric, one column for each point; the mean where there are several texts.

    On a terminal the columns are folded to its width.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    frame = measurement.curves.mean("input").to_dataframe()[list(measurement.metrics)].loc[list(measurement.points)].T
    frame.columns.name = None
    text = frame.to_string(line_width=width, float_format="{:.4g}".format, na_rep=MISSING)
    outputs = [(str(name), number(float(values.mean("input")))) for name, values in measurement.outputs.items()]
    parts = [text, *([columns(outputs)] if outputs else []), *_mean(measurement)]
    return "\n\n".join(parts)


def comparison_tables(comparison: Comparison) -> str:
    """A row for each metric and side, from first to last and what differs; then what is left of the baseline."""
    # Only now: most of what is told has no numbers.
    from oversmooth.metrics import fidelity_names
    from oversmooth.report.findings import differences

    names = comparison.baseline.settings.metrics
    sides = differences(comparison, names)
    head = ("METRIC", "VARIANT", "FIRST → LAST", "DELTA", "LARGEST DELTA", "PARTS AT")
    rows = [(name, side.label, *_difference(comparison, side, name)) for name in names for side in sides]
    parts = [columns([head, *rows])]
    if beside := [name for name in fidelity_names() if any(name in side.fidelity for side in sides)]:
        kept = [
            (side.label, *(number(side.fidelity[name]) if name in side.fidelity else MISSING for name in beside))
            for side in sides
        ]
        parts.append(columns([("VARIANT", *beside), *kept]))
    parts += [f"{side.label} has no differences: {side.incomparable}." for side in sides if side.incomparable]
    return "\n\n".join([*parts, *_mean(comparison.baseline)])


def _difference(comparison: Comparison, side: Side, name: str) -> tuple[str, str, str, str]:
    from oversmooth.report.findings import changes

    measurement, found = comparison.measurements[side.label], side.differences[name]
    if name not in measurement.metrics:
        return MISSING, MISSING, MISSING, MISSING
    (change,) = changes(measurement, [name])
    return (
        arrow(change.first, change.last),
        MISSING if math.isnan(found.delta) else signed(found.delta),
        f"{signed(found.largest)} at {title(found.largest_point)}" if found.largest_point else MISSING,
        title(found.parting) if found.parting else MISSING,
    )


def _mean(measurement: Measurement) -> list[str]:
    texts = measurement.curves.sizes["input"]
    return [f"Mean of {count(texts, 'text')}."] if texts > 1 else []


def tell(words: str, *, err: bool = False) -> None:
    """Print words that may hold a stranger's: nothing in them is a command to the terminal."""
    typer.echo(harmless(words), err=err)


def error(sentence: str) -> None:
    """Tell what went wrong."""
    tell(f"Error: {sentence}", err=True)


def notes(sentences: Iterable[str]) -> None:
    """Tell what to know before the numbers are read."""
    for told in sentences:
        tell(f"Note: {told}", err=True)


def wrote(paths: Sequence[Path]) -> None:
    """Tell which files were written, by folder; nothing where there are none."""
    folders: dict[Path, list[str]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(path.name)
    for folder, names in folders.items():
        told = ", ".join(names) if len(names) <= MOST_NAMES else count(len(names), "file")
        tell(f"Wrote {told} to {folder}.")


@contextmanager
def progress_line(stream: TextIO) -> Iterator[Report]:
    """A line on the terminal that says where the run is; silent where the stream is not a terminal.

    From here on, Ctrl-C is an exception.
    """
    interrupts.raise_from_here()
    if not stream.isatty():
        yield silent
        return

    def report(progress: Progress) -> None:
        # What is longer than the line would stay on the screen.
        room = shutil.get_terminal_size().columns - 1
        told = visible(sentence(progress))
        stream.write(f"\r\x1b[K{told if len(told) <= room else told[: room - 1] + '…'}")
        stream.flush()

    try:
        yield report
    finally:
        stream.write("\r\x1b[K")
        stream.flush()
