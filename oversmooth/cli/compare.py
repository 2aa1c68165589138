"""``oversmooth compare``: a baseline and its variants side by side."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from oversmooth.cli import options, output, terminal
from oversmooth.cli.showing import show
from oversmooth.core.errors import MitigationError, SettingsError
from oversmooth.measuring.comparing import compare as run_compare
from oversmooth.measuring.comparing import variant_settings
from oversmooth.results.comparison import check_labels
from oversmooth.results.comparison_settings import ComparisonSettings, from_file
from oversmooth.results.settings import Settings

HELP = """Measure a model with and without mitigations, side by side.

A mitigation is a change to the model while it reads the text, such as those that papers propose against
over-smoothing; the weights stay as they are. Each --mitigation is one variant, and its label is what you write:

    name                            with its default values

    name:parameter=value,...        with values of yours

    first:...+second:...            several at once, in this order

`oversmooth mitigations` lists the names and their parameters. All variants read the same texts as the baseline, which
is the model as it is. A mistake in what you write is told before anything is measured; a variant that the model cannot
carry is told, and the others are measured all the same.

Without --out, the numbers are printed.
"""
Mitigations = Annotated[
    list[str] | None,
    typer.Option(
        "--mitigation",
        help="A variant to set beside the unchanged model, such as softdecay:alpha=-0.6 or "
        "neutreno:strength=0.4+attnscale:omega=0.5. Give the option again for a further variant.",
        metavar="METHODS",
    ),
]


def compare(
    mitigation: Mitigations = None,
    text: options.Texts = None,
    pair: options.Pairs = None,
    text_file: options.TextFiles = None,
    texts: options.ListFile = None,
    column: options.Column = None,
    separator: options.Separator = None,
    header: options.Header = None,
    settings: options.SettingsFile = None,
    model: options.Model = None,
    revision: options.Revision = None,
    metric: options.Metrics = None,
    points: options.Points = None,
    special_tokens: options.SpecialTokens = None,
    language_model: options.LanguageModel = None,
    max_tokens: options.MaxTokens = None,
    device: options.RunsOn = None,
    precision: options.InPrecision = None,
    out: output.Out = None,
    formats: output.Formats = None,
    figures: output.Figures = None,
    bundle: output.Bundle = None,
    preset: output.PresetName = None,
    width: output.Width = None,
    font_size: output.FontSize = None,
    serif: output.Serif = None,
    titles: output.Titles = None,
    dpi: output.Dpi = None,
    force: output.Force = False,
) -> None:
    """Turn options into a baseline and variants, measure them, and print or write the result."""
    flags = options.given(
        text,
        pair,
        text_file,
        texts,
        column,
        separator,
        header,
        model=model,
        revision=revision,
        metrics=metric,
        points=points,
        special_tokens=special_tokens,
        language_model=language_model,
        max_tokens=max_tokens,
        device=device,
        precision=precision,
    )
    looks = {"preset": preset, "width": width, "font_size": font_size, "serif": serif, "titles": titles, "dpi": dpi}
    target = output.target(out, bundle, formats, figures, force=force, **looks)
    baseline, variants = _sides(settings, flags, mitigation or ())
    options.require_measurable(baseline, *variants.values())
    target.check()
    # Only now: what follows takes seconds to import.
    import oversmooth.measuring.measuring  # noqa: F401

    with terminal.progress_line(sys.stderr) as report:
        comparison = run_compare(baseline, variants, report=report)
    raise typer.Exit(show(comparison, target))


def _sides(
    base: Path | None, flags: Mapping[str, Any], given: Sequence[str]
) -> tuple[Settings, Mapping[str, Settings]]:
    """The baseline and the variants that a file and the options name; each mistake in --mitigation is told."""
    found = None if base is None else from_file(base)
    if isinstance(found, ComparisonSettings):
        found = found.changed(flags)
        baseline, earlier = found.baseline, dict(found.variants)
    else:
        baseline, earlier = options.settings_from(found, flags), {}
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
    return baseline, variants
