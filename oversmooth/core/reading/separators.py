"""How a table of separated values is built where its name does not say: separator, quotation marks, heading.

Each way is tried on the first rows and taken where they all have the same number of values; what was assumed is said.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from oversmooth.core.errors import InputError
from oversmooth.core.reading.headings import header as heading
from oversmooth.core.reading.headings import is_number, is_sentence
from oversmooth.core.reading.table import LONGEST_LINE

SEPARATORS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
SAMPLE: Final = 1000
"""Rows that are looked at: for how they are written, for the columns and for which of them hold texts."""
_NONE: Final = "\x1f"
"""Stands in no text: of a table with one column, whose texts hold every other separator."""
_TOLD: Final = re.compile(r'"?sep=(.)"?(?:[\r\n]|$)', re.IGNORECASE)
"""The line in which a spreadsheet names its separator."""
_DECIMAL: Final = re.compile(r"[+-]?\d+,\d+")
_COMMA_ALONE: Final = re.compile(r",(?![ \t])")
"""A comma without a space behind it, which no sentence has."""

# The standard library refuses values of more than 131,072 characters, which a long text is; lines are bounded by us.
csv.field_size_limit(LONGEST_LINE)


@dataclass(frozen=True)
class Dialect:
    """How a table is written."""

    separator: str
    quoted: bool = True
    """Whether quotation marks enclose values; else they are characters of them."""
    spaced: bool = False
    """Whether spaces between a separator and a quotation mark belong to neither."""
    escaped: bool = False
    """Whether a quotation mark inside a value has a backslash before it, instead of being written twice."""
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
    """The separator that someone named by a word or by itself, where it can be one."""
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
    """How the table in a text is written; ``usual`` is the separator that its suffix promises.

    What someone named, separator or header, is taken; None is found out. Refused where no separator divides the text,
    or another one than was named.
    """
    told = _TOLD.match(text)
    skip = 1 if told else 0
    separator = separator or (told[1] if told else None)
    found = replace(_named(text, name, separator, skip) if separator else _found(text, name, usual, skip), skip=skip)
    rows = _sample(text, found)
    if not rows:
        return found
    has, notices = (header, ()) if header is not None else heading(rows, name)
    if found.quoted is False and any('"' in value for row in rows for value in row):
        notices = (f"Quotation marks in {name} were taken for characters of its texts.", *notices)
    if found.escaped:
        notices = (f"A backslash before a quotation mark in {name} was taken for no part of its texts.", *notices)
    return replace(found, header=has, notices=(*found.notices, *notices))


def like_a_table(text: str, name: str) -> tuple[str, ...]:
    """That lines which are read as texts have the look of a table, in a sentence; nothing where they have not."""
    for sign in ("\t", ";", "|", ","):
        rows = _sample(text, Dialect(sign)) or _sample(text, Dialect(sign, quoted=False)) or []
        # Commas and semicolons are also those of sentences.
        if len(rows) > 1 and len(rows[0]) > 1 and (sign == "\t" or _numeric(rows)):
            suffix = ".tsv" if sign == "\t" else ".csv"
            parts = f"a {word(sign)} divides each into {len(rows[0]):,} values"
            return (f"Each line of {name} was read as one text, though {parts}: name it {suffix} to take a column.",)
    return ()


def rows_of(lines: Iterator[str], dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Rows of a file's lines, with the number of their last line; a row of blanks alone is empty.

    A ``csv.Error`` where quotation marks are not closed, or followed by something else.
    """
    for _ in islice(lines, dialect.skip):
        pass
    marks: dict[str, Any] = {"skipinitialspace": dialect.spaced} if dialect.quoted else {"quoting": csv.QUOTE_NONE}
    if dialect.escaped:
        # Not as an escape character of the standard library, which would take every other backslash away too.
        lines = (line.replace('\\"', '""') for line in lines)
    reader = csv.reader(lines, delimiter=dialect.separator, strict=True, **marks)
    width = 0
    for row in reader:
        blank = len(row) == 1 and not row[0].strip()
        width = width or (0 if blank else len(row))
        # Some programs end each row, but not that of the names, with a separator.
        ends = width if width > 1 and not any(row[width:]) else None
        yield reader.line_num + dialect.skip, [] if blank else row[:ends]


def _sample(text: str, dialect: Dialect) -> list[list[str]] | None:
    """The first rows that are not empty; None where they cannot be read this way or differ in length."""
    try:
        rows = [row for _, row in islice(rows_of(io.StringIO(text, newline=""), dialect), SAMPLE) if row]
    except csv.Error:
        return None
    return rows if len({len(row) for row in rows}) <= 1 else None


