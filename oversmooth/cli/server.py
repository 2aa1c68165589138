"""``oversmooth app``, ``config`` and ``allow``: the dashboard, what a server runs with, and a model onto its list."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from oversmooth.cli import terminal
from oversmooth.cli.options import path as named
from oversmooth.core.errors import ConfigurationError
from oversmooth.core.wording import count
from oversmooth.service.hosting import Configuration, Limits
from oversmooth.service.hosting.configuration import FILE_VARIABLE, current, given, variable
from oversmooth.service.hosting.document import meaning

NO_LIMIT = "–"


def config(
    long: Annotated[bool, typer.Option("--long", help="Add what each key means.")] = False,
) -> None:
    """Print the server's configuration: each key, its value, and where that comes from.

    Keys are set by variables (OVERSMOOTH_ and the key in capitals), or in a TOML file that OVERSMOOTH_CONFIG names. One
    key, profile, sets all limits: local, hosted-xs, hosted-s, hosted-m or hosted-gpu.
    """
    configuration = current()
    others = [key for key in Configuration.model_fields if key not in Limits.model_fields]
    rows = [_row(name, configuration) for name in (*others, *Limits.model_fields)]
    if not long:
        typer.echo(terminal.columns([("KEY", "VALUE", "FROM"), *rows]))
        return
    for name, value, source in rows:
        typer.echo(f"{name} = {value}  ({source})\n  {variable(name)}: {meaning(name).replace('``', '')}\n")


def _row(name: str, configuration: Configuration) -> tuple[str, str, str]:
    limit = name in Limits.model_fields
    value = getattr(configuration.limits if limit else configuration, name)
    if given().get(variable(name)):
        source = variable(name)
    elif name in configuration.model_fields_set:
        source = os.environ[FILE_VARIABLE]
    else:
        source = f"profile {configuration.profile}" if limit else "default"
    return name, _written(value), source


def _written(value: object) -> str:
    if isinstance(value, tuple):
        value = ", ".join(value)
    return NO_LIMIT if value in (None, "") else f"{value:g}" if isinstance(value, float) else str(value)


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


def dashboard(
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port to listen on; the first free one from 8501 without it.", metavar="N"),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            help="Address to listen on; 0.0.0.0 for every network, 127.0.0.1 without it.",
            metavar="ADDRESS",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start the dashboard and print its address."""
    from oversmooth.service import launch

    launch.start(host, port)
