"""Many texts at once: from a file, from pasted lines, and a set of sentences that comes along."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from typing import NamedTuple, cast

from oversmooth.core.errors import InputError
from oversmooth.core.packaged import packaged
from oversmooth.core.pairs import Input, characters, parts
from oversmooth.core.reading.decoding import decoded
from oversmooth.core.reading.separators import SAMPLE, like_a_table
from oversmooth.core.reading.table import Table, Written, lines
from oversmooth.core.reading.text_tables import TABLES
from oversmooth.core.wording import bytes_in_words, count, did_you_mean, enumerated

MOST_TEXTS = 1000
"""Further texts are left out, with a notice."""

LARGEST_FILE = 50_000_000
"""Bytes of a file, and characters of all texts in it, which a compressed file may blow up."""

SUFFIXES = (".txt", *TABLES)

USUAL_COLUMNS = ("text", "sentence", "content", "document", "body")
"""Names, in order of preference, by which a column is taken where several hold texts."""

MOST_LEFT_OUT = 100_000
"""Empty lines and the like, beyond which a file is refused instead of being read to its end."""

MOST_COLUMNS = 10_000
MOST_COLUMNS_TOLD = 12


Column = str | Sequence[str]
"""The name of a column, or two of them for pairs of texts."""


class Sentence(NamedTuple):
    """A sentence that comes with Oversmooth."""

    domain: str
    text: str
    source: str
    """Author, work and year."""


@dataclass(frozen=True)
class TextList:
    """Texts to measure, at most ``MOST_TEXTS`` and at least one, in the order of their source."""

    texts: tuple[Input, ...]
    notices: tuple[str, ...] = ()
    """What was left out, in sentences."""
    columns: tuple[str, ...] = ()
    """Columns of the file that hold texts; none for one without columns."""
    column: str | tuple[str, str] | None = None
    """The one the texts are of, or the two of pairs."""


def which_text(number: int, texts: Sequence[object]) -> str:
    """Which text a sentence is about, where there are several."""
    return f"Text {number + 1}: " if len(texts) > 1 else ""


def require_words(texts: Sequence[Input]) -> None:
    """Refuse texts without a character to read, by an InputError for the first of them."""
    for number, text in enumerate(texts):
        if refusal := no_words(parts(text)):
            raise InputError(f"{which_text(number, texts)}{refusal}")


def no_words(given: Sequence[str]) -> str:
    """That a text, or one of a pair, has no character to read, in a sentence; empty where all have."""
    if all(map(str.strip, given)):
        return ""
    if len(given) == 1:
        return "The text is empty: type or paste at least two words."
    which = "second" if given[0].strip() else "first"
    return f"The {which} text of the pair is empty: give two texts, or one without a pair."


@cache
def bundled() -> tuple[Sentence, ...]:
    """64 sentences in the public domain, eight in each of eight domains."""
    content = packaged("sentences.json").read_text(encoding="utf-8")
    return tuple(Sentence(**entry) for entry in json.loads(content))


def from_lines(text: str) -> TextList:
    """One text a line, as pasted.

    Raises:
        InputError: where there is none.
    """
    return _collected(lines(text), "the list", "line")


def read_texts(
    content: bytes, name: str, column: Column | None = None, *, separator: str | None = None, header: bool | None = None
) -> TextList:
    """The texts in a file: .txt with one a line, or a column of .csv, .tsv, .jsonl or .parquet.

    Args:
        content: of the file.
        name: of the file; its suffix tells the format.
        column: to take; without it, the only one that holds texts, or one with a usual name. Two make pairs of texts.
        separator: of values, by a word such as ``semicolon`` or by itself; found out without it.
        header: whether the first line of separated values names the columns; found out without it.

    Raises:
        InputError: where the file cannot be read, holds no text, or leaves open which column is meant.
    """
    written = Written(separator, header)
    if _suffix(content, name) == ".txt":
        if column is not None or written != Written():
            raise InputError(
                f"{name} has no columns: it is read as one text a line. Leave out column, separator and heading."
            )
        found = decoded(content, name)
        lists = _collected(lines(found.text), name, "line")
        return TextList(lists.texts, (*found.notices, *like_a_table(found.text, name), *lists.notices))
    table = _table(content, name, written)
    taken = (_chosen(table, name),) if column is None else _named(table, name, column)
    for each in taken:
        if table.columns.count(each) > 1:
            raise InputError(f"{name} has several columns named “{each}”. Give each a name of its own.")
    values = [table.values(each) for each in taken]
    lists = _collected(values[0] if len(values) == 1 else zip(*values, strict=True), name, _NOUNS[len(taken) - 1])
    chosen = taken[0] if len(taken) == 1 else (taken[0], taken[1])
    return TextList(lists.texts, (*table.notices, *lists.notices), table.texts, chosen)


_NOUNS = ("value", "pair")


def columns_of(
    content: bytes, name: str, *, separator: str | None = None, header: bool | None = None
) -> tuple[str, ...]:
    """The columns of a file that hold texts, to choose from; none for a file without columns.

    Raises:
        InputError: where the file cannot be read.
    """
    if _suffix(content, name) == ".txt":
        return ()
    return tuple(dict.fromkeys(_table(content, name, Written(separator, header)).texts))


def _suffix(content: bytes, name: str) -> str:
    suffix = PurePath(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{name} is of no kind that is read here; these are {enumerated(SUFFIXES)}.")
    if len(content) > LARGEST_FILE:
        raise InputError(f"{name} holds more than {bytes_in_words(LARGEST_FILE)}. Give a part of it.")
    return suffix


def _table(content: bytes, name: str, written: Written) -> Table:
    table = TABLES[PurePath(name).suffix.lower()](content, name, written)
    if len(table.columns) > MOST_COLUMNS:
        raise InputError(f"{name} has {count(len(table.columns), 'column')}. Give a part of it.")
    return table


def _chosen(table: Table, name: str) -> str:
    if len(table.texts) == 1:
        return table.texts[0]
    if not table.texts:
        told = f"its columns are {_told(table.columns)}" if table.columns else "it has no columns"
        raise InputError(
            f"No column of {name} holds texts in its first {SAMPLE:,} rows; {told}. Give a table with a column of "
            "texts."
        )
    usual = [column for wanted in USUAL_COLUMNS for column in table.texts if column.strip().lower() == wanted]
    if usual:
        return usual[0]
    pair = "Name one of them, or both as a pair" if len(table.texts) == 2 else "Name one of them, or two as a pair"
    raise InputError(
        f"Several columns of {name} hold texts: {_told(table.texts)}. {pair}."
        + "".join(f" {notice}" for notice in table.notices)
    )


def _named(table: Table, name: str, column: Column) -> tuple[str, ...]:
    wanted = (column,) if isinstance(column, str) else tuple(column)
    if not 0 < len(wanted) < 3:
        raise InputError(f"Name one column of {name}, or two for pairs of texts; these are {len(wanted)}.")
    for each in wanted:
        if each not in table.columns:
            near = did_you_mean(each, table.columns)
            raise InputError(f"{name} has no column “{each}”{near}; its columns are {_told(table.columns)}.")
    return wanted


def _told(columns: tuple[str, ...]) -> str:
    return enumerated([f"“{column}”" for column in columns], MOST_COLUMNS_TOLD)


def _collected(values: Iterable[object], source: str, noun: str) -> TextList:
    """The texts among the values of a source, with notices of what is left out; refused are none, and too many."""
    texts: list[Input] = []
    read = empty = others = 0
    more = False
    for value in values:
        given = value if isinstance(value, tuple) else (value,)
        if any(map(_is_blank, given)):
            empty += 1
        elif not all(map(_is_whole, given)):
            others += 1
        elif len(texts) == MOST_TEXTS:
            more = True
            break
        else:
            texts.append(cast(Input, value))
            read += characters(texts[-1])
        _refuse_endless(read, empty + others, source, noun)
    notices = tuple(_left_out(source, noun, empty, others, more=more))
    if not texts:
        raise InputError(" ".join([f"There is no text in {source}.", *notices]))
    return TextList(tuple(texts), notices)


def _refuse_endless(characters: int, left_out: int, source: str, noun: str) -> None:
    if characters > LARGEST_FILE:
        raise InputError(f"The texts of {source} have more than {count(LARGEST_FILE, 'character')}. Give fewer.")
    if left_out > MOST_LEFT_OUT:
        raise InputError(f"More than {count(MOST_LEFT_OUT, noun)} of {source} hold no text. Give those that do.")


def _left_out(source: str, noun: str, empty: int, others: int, *, more: bool) -> Iterator[str]:
    if empty:
        yield f"{count(empty, f'empty {noun}')} of {source} {_were(empty)} left out."
    if others:
        yield f"{count(others, noun)} of {source} {_were(others)} left out, not being text."
    if more:
        yield f"Only the first {count(MOST_TEXTS, 'text')} of {source} are taken; the others were left out."


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _is_whole(value: object) -> bool:
    """Whether it is a text made of characters: no NUL, no half of a surrogate pair."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value
