"""What the command line shows: a table of numbers, what is missing and why, and a line of progress."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from oversmooth.points import title
from oversmooth.progress import Progress, Report, sentence, silent
from oversmooth.wording import count

if TYPE_CHECKING:
    from oversmooth.measurement import Measurement

MISSING = "–"


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
    number = measurement.curves.sizes["input"]
    return f"{text}\n\nMean of {count(number, 'text')}." if number > 1 else text


def missing(measurement: Measurement) -> list[str]:
    """Which metrics have no value where, and why: one sentence for each reason and place."""
    places: dict[tuple[str, str], list[str]] = {}
    for note in measurement.notes:
        if note.kind == "missing":
            points = places.setdefault((note.reason, note.metric), [])
            if note.point not in points:
                points.append(note.point)
    metrics: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (reason, metric), points in places.items():
        metrics.setdefault((reason, tuple(points)), []).append(metric)
    everywhere = measurement.curves.sizes["point"]
    return [
        f"no value for {', '.join(names)} at {_place(points, everywhere)}: {reason}."
        for (reason, points), names in metrics.items()
    ]


def _place(points: Sequence[str], everywhere: int) -> str:
    if len(points) == 1:
        return title(points[0])
    return "any point" if len(points) == everywhere else count(len(points), "point")


@contextmanager
def progress_line(stream: TextIO) -> Iterator[Report]:
    """A line on the terminal that says where the run is; silent where the stream is not a terminal."""
    if not stream.isatty():
        yield silent
        return

    def report(progress: Progress) -> None:
        stream.write(f"\r\x1b[K{sentence(progress)}")
        stream.flush()

    try:
        yield report
    finally:
        stream.write("\r\x1b[K")
        stream.flush()