def _found(text: str, name: str, usual: str, skip: int) -> Dialect:
    order = list(dict.fromkeys((usual, *SEPARATORS.values())))
    tried = {sign: _quoting(text, Dialect(sign, skip=skip)) for sign in order}
    wide = {sign: found for sign, (found, width) in tried.items() if found is not None and width > 1}
    widths = {sign: _first_width(text, Dialect(sign, skip=skip)) for sign in order}
    if all(widths[sign] <= 1 or sign == "," for sign in order) and _prose(text, wide.get(",")):
        told = f"Every comma in {name} is followed by a space, as in a sentence: each line was read as one text."
        return Dialect(_NONE, quoted=False, skip=skip, notices=(told,))
    if wide:
        sign = _likeliest(text, {sign: _sample(text, found) or [] for sign, found in wide.items()})
        others = [word(each) for each in wide if each != sign]
        return replace(wide[sign], notices=tuple(_told(name, sign, usual, others)))
    if all(width <= 1 for width in widths.values()):
        # Texts alone, whatever signs they hold.
        narrow = [found for found, _ in (*tried.values(), _quoting(text, Dialect(_NONE, skip=skip))) if found]
        if narrow:
            return narrow[0]
    # None divides all lines alike: that of the suffix is to blame where it divides the first, else what does.
    return Dialect(usual if widths[usual] > 1 else max(order, key=lambda sign: widths[sign]), skip=skip)


def _likeliest(text: str, tables: Mapping[str, list[list[str]]]) -> str:
    """The first separator, but no comma where commas are those of numbers or of sentences."""
    decimal = [sign for sign, rows in tables.items() if sign != "," and _has_decimal_commas(rows)]
    others = [sign for sign in tables if sign != ","]
    prose = others if _COMMA_ALONE.search(text) is None else []
    return next(iter(decimal or prose or tables))


def _has_decimal_commas(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a column holds numbers alone, some of them with a comma."""
    columns = zip(*(rows[1:] or rows), strict=True)
    return any(all(map(is_number, column)) and any(map(_DECIMAL.fullmatch, column)) for column in columns)


def _prose(text: str, divided: Dialect | None) -> bool:
    """Whether commas are those of sentences, one a line, and not of a table."""
    lines = [line for line in islice(io.StringIO(text, newline=""), SAMPLE) if line.strip()]
    commas = [line for line in lines if "," in line]
    if not commas or not is_sentence(lines[0]) or any(map(_COMMA_ALONE.search, commas)):
        return False
    rows = _sample(text, divided) if divided is not None else None
    return not any('"' in line for line in lines) and not (rows and _numeric(rows))


def _named(text: str, name: str, separator: str, skip: int) -> Dialect:
    found, width = _quoting(text, Dialect(separator, skip=skip))
    if found is None:
        return Dialect(separator, skip=skip)
    if width == 1:
        others = [word(each) for each in SEPARATORS.values() if _quoting(text, Dialect(each, skip=skip))[1] > 1]
        if others:
            raise InputError(
                f"No {word(separator)} divides the first line of {name}; a {' or '.join(others)} would. Name that, or "
                "leave it to be found out."
            )
    return found


def _told(name: str, sign: str, usual: str, others: Sequence[str]) -> Iterator[str]:
    if sign != usual and not others:
        yield f"{name} was read as separated by {word(sign)}."
    if others:
        yield f"{name} was read as separated by {word(sign)}, though {' or '.join(others)} would divide it too."


def _quoting(text: str, dialect: Dialect) -> tuple[Dialect | None, int]:
    """With quotation marks as what they can be, and the number of columns; None where nothing fits.

    Files that are separated by tabs are often written without any quoting (GLUE), so that a mark at the beginning of a
    value is a character and would swallow what follows.
    """
    enclosed, marks = _enclosed(text, dialect)
    bare = replace(dialect, quoted=False)
    plain = _sample(text, bare)
    width = max((len(rows[0]) for rows in (enclosed, plain) if rows), default=0)
    if not enclosed and not plain:
        return None, 0
    if not enclosed or (plain and dialect.separator == "\t" and len(plain[0]) > 1 and _characters(enclosed, plain)):
        return bare, width
    return marks, len(enclosed[0])


def _enclosed(text: str, dialect: Dialect) -> tuple[list[list[str]] | None, Dialect]:
    """The first rows with quotation marks around values, and how these are written; None where nothing fits."""
    ways = [dialect]
    if f'{dialect.separator} "' in text:
        ways.append(replace(dialect, spaced=True))
    if '\\"' in text:
        ways.append(replace(dialect, escaped=True))
    for way in ways:
        if rows := _sample(text, way):
            return rows, way
    return None, dialect


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
