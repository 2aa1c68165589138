"""``oversmooth explain``: where and why a model smooths, in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from oversmooth.cli.execution import Output, execute, show
from oversmooth.cli.measure import base
from oversmooth.cli.options import Asked, expanded
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


@expanded(leaving_out={"metrics", "points", "language_model"})
def explain(*, asked: Asked, output: Output) -> None:
    """Turn options into settings, measure, and print what was found."""
    flags = asked.fields()
    target = output.target()
    chosen = _explained(base(asked.settings), flags)
    raise typer.Exit(show(execute(chosen, target), target))


def _explained(found: Settings | None, flags: Mapping[str, Any]) -> Settings:
    """The settings of an explanation: of a file's where there is one, else of the bundled sentences."""
    given = {} if found is None else found.model_dump(exclude={"points"})
    usual = {"texts": tuple(sentence.text for sentence in bundled())}
    return Settings.of(**{**usual, **given, **flags, "explanation": True, "similarity": False})
