"""How a table of separated values is built where its name does not say: separator, quotation marks, heading.

Each way is tried on the first rows and taken where they all have the same number of values; what was assumed is said.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median
from typing import Any, Final

from oversmooth.errors import InputError
from oversmooth.view import shortened
from oversmooth.wording import enumerated

SEPARATORS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
SAMPLE: Final = 1000
"""Rows that are looked at: for how they are written, for the columns and for which of them hold texts."""
_NONE: Final = "\x1f"
"""Stands in no text: of a table with one column, whose texts hold every other separator."""
_TOLD: Final = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
"""The line in which a spreadsheet names its separator."""
_ENDS: Final = tuple(".!?…。！？")
_NAMES: Final = frozenset(
    {"text", "texts", "sentence", "sentences", "content", "word", "words", "token", "name", "label"}
)
_CELLS, _CELL = 3, 60
"""Cells that are named, and characters of each."""
_SENTENCE_WORDS: Final = 4
"""Words from which a cell is a sentence rather than the name of a column."""


@dataclass(frozen=True)
class Dialect:
    """How a table is written."""

    separator: str
    quoted: bool = True
    """Whether quotation marks enclose values; else they are characters of them."""
    skip: int = 0
    """Lines before the first row."""
    header: bool = True
    """Whether the first row names the columns."""
    notices: tuple[str, ...] = ()
    """What was assumed, in sentences."""

    @property
    def name(self) -> str:
        """Of its separator, in a word."""
        return word(self.separator)


def chosen(separator: str | None) -> str | None:
    """The separator that someone named by a word or by itself.

    Raises:
        InputError: where it cannot be one.
    """
    if separator is None:
        return None
    found = SEPARATORS.get(separator.lower(), "\t" if separator == "\\t" else separator)
    if len(found) != 1 or found in '"\r\n\0' or found.isalnum():
        raise InputError(f"“{separator}” cannot separate values: name {', '.join(SEPARATORS)}, or one sign.")
    return found


def word(separator: str) -> str:
    """What a separator is called."""
    return next((name for name, sign in SEPARATORS.items() if sign == separator), f"“{separator}”")


def dialect_of(text: str, name: str, usual: str, separator: str | None = None, header: bool | None = None) -> Dialect:
    """How the table in a text is written.

    Args:
        text: of the file.
        name: of the file.
        usual: the separator that its suffix promises.
        separator: that someone named; None to find it.
        header: whether the first row names the columns; None to find out.

    Raises:
        InputError: where no separator divides it, or another one than was named.
    """
    told = _TOLD.match(text)
    skip = 1 if told else 0
    separator = separator or (told[1] if told else None)
    found = replace(_named(text, name, separator, skip) if separator else _found(text, name, usual, skip), skip=skip)
    rows = _sample(text, found)
    if not rows:
        return found
    has, notices = (header, ()) if header is not None else _header(rows, name)
    if found.quoted is False and any('"' in value for row in rows for value in row):
        notices = (f"Quotation marks in {name} were taken for characters of its texts.", *notices)
    return replace(found, header=has, notices=(*found.notices, *notices))


def rows_of(lines: Iterator[str], dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Rows of a file's lines, with the number of their last line; a row of blanks alone is empty.

    Raises:
        csv.Error: where quotation marks are not closed, or followed by something else.
    """
    for _ in islice(lines, dialect.skip):
        pass
    marks: dict[str, Any] = {} if dialect.quoted else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(lines, delimiter=dialect.separator, strict=True, **marks)
    for row in reader:
        blank = len(row) == 1 and not row[0].strip()
        yield reader.line_num + dialect.skip, [] if blank else row


def _sample(text: str, dialect: Dialect) -> list[list[str]] | None:
    """The first rows that are not empty; None where they cannot be read this way or differ in length."""
    try:
        rows = [row for _, row in islice(rows_of(io.StringIO(text, newline=""), dialect), SAMPLE) if row]
    except csv.Error:
        return None
    return rows if len({len(row) for row in rows}) <= 1 else None


def _found(text: str, name: str, usual: str, skip: int) -> Dialect:
    order = dict.fromkeys((usual, *SEPARATORS.values()))
    tried = {sign: _quoting(text, Dialect(sign, skip=skip)) for sign in order}
    wide = {sign: found for sign, (found, width) in tried.items() if found is not None and width > 1}
    if wide:
        sign = next(iter(wide))
        others = [word(each) for each in wide if each != sign]
        return replace(wide[sign], notices=tuple(_told(name, sign, usual, others)))
    if all(_first_width(text, Dialect(sign, skip=skip)) <= 1 for sign in order):
        # Texts alone, whatever signs they hold.
        narrow = [found for found, _ in (*tried.values(), _quoting(text, Dialect(_NONE, skip=skip))) if found]
        if narrow:
            return narrow[0]
    return Dialect(usual, skip=skip)


