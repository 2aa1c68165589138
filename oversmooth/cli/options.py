"""The options that say what is measured, shared by the commands that measure, and the settings they make."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from oversmooth.cli import terminal
from oversmooth.core.errors import InputError, SettingsError
from oversmooth.core.pairs import Input
from oversmooth.core.points import PointSet
from oversmooth.core.reading.separators import SEPARATORS
from oversmooth.core.texts import LARGEST_FILE, MOST_TEXTS, read_texts, require_words
from oversmooth.core.wording import bytes_in_words, count
from oversmooth.models.given import Precision
from oversmooth.models.names import meaning
from oversmooth.results.settings import Settings

LARGEST_TEXT_FILE = 10_000_000
"""Bytes; far beyond what any model reads, and small enough that a wrong file does not fill the memory."""


def path(text: str) -> Path:
    """The path that an option names; an empty one would be the current folder."""
    if not text.strip():
        raise typer.BadParameter("the path is empty. Leave the option out, or name a file or folder")
    return Path(text)


Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="Where the model runs: auto, cpu, mps or cuda, or one of several GPUs by its number, as cuda:1.",
        metavar="NAME",
    ),
]


@dataclass(frozen=True)
class Asked:
    """The options that say what is measured; each is named as the field of the settings that it gives."""

    text: Annotated[
        list[str] | None,
        typer.Option("--text", help="A text to measure. Give the option again for a further text.", metavar="TEXT"),
    ] = None
    pair: Annotated[
        list[str] | None,
        typer.Option(
            "--pair",
            help="The second text of a pair, which the model reads together with its --text. Give it once for each "
            "--text.",
            metavar="TEXT",
        ),
    ] = None
    text_file: Annotated[
        list[Path] | None,
        typer.Option(
            "--text-file",
            parser=path,
            help="A UTF-8 file with a text, measured after those of --text. May be repeated.",
            metavar="FILE",
        ),
    ] = None
    texts: Annotated[
        Path | None,
        typer.Option(
            "--texts",
            parser=path,
            help="A file with many texts: .txt with one a line, or a column of .csv, .tsv, .jsonl or .parquet. "
            f"At most {MOST_TEXTS:,} are measured.",
            metavar="FILE",
        ),
    ] = None
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            help="The column of the --texts file; the only one that holds texts, or one named “text” or the like, "
            "without it. Give it twice for pairs of texts.",
            metavar="NAME",
        ),
    ] = None
    separator: Annotated[
        str | None,
        typer.Option(
            "--separator",
            help=f"What separates values in the --texts file: {', '.join(SEPARATORS)}, or a sign. Found out without "
            "it.",
            metavar="SIGN",
        ),
    ] = None
    header: Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header",
            help="Whether the first line of the --texts file names its columns. Found out without it.",
        ),
    ] = None
    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            parser=path,
            help="Start from the settings in this JSON file, such as an earlier --out wrote; other options change "
            "them.",
            metavar="FILE",
        ),
    ] = None
    model: Annotated[
        str | None,
        typer.Option(
            "--model", help="A name that `oversmooth models` lists, a hub id or a local folder.", metavar="NAME"
        ),
    ] = None
    revision: Annotated[
        str | None, typer.Option("--revision", help="Branch, tag or commit of a hub model.", metavar="NAME")
    ] = None
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            help="A metric that `oversmooth metrics` lists; all without it. May be repeated.",
            metavar="NAME",
        ),
    ] = None
    points: Annotated[
        PointSet | None,
        typer.Option("--points", help="Measure the outputs of the blocks, or all points inside them too."),
    ] = None
    special_tokens: Annotated[
        bool | None,
        typer.Option(
            "--special-tokens/--no-special-tokens",
            help="Whether [CLS], [SEP], BOS and their like count as tokens.",
        ),
    ] = None
    language_model: Annotated[
        bool | None,
        typer.Option(
            "--language-model/--no-language-model",
            help="Measure the loss of the model's own language-model head too, where it has one. "
            "For a masked model such as BERT this takes one more pass for each token.",
        ),
    ] = None
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", help="Cut longer texts to this many tokens.", metavar="N")
    ] = None
    device: Device = None
    precision: Annotated[
        Precision | None,
        typer.Option(
            "--precision",
            help="Type of the numbers in which the model runs. float64 takes twice the memory, is slower, and resolves "
            "what float32 does not after a collapse.",
        ),
    ] = None

    def fields(self) -> dict[str, Any]:
        """The settings that were given as options, by field; what was left out of a file with many texts is told.

        Raises:
            InputError: where a file with texts cannot be read.
            SettingsError: where the options for texts contradict each other.
        """
        given = {name: value for name, value in vars(self).items() if name in Settings.model_fields}
        given["texts"] = self._texts()
        return {name: value for name, value in given.items() if value not in (None, [])}

    def _texts(self) -> list[Input]:
        single = [*_paired(self.text or [], self.pair or []), *map(_read_text, self.text_file or [])]
        if self.texts is not None and single:
            raise SettingsError("Give texts with --texts, or with --text and --text-file, not with both.")
        about = {"--column": self.column or None, "--separator": self.separator, "--header": self.header}
        if self.texts is not None:
            return _read_list(self.texts, self.column, self.separator, self.header)
        for name, value in about.items():
            if value is not None:
                raise SettingsError(f"{name} is about the file of --texts, which was not given.")
        return single


def expanded(*, leaving_out: Collection[str] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Have a command take, for each parameter that is a dataclass of options, the options that are its fields.

    Args:
        leaving_out: fields that the command has no option for.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        declared = inspect.signature(command, eval_str=True).parameters
        groups = {name: _options(each.annotation, leaving_out) for name, each in declared.items()}

        @functools.wraps(command)
        def called(**given: Any) -> None:  # noqa: ANN401  of any option
            for name, options in groups.items():
                if options:
                    own = {option.name: given.pop(option.name) for option in options}
                    given[name] = declared[name].annotation(**own)
            command(**given)

        parameters = [option for name, each in declared.items() for option in groups[name] or [each]]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return called

    return decorate


def _options(group: Any, leaving_out: Collection[str]) -> list[inspect.Parameter]:  # noqa: ANN401  any annotation
    """The fields of a dataclass as parameters; none of what is no dataclass."""
    if not dataclasses.is_dataclass(group):
        return []
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=hints[each.name])
        for each in dataclasses.fields(group)
        if each.name not in leaving_out
    ]


def _paired(texts: Sequence[str], seconds: Sequence[str]) -> list[Input]:
    if not seconds:
        return list(texts)
    if len(seconds) != len(texts):
        raise SettingsError(
            f"--pair was given {_times(len(seconds))} and --text {_times(len(texts))}. Give one --pair for each --text."
        )
    return list(zip(texts, seconds, strict=True))


def _times(number: int) -> str:
    return "not at all" if number == 0 else count(number, "time")


def settings_from(base: Settings | None, flags: Mapping[str, Any]) -> Settings:
    """Settings from a file and from options, which come first.

    Raises:
        SettingsError: where there is no text, or a field is wrong.
    """
    if base is not None:
        return Settings.of(**{**base.model_dump(), **flags})
    if "texts" not in flags:
        raise SettingsError("There is nothing to measure. Give a text with --text, --text-file, --texts or --settings.")
    return Settings.of(**flags)


def require_measurable(*sides: Settings) -> None:
    """Refuse what settings alone show to be impossible, before libraries are imported for seconds.

    Raises:
        ModelError: where the name of the model means nothing.
        InputError: where a text is empty.
    """
    for settings in sides:
        meaning(settings.model, settings.revision)
        require_words(settings.texts)


def _read_list(path: Path, column: Sequence[str] | None, separator: str | None, header: bool | None) -> list[Input]:
    content = _content(path, LARGEST_FILE)
    found = read_texts(content, str(path), column or None, separator=separator, header=header)
    terminal.notes(found.notices)
    return list(found.texts)


def _read_text(path: Path) -> str:
    try:
        # Universal line ends; the line end that closes the file is not part of the text.
        content = _content(path, LARGEST_TEXT_FILE)
        return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig").read().removesuffix("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"The text file {path} is not UTF-8 (byte {error.start + 1:,}). Save it as UTF-8.") from error


def _content(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise InputError(f"Cannot read the text file {path}: {error.strerror or error}.") from error
    if len(content) > most:
        raise InputError(f"The text file {path} holds more than {bytes_in_words(most)}. Give a part of it.")
    return content
