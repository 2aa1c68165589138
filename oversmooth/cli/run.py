"""``oversmooth run``: an earlier run once more, and whether it repeats."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oversmooth.cli import terminal
from oversmooth.cli.execution import Output, execute, show
from oversmooth.cli.options import Asked, expanded, path, settings_from
from oversmooth.measuring import repeating
from oversmooth.results.comparison_settings import ComparisonSettings

if TYPE_CHECKING:
    from oversmooth.measuring.repeating import Earlier
    from oversmooth.results.agreement import Agreement
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement


@expanded(leaving_out={each.name for each in fields(Asked)} - {"device"})
def run(
    source: Annotated[
        Path,
        typer.Argument(parser=path, help="settings.json, the folder that holds it, or a bundle.", metavar="SETTINGS"),
    ],
    *,
    asked: Asked,
    output: Output,
) -> None:
    """Repeat a run from its settings.json, from the folder that it wrote, or from its bundle.

    Where the record of the earlier run lies beside the settings, what differs from it is told: versions, device,
    threads, weights. Where its CSV files lie there too, the numbers are compared. On the same machine and versions they
    are the same bytes; on another they are taken as repeated up to a relative difference of 0.0001.

    The exit code is 0 where the run repeats or there is nothing to compare it with, 1 where a number differs by more or
    the weights are others, and 2 where something is refused.
    """
    flags, target = asked.fields(), output.target()
    earlier = repeating.read(source)
    found = earlier.settings
    wanted = found.changed(flags) if isinstance(found, ComparisonSettings) else settings_from(found, flags)
    result = execute(wanted, target)
    code = show(result, target)
    raise typer.Exit(code or _compare(earlier, result))


def _compare(earlier: Earlier, result: Measurement | Comparison) -> int:
    """Tell how the run compares with the earlier one; gives back the exit code."""
    from oversmooth.results import agreement

    if earlier.strange:
        terminal.notes([f"{earlier.strange} is of another run: nothing is compared with it."])
    if earlier.record is None:
        return 0
    now = repeating.records_of(result.record)
    changes = agreement.differences(earlier.records, now)
    terminal.notes(f"Not as in the record: {line}." for line in changes)
    found = agreement.agreements(result, earlier.tables)
    _tell(found, unchanged=not changes)
    others = agreement.other_weights(earlier.records, now)
    for sentence in others:
        terminal.error(sentence)
    return 1 if others or not all(each.repeated for each in found) else 0


def _tell(found: list[Agreement], *, unchanged: bool) -> None:
    from oversmooth.results.agreement import TOLERANCE

    same = [each.table for each in found if each.same_bytes]
    if same:
        terminal.tell(f"The same bytes as before: {', '.join(same)}.")
    why = " although nothing differs from the record" if unchanged else ""
    for each in found:
        told = _by_how_much(each)
        if not each.repeated:
            terminal.error(f"{each.table} is not repeated: {told}, more than the tolerance of {TOLERANCE:g}.")
        elif not each.same_bytes:
            terminal.tell(f"{each.table} is repeated{why}: {told}, within the tolerance of {TOLERANCE:g}.")


def _by_how_much(each: Agreement) -> str:
    if each.difference == float("inf"):
        return f"{each.where} has a value on one side alone"
    return f"the largest relative difference is {each.difference:.1e}, of {each.where}"
