"""``oversmooth compare``: a baseline and its variants side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from oversmooth.cli import terminal
from oversmooth.cli.execution import Output, execute, show
from oversmooth.cli.options import Asked, expanded, settings_from
from oversmooth.core.errors import MitigationError, SettingsError
from oversmooth.measuring.comparing import variant_settings
from oversmooth.results.comparison import check_labels
from oversmooth.results.comparison_settings import ComparisonSettings, from_file

Mitigations = Annotated[
    list[str] | None,
    typer.Option(
        "--mitigation",
        help="A variant to set beside the unchanged model, such as softdecay:alpha=-0.6 or "
        "neutreno:strength=0.4+attnscale:omega=0.5. Give the option again for a further variant.",
        metavar="METHODS",
    ),
]


@expanded()
def compare(*, mitigation: Mitigations = None, asked: Asked, output: Output) -> None:
    """Measure a model with and without mitigations, side by side.

    A mitigation is a change to the model while it reads the text, such as those that papers propose against
    over-smoothing; the weights stay as they are. Each --mitigation is one variant, and its label is what you write:

        name                            with its default values

        name:parameter=value,...        with values of yours

        first:...+second:...            several at once, in this order

    `oversmooth mitigations` lists the names and their parameters. All variants read the same texts as the baseline,
    which is the model as it is. A mistake in what you write is told before anything is measured; a variant that the
    model cannot carry is told, and the others are measured all the same.

    Without --out, the numbers are printed.
    """
    flags = asked.fields()
    target = output.target()
    wanted = _sides(asked.settings, flags, mitigation or ())
    raise typer.Exit(show(execute(wanted, target), target))


def _sides(base: Path | None, flags: Mapping[str, Any], given: Sequence[str]) -> ComparisonSettings:
    """The baseline and the variants that a file and the options name; each mistake in --mitigation is told."""
    found = None if base is None else from_file(base)
    if isinstance(found, ComparisonSettings):
        found = found.changed(flags)
        baseline, earlier = found.baseline, dict(found.variants)
    else:
        baseline, earlier = settings_from(found, flags), {}
    check_labels([*earlier, *given])
    variants, mistaken = earlier, False
    for text in given:
        try:
            variants[text] = variant_settings(baseline, text)
        except MitigationError as error:
            terminal.error(f"The variant “{text}” is refused. {error}")
            mistaken = True
    if mistaken:
        raise typer.Exit(2)
    if not variants:
        raise SettingsError(
            "There is nothing to compare. Give a variant with --mitigation; `oversmooth mitigations` lists them."
        )
    return ComparisonSettings(baseline=baseline, variants=tuple(variants.items()))
