"""The command ``oversmooth``: thin, so that everything it does can be called from Python too."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from oversmooth import __version__, terminal
from oversmooth.errors import InputError, OversmoothError, SettingsError
from oversmooth.points import PointSet
from oversmooth.settings import DEFAULT_MAX_TOKENS, DEFAULT_MODEL, Device, Settings
from oversmooth.wording import bytes_in_words

LARGEST_TEXT_FILE = 10_000_000
"""Bytes; far beyond what any model reads, and small enough that a wrong file does not fill the memory."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

# The defaults live in Settings alone; here they are only told.
MEASURE_HELP = f"""Measure texts at every layer of a model.

Without other options: the model {DEFAULT_MODEL}, all metrics, the outputs of its blocks, special tokens left out,
texts cut to {DEFAULT_MAX_TOKENS} tokens, and a GPU where there is one. Without --out, the numbers are printed.
"""


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


@app.command(help=MEASURE_HELP)
def measure(
    text: Annotated[
        list[str] | None,
        typer.Option(help="A text to measure. Give the option again for a further text.", metavar="TEXT"),
    ] = None,
    text_file: Annotated[
        list[Path] | None,
        typer.Option(help="A UTF-8 file with a text, measured after those of --text. May be repeated.", metavar="FILE"),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(help="Start from the settings in this JSON file; other options change them.", metavar="FILE"),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="A name that `oversmooth models` lists, a hub id or a local folder.", metavar="NAME"),
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub model.", metavar="NAME")] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="A metric that `oversmooth metrics` lists; all without it. May be repeated.", metavar="NAME"),
    ] = None,
    points: Annotated[
        PointSet | None, typer.Option(help="Measure the outputs of the blocks, or all points inside them too.")
    ] = None,
    special_tokens: Annotated[
        bool | None, typer.Option(help="Whether [CLS], [SEP], BOS and their like count as tokens.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Cut longer texts to this many tokens.", metavar="N")] = None,
    device: Annotated[Device | None, typer.Option(help="Where the model runs.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write curves.csv, spectra.csv, settings.json and record.json into this folder.", metavar="FOLDER"
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the files of an earlier result in --out.")] = False,
) -> None:
    """Turn flags into settings, measure, and print or write the result."""
    flags = {
        "texts": [*(text or []), *map(_read_text, text_file or [])],
        "model": model,
        "revision": revision,
        "metrics": metric,
        "points": points,
        "special_tokens": special_tokens,
        "max_tokens": max_tokens,
        "device": device,
    }
    chosen = _settings(settings, {name: value for name, value in flags.items() if value not in (None, [])})
    _measure(chosen, out, force=force)


@app.command()
def models() -> None:
    """List the models known by name.

    Any hub id or local folder works too.
    """
    from oversmooth.models.catalog import CATALOG

    head = ("NAME", "FAMILY", "LAYERS", "WIDTH", "SIZE", "LICENCE", "NOTE")
    rows = [
        (
            entry.name,
            entry.family,
            str(entry.layers),
            str(entry.hidden_size),
            f"{entry.megabytes} MB",
            entry.licence,
            entry.note,
        )
        for entry in CATALOG
    ]
    typer.echo(terminal.columns([head, *rows]))


@app.command()
def metrics(
    long: Annotated[bool, typer.Option("--long", help="Add formula, paper and caveat to each.")] = False,
) -> None:
    """List the metrics, with range and source."""
    from oversmooth.metrics import all_metrics

    if not long:
        head = ("NAME", "RANGE", "PAPER", "TELLS")
        rows = [(item.name, item.range_text(), item.paper.cite(), item.reads) for item in all_metrics()]
        typer.echo(terminal.columns([head, *rows]))
        return
    for item in all_metrics():
        fields = (
            ("  range", f"{item.range_text()} {item.unit}".rstrip()),
            ("  formula", item.formula),
            ("  tells", item.reads),
            ("  but", item.caveat),
            ("  paper", f"{item.paper.cite()}, {item.paper.title}, {item.paper.url}"),
        )
        typer.echo(f"{item.name}: {item.title}\n{terminal.columns(fields)}\n")


@app.command("app")
def dashboard(
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port to listen on; the first free one from 8501 without it.", metavar="N"),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for every network.", metavar="ADDRESS")
    ] = "127.0.0.1",
) -> None:
    """Start the dashboard and print its address."""
    from oversmooth import launch

    launch.start(host, port)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_TEXT_FILE + 1)
    except OSError as error:
        raise InputError(f"Cannot read the text file {path}: {error.strerror or error}.") from error
    if len(content) > LARGEST_TEXT_FILE:
        limit = bytes_in_words(LARGEST_TEXT_FILE)
        raise InputError(f"The text file {path} holds more than {limit}. Give a part of it.")
    try:
        # Universal line ends; the line end that closes the file is not part of the text.
        return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig").read().removesuffix("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"The text file {path} is not UTF-8 (byte {error.start + 1:,}). Save it as UTF-8.") from error


def _settings(base: Path | None, flags: dict[str, Any]) -> Settings:
    if base is not None:
        return Settings.of(**{**Settings.from_file(base).model_dump(), **flags})
    if "texts" not in flags:
        raise SettingsError("There is nothing to measure. Give a text with --text, --text-file or --settings.")
    return Settings.of(**flags)


def _measure(settings: Settings, out: Path | None, *, force: bool) -> None:
    from oversmooth.export import folder

    if out is not None:
        folder.check(out, force=force)
    # Only now: what follows takes seconds to import.
    from oversmooth.findings import headline
    from oversmooth.measuring import measure as run_measure

    with terminal.progress_line(sys.stderr) as report:
        measurement = run_measure(settings, report=report)
    for note in (*measurement.record.warnings, *terminal.missing(measurement)):
        typer.echo(f"Note: {note}", err=True)
    if out is None:
        typer.echo(f"{terminal.table(measurement)}\n")
    else:
        folder.write(measurement, out, force=force)
    typer.echo(headline(measurement))
    if out is not None:
        typer.echo(f"Wrote {', '.join(folder.FILES)} to {out}.")


def run(arguments: Sequence[str]) -> int:
    """Run the command line and give back its exit code, with every error told in a sentence on standard error."""
    try:
        code = typer.main.get_command(app)(list(arguments) or ["--help"], prog_name="oversmooth", standalone_mode=False)
    except typer.TyperException as error:
        message = error.format_message().replace("Value error, ", "")
        stop = "" if message.endswith((".", "?")) else "."
        return _fail(f"{message}{stop} Add --help to see what there is.", error.exit_code)
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
    if code == 130:
        typer.echo("Stopped.", err=True)
    return int(code or 0)


def _fail(sentence: str, code: int) -> int:
    typer.echo(f"Error: {sentence}", err=True)
    return code


def main() -> None:
    """Entry point of the command ``oversmooth``."""
    # A terminal that cannot show a character gets a replacement, not a traceback.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))
