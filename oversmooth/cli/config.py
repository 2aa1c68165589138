"""``oversmooth config``: what the server would run with, and where each value comes from."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from oversmooth.cli import terminal
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
