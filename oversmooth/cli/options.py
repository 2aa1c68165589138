"""The options that say what is measured, shared by the commands that measure, and the settings they make."""

# ruff: noqa: RUF009  an option is a field of a dataclass, made by another name

from __future__ import annotations

import functools
import inspect
import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
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


def option(help: str, metavar: str | None = None, flag: str | None = None, default: object = None) -> Any:  # noqa: ANN401
    """A field of a dataclass of options, called as the field unless a ``flag`` says otherwise."""
    return field(default=default, metadata={"param_decls": [flag] * bool(flag), "help": help, "metavar": metavar})


@dataclass(frozen=True)
class Asked:
    """The options that say what is measured; each is named as the field of the settings that it gives."""

    text: list[str] | None = option("A text to measure. Give the option again for a further text.", "TEXT")
    pair: list[str] | None = option(
        "The second text of a pair, which the model reads together with its --text. Give it once for each --text.",
        "TEXT",
    )
    text_file: list[Path] | None = option(
        "A UTF-8 file with a text, measured after those of --text. May be repeated.", "FILE"
    )
    texts: Path | None = option(
        "A file with many texts: .txt with one a line, or a column of .csv, .tsv, .jsonl or .parquet. "
        f"At most {MOST_TEXTS:,} are measured.",
        "FILE",
    )
    column: list[str] | None = option(
        "The column of the --texts file; the only one that holds texts, or one named “text” or the like, without it. "
        "Give it twice for pairs of texts.",
        "NAME",
    )
    separator: str | None = option(
        f"What separates values in the --texts file: {', '.join(SEPARATORS)}, or a sign. Found out without it.", "SIGN"
    )
    header: bool | None = option("Whether the first line of the --texts file names its columns. Found out without it.")
    settings: Path | None = option(
        "Start from the settings in this JSON file, such as an earlier --out wrote; other options change them.", "FILE"
    )
    model: str | None = option("A name that `oversmooth models` lists, a hub id or a local folder.", "NAME")
    revision: str | None = option("Branch, tag or commit of a hub model.", "NAME")
    metrics: list[str] | None = option(
        "A metric that `oversmooth metrics` lists; all without it. May be repeated.", "NAME", "--metric"
    )
    points: PointSet | None = option("Measure the outputs of the blocks, or all points inside them too.")
    special_tokens: bool | None = option("Whether [CLS], [SEP], BOS and their like count as tokens.")
    language_model: bool | None = option(
        "Measure the loss of the model's own language-model head too, where it has one. For a masked model such as "
        "BERT this takes one more pass for each token."
    )
    max_tokens: int | None = option("Cut longer texts to this many tokens.", "N")
    device: str | None = option(
        "Where the model runs: auto, cpu, mps or cuda, or one of several GPUs by its number, as cuda:1.", "NAME"
    )
    precision: Precision | None = option(
        "Type of the numbers in which the model runs. float64 takes twice the memory, is slower, and resolves what "
        "float32 does not after a collapse."
    )

    def fields(self) -> dict[str, Any]:
        """The settings that were given as options, by field; what was left out of a file with many texts is told."""
        given = {name: value for name, value in vars(self).items() if name in Settings.model_fields}
        given["texts"] = self._texts()
        return {name: value for name, value in given.items() if value not in (None, [])}

    def _texts(self) -> list[Input]:
        single = [*_paired(self.text or [], self.pair or []), *map(_read_text, self.text_file or [])]
        if self.texts is None:
            about = {"--column": self.column or None, "--separator": self.separator, "--header": self.header}
            if given := [name for name, value in about.items() if value is not None]:
                raise SettingsError(f"{given[0]} is about the file of --texts, which was not given.")
            return single
        if single:
            raise SettingsError("Give texts with --texts, or with --text and --text-file, not with both.")
        content = _content(self.texts, LARGEST_FILE)
        written: dict[str, Any] = {"separator": self.separator, "header": self.header}
        found = read_texts(content, str(self.texts), self.column or None, **written)
        terminal.notes(found.notices)
        return list(found.texts)


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
    if not is_dataclass(group):
        return []
    found, kinds = [], get_type_hints(group)
    for each in fields(group):
        kind, about = kinds[each.name], dict(each.metadata)
        reader = path if kind in (Path | None, list[Path] | None) else None
        info = Annotated[kind, typer.Option(*about.pop("param_decls"), parser=reader, **about)]  # type: ignore[valid-type]
        found.append(
            inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=info)
        )
    return [each for each in found if each.name not in leaving_out]


def _paired(texts: Sequence[str], seconds: Sequence[str]) -> list[Input]:
    if not seconds:
        return list(texts)
    if len(seconds) != len(texts):
        times = count(len(texts), "time") if texts else "not at all"
        raise SettingsError(
            f"--pair was given {count(len(seconds), 'time')} and --text {times}. Give one --pair for each --text."
        )
    return list(zip(texts, seconds, strict=True))


def settings_from(base: Settings | None, flags: Mapping[str, Any]) -> Settings:
    """Settings from a file and from options, which come first; without a text they are refused."""
    if base is not None:
        return Settings.of(**{**base.model_dump(), **flags})
    if "texts" not in flags:
        raise SettingsError("There is nothing to measure. Give a text with --text, --text-file, --texts or --settings.")
    return Settings.of(**flags)


def require_measurable(*sides: Settings) -> None:
    """Refuse an empty text or a name that means no model, before libraries are imported for seconds."""
    for settings in sides:
        meaning(settings.model, settings.revision)
        require_words(settings.texts)


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
