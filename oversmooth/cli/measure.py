"""``oversmooth measure``: one model, its numbers printed or written."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from oversmooth.cli import options, output, terminal
from oversmooth.cli.showing import show
from oversmooth.core.errors import SettingsError
from oversmooth.models.given import DEFAULT_MODEL
from oversmooth.results.comparison_settings import ComparisonSettings, from_file
from oversmooth.results.settings import DEFAULT_MAX_TOKENS, Settings

# The defaults live in Settings alone; here they are only told.
HELP = f"""Measure texts at every layer of a model.

Without other options: the model {DEFAULT_MODEL}, all metrics, the outputs of its blocks, special tokens left out,
texts cut to {DEFAULT_MAX_TOKENS} tokens, and a GPU where there is one. Without --out, the numbers are printed.

What a mitigation changes is measured beside the unchanged model, by `oversmooth compare`.
"""


def measure(
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
    """Turn options into settings, measure, and print or write the result."""
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
    chosen = options.settings_from(base(settings), flags)
    options.require_measurable(chosen)
    target.check()
    # Only now: what follows takes seconds to import.
    from oversmooth.measuring.measuring import measure as run_measure

    with terminal.progress_line(sys.stderr) as report:
        measurement = run_measure(chosen, report=report)
    raise typer.Exit(show(measurement, target))


def base(path: Path | None) -> Settings | None:
    """The settings of one model in a file; None without a file.

    Raises:
        SettingsError: where it cannot be read, or holds a comparison.
    """
    found = None if path is None else from_file(path)
    if isinstance(found, ComparisonSettings):
        raise SettingsError(
            f"{path} holds the settings of a comparison. Repeat it with `oversmooth run`, or change it with "
            "`oversmooth compare`."
        )
    return found
