"""``oversmooth measure`` and ``oversmooth explain``: one model, its numbers printed or written, or told in findings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from oversmooth.cli.execution import Output, execute, show
from oversmooth.cli.options import Asked, expanded, settings_from
from oversmooth.core.errors import SettingsError
from oversmooth.core.texts import bundled
from oversmooth.models.given import DEFAULT_MODEL
from oversmooth.results.comparison_settings import ComparisonSettings, from_file
from oversmooth.results.settings import DEFAULT_MAX_TOKENS, Settings

# The defaults live in Settings alone; here they are only told.
MEASURE = f"""Measure texts at every layer of a model.

Without other options: the model {DEFAULT_MODEL}, all metrics, the outputs of its blocks, special tokens left out,
texts cut to {DEFAULT_MAX_TOKENS} tokens, and a GPU where there is one. Without --out, the numbers are printed.

What a mitigation changes is measured beside the unchanged model, by `oversmooth compare`.
"""


@expanded()
def measure(*, asked: Asked, output: Output) -> None:
    """Turn options into settings, measure, and print or write the result."""
    flags = asked.fields()
    target = output.target()
    chosen = settings_from(_base(asked.settings), flags)
    raise typer.Exit(show(execute(chosen, target), target))


def _base(path: Path | None) -> Settings | None:
    """The settings of one model in a file, which a comparison's are not; None without a file."""
    found = None if path is None else from_file(path)
    if isinstance(found, ComparisonSettings):
        raise SettingsError(
            f"{path} holds the settings of a comparison. Repeat it with `oversmooth run`, or change it with "
            "`oversmooth compare`."
        )
    return found


EXPLAIN = f"""Explain where and why a model smooths, and whether it is over-smoothing at all.

Where: which sub-layers change how alike tokens are. Why: attention as a graph, the norms, the eigenspectrum of the
update, and the spectrum of the tokens, each with its condition, what was measured beside it and what it cannot tell.
Whether: how much of it is an offset that the tokens of all texts share.

Without other options: the model {DEFAULT_MODEL} and the 64 sentences that come with Oversmooth, in the public domain.
Of one text alone, smoothing and a common offset cannot be told apart. The findings are printed; the numbers behind them
go into --out.
"""


@expanded(leaving_out={"metrics", "points", "language_model"})
def explain(*, asked: Asked, output: Output) -> None:
    """Turn options into settings, measure, and print what was found."""
    flags = asked.fields()
    target = output.target()
    chosen = _explained(_base(asked.settings), flags)
    raise typer.Exit(show(execute(chosen, target), target))


def _explained(found: Settings | None, flags: Mapping[str, Any]) -> Settings:
    """The settings of an explanation: of a file's where there is one, else of the bundled sentences."""
    given = {} if found is None else found.model_dump(exclude={"points"})
    usual = {"texts": tuple(sentence.text for sentence in bundled())}
    return Settings.of(**{**usual, **given, **flags, "explanation": True, "similarity": False})
