"""``oversmooth measure``: one model, its numbers printed or written."""

from __future__ import annotations

from pathlib import Path

import typer

from oversmooth.cli.execution import Output, execute, show
from oversmooth.cli.options import Asked, expanded, settings_from
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


@expanded()
def measure(*, asked: Asked, output: Output) -> None:
    """Turn options into settings, measure, and print or write the result."""
    flags = asked.fields()
    target = output.target()
    chosen = settings_from(base(asked.settings), flags)
    raise typer.Exit(show(execute(chosen, target), target))


def base(path: Path | None) -> Settings | None:
    """The settings of one model in a file, which a comparison's are not; None without a file."""
    found = None if path is None else from_file(path)
    if isinstance(found, ComparisonSettings):
        raise SettingsError(
            f"{path} holds the settings of a comparison. Repeat it with `oversmooth run`, or change it with "
            "`oversmooth compare`."
        )
    return found
