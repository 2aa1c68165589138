"""``oversmooth allow``: a model onto the list of a hosted server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from oversmooth.cli import terminal
from oversmooth.cli.options import path as named
from oversmooth.core.errors import ConfigurationError
from oversmooth.core.wording import count
from oversmooth.service.hosting import current
from oversmooth.service.hosting.configuration import variable


def allow(
    model: Annotated[str, typer.Argument(help="A name from `oversmooth models` or a hub id.", metavar="MODEL")],
    revision: Annotated[
        str | None, typer.Option("--revision", help="Branch, tag or commit; the commit is pinned.", metavar="NAME")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", parser=named, help="The list; without it, the file that OVERSMOOTH_MODELS names.", metavar="FILE"
        ),
    ] = None,
) -> None:
    """Fetch a model from the hub, try it, and put it on the list of a hosted server.

    The list pins it to one commit and to the SHA-256 of every file. This is the one command of a server that needs the
    network; the server itself never asks the hub.
    """
    configuration = current()
    path = file or configuration.models
    if path is None:
        raise ConfigurationError(
            f"There is no list to write to. Name it with --file, or set {variable('models')} for the server and this "
            "command alike."
        )
    from oversmooth.models.allowlist import AllowList, read, write
    from oversmooth.models.loading import describe_allowed

    models = read(path) if path.exists() else AllowList()
    with terminal.progress_line(sys.stderr) as report:
        entry = describe_allowed(model, revision=revision, report=report)
    write(path, models.including(entry))
    typer.echo(
        f"{entry.name}: {count(len(entry.files), 'file')}, {entry.parameters:,} parameters"
        + (f", commit {entry.commit}" if entry.commit else "")
        + f". It is on the list {path} now."
    )
    largest = configuration.limits.parameters
    if largest is not None and entry.parameters > largest:
        terminal.notes(
            [
                f"The profile {configuration.profile} measures models of at most {largest:,} parameters: visitors who "
                "choose this one will be refused."
            ]
        )
