"""The command ``oversmooth``: thin, so that everything it does can be called from Python too."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from oversmooth import __version__
from oversmooth.cli import compare, interrupts, lists, measure, new, server, streams, terminal
from oversmooth.cli import run as repeat
from oversmooth.core import plugins
from oversmooth.core.errors import OversmoothError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"oversmooth {__version__}")
        raise typer.Exit


@app.callback()
def oversmooth(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """See how the tokens of a text grow alike through a transformer."""


app.command(help=measure.MEASURE)(measure.measure)
app.command()(compare.compare)
app.command(help=measure.EXPLAIN)(measure.explain)
for command in (repeat.run, lists.models, lists.metrics, lists.mitigations, server.config, server.allow, new.new):
    app.command()(command)
app.command("app")(server.dashboard)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and give back its exit code, with every error told in a sentence on standard error."""
    try:
        code = _run(arguments)
    finally:
        if arguments[:1] != ["app"]:  # a server has a log
            terminal.notes(plugins.notes())
    if code == interrupts.STOPPED:
        typer.echo("Stopped.", err=True)
    return int(code or 0)


def _run(arguments: Sequence[str]) -> int | None:
    try:
        code: int | None = typer.main.get_command(app)(
            list(arguments) or ["--help"], prog_name="oversmooth", standalone_mode=False
        )
        sys.stdout.flush()
    except typer.TyperException as error:
        message = error.format_message().replace("Value error, ", "")
        stop = "" if message.endswith((".", "?")) else "."
        return _fail(f"{message}{stop} Add --help to see what there is.", error.exit_code)
    except streams.ReaderLeftError as error:
        return _fail(str(error), streams.LEFT)
    except OversmoothError as error:
        return _fail(str(error), 2)
    except Exception as error:
        if os.environ.get("OVERSMOOTH_DEBUG"):
            raise
        told = f"{type(error).__name__}: {error}".strip().rstrip(":.")
        return _fail(
            f"Something went wrong that should not ({told}). Run again with OVERSMOOTH_DEBUG=1 in the environment for "
            "the details, and report them.",
            1,
        )
    return code


def _fail(sentence: str, code: int) -> int:
    terminal.error(sentence)
    return code


def main() -> None:
    """What the process does: with its own streams and exit code."""
    try:
        streams.guard()
    except OversmoothError as error:
        sys.exit(_fail(str(error), 2))
    code = run(sys.argv[1:])
    interrupts.end_at_once()
    sys.exit(code)
