"""``oversmooth explain``: where and why a model smooths, in words and numbers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import typer

from oversmooth.cli import options, output, terminal
from oversmooth.cli.measure import base
from oversmooth.cli.showing import show
from oversmooth.core.texts import bundled
from oversmooth.models.given import DEFAULT_MODEL
from oversmooth.results.settings import Settings

HELP = f"""Explain where and why a model smooths, and whether it is over-smoothing at all.

Where: which sub-layers change how alike tokens are. Why: attention as a graph, the norms, the eigenspectrum of the
update, and the spectrum of the tokens, each with its condition, what was measured beside it and what it cannot tell.
Whether: how much of it is an offset that the tokens of all texts share.

Without other options: the model {DEFAULT_MODEL} and the 64 sentences that come with Oversmooth, in the public domain.
Of one text alone, smoothing and a common offset cannot be told apart. The findings are printed; the numbers behind them
go into --out.
"""


def explain(
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
    special_tokens: options.SpecialTokens = None,
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
    """Turn options into settings, measure, and print what was found."""
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
        special_tokens=special_tokens,
        max_tokens=max_tokens,
        device=device,
        precision=precision,
    )
    looks = {"preset": preset, "width": width, "font_size": font_size, "serif": serif, "titles": titles, "dpi": dpi}
    target = output.target(out, bundle, formats, figures, force=force, **looks)
    chosen = _explained(base(settings), flags)
    options.require_measurable(chosen)
    target.check()
    # Only now: what follows takes seconds to import.
    from oversmooth.measuring.measuring import measure

    with terminal.progress_line(sys.stderr) as report:
        measurement = measure(chosen, report=report)
    raise typer.Exit(show(measurement, target))


def _explained(found: Settings | None, flags: Mapping[str, Any]) -> Settings:
    """The settings of an explanation: of a file's where there is one, else of the bundled sentences."""
    given = {} if found is None else found.model_dump(exclude={"points"})
    usual = {"texts": tuple(sentence.text for sentence in bundled())}
    return Settings.of(**{**usual, **given, **flags, "explanation": True, "similarity": False})