def _named(text: str, name: str, separator: str, skip: int) -> Dialect:
    found, width = _quoting(text, Dialect(separator, skip=skip))
    if found is None:
        return Dialect(separator, skip=skip)
    if width == 1:
        others = [word(each) for each in SEPARATORS.values() if _quoting(text, Dialect(each, skip=skip))[1] > 1]
        if others:
            raise InputError(
                f"No {word(separator)} divides the first line of {name}; a {' or '.join(others)} would. Name that, or "
                "none."
            )
    return found


def _told(name: str, sign: str, usual: str, others: Sequence[str]) -> Iterator[str]:
    if sign != usual:
        yield f"{name} was read as separated by {word(sign)}."
    if others:
        yield f"{name} was read as separated by {word(sign)}, though {' or '.join(others)} would divide it too."


def _quoting(text: str, dialect: Dialect) -> tuple[Dialect | None, int]:
    """With quotation marks as what they can be, and the number of columns; None where nothing fits.

    Files that are separated by tabs are often written without any quoting (GLUE), so that a mark at the beginning of a
    value is a character and would swallow what follows.
    """
    bare = replace(dialect, quoted=False)
    enclosed, plain = _sample(text, dialect), _sample(text, bare)
    width = max((len(rows[0]) for rows in (enclosed, plain) if rows), default=0)
    if not enclosed and not plain:
        return None, 0
    if not enclosed or (plain and dialect.separator == "\t" and len(plain[0]) > 1 and _characters(enclosed, plain)):
        return bare, width
    return dialect, len(enclosed[0])


def _characters(enclosed: Sequence[Sequence[str]], plain: Sequence[Sequence[str]]) -> bool:
    """Whether quotation marks belong to texts: taken for marks, they join lines, or enclose some values for nothing."""
    if len(enclosed) != len(plain):
        # Where marks do enclose texts of several lines, the ends of these lines break columns of numbers.
        return _numeric(plain) >= _numeric(enclosed)
    for column in zip(*plain, strict=True):
        words = [value for value in column[1:] if value and not is_number(value)]
        around = [value for value in words if len(value) > 1 and value[0] == value[-1] == '"']
        needless = any('"' not in value[1:-1] for value in around)
        if needless and len(around) < len(words):
            return True
    return False


def _numeric(rows: Sequence[Sequence[str]]) -> int:
    """Columns of numbers under their name."""
    return sum(all(map(is_number, column)) for column in zip(*rows[1:], strict=True))


def _first_width(text: str, dialect: Dialect) -> int:
    for quoted in (True, False):
        try:
            rows = rows_of(io.StringIO(text, newline=""), replace(dialect, quoted=quoted))
            return next((len(row) for _, row in rows if row), 0)
        except csv.Error:
            continue
    return 0


def _header(rows: Sequence[Sequence[str]], name: str) -> tuple[bool, tuple[str, ...]]:
    """Whether the first row names the columns, and what is to be said of it."""
    first, rest = rows[0], rows[1:]
    columns = list(zip(*rest, strict=True)) if rest else [()] * len(first)
    heads = [_names_numbers(cell, column) for cell, column in zip(first, columns, strict=True)]
    if not any(heads) and any(
        _is_value(cell, column, alone=len(first) == 1) for cell, column in zip(first, columns, strict=True)
    ):
        what = "a text" if len(first) == 1 else "values"
        told = f"The first line of {name}, {_shown(first)}, was taken for {what}, not for names of columns."
        return False, (told,)
    if any(heads) or not any(" " in cell.strip() for cell in first):
        return True, ()
    columns_named = "the name of its column" if len(first) == 1 else "the names of its columns"
    return True, (f"The first line of {name}, {_shown(first)}, was taken for {columns_named}.",)


def _shown(row: Sequence[str]) -> str:
    return enumerated([f"“{shortened(cell, _CELL)}”" for cell in row[:_CELLS]])


def _names_numbers(cell: str, column: Sequence[str]) -> bool:
    """Whether a word stands above numbers."""
    filled = [value for value in column if value.strip()]
    return bool(cell.strip()) and not is_number(cell) and bool(filled) and all(map(is_number, filled))


def _is_value(cell: str, column: Sequence[str], *, alone: bool) -> bool:
    """Whether the cell is like those below it rather than a name for them."""
    filled = [value for value in column if value.strip()]
    if is_number(cell):
        return True
    words = len(cell.split())
    if words >= _SENTENCE_WORDS or cell.strip().endswith(_ENDS) or cell in filled:
        return True
    if not words or not filled:
        return False
    usual = median(len(value.split()) for value in filled)
    # Of single words, one that names what they are is a name.
    return 2 * words >= usual and (words > 1 or (usual == 1 and alone and cell.strip().lower() not in _NAMES))


def is_number(value: str) -> bool:
    """Whether a value is a number, with a point or a comma."""
    try:
        float(value.replace(",", ".", 1))
    except ValueError:
        return False
    return True
