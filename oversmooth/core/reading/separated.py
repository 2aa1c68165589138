"""Tables of separated values, read row by row."""

import csv
import io
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from oversmooth.core.errors import InputError
from oversmooth.core.reading.decoding import decoded
from oversmooth.core.reading.headings import is_number
from oversmooth.core.reading.separators import SAMPLE, Dialect, chosen, dialect_of, rows_of
from oversmooth.core.reading.table import LONGEST_LINE, Table, Written, bounded
from oversmooth.core.wording import count

_MORE: Final = "Put quotation marks around texts that hold the separator, or name another separator."
_FEWER: Final = "Give every line as many values, or name another separator."


def separated(content: bytes, name: str, written: Written, *, usual: str) -> Table:
    """A table of values, usually separated so, whose first line names the columns unless it looks like another."""
    found = decoded(content, name)
    dialect = dialect_of(found.text, name, usual, chosen(written.separator), written.header)
    rows = _rows(found.text, name, dialect)
    first = next(rows, [])
    if not first:
        raise InputError(f"{name} is empty.")
    heads = first if dialect.header else [""] * len(first)
    columns = tuple(head if head.strip() else f"column {number}" for number, head in enumerate(heads, 1))
    looked_at = islice(chain([] if dialect.header else [first], rows), SAMPLE)
    worded = {number for row in looked_at for number, value in enumerate(row) if _has_words(value)}

    def values(column: str) -> Iterator[object]:
        number = columns.index(column)
        return (row[number] if row else None for row in islice(_rows(found.text, name, dialect), dialect.header, None))

    texts = tuple(column for number, column in enumerate(columns) if number in worded)
    return Table(columns, texts, values, (*found.notices, *dialect.notices))


def _rows(text: str, name: str, dialect: Dialect) -> Iterator[list[str]]:
    """Rows of equal length; an empty line is an empty row."""
    width = line = 0
    try:
        for line, row in rows_of(bounded(io.StringIO(text, newline=""), name), dialect):
            width = width or len(row)
            if row and len(row) != width:
                raise InputError(
                    f"Line {line:,} of {name} has {count(len(row), 'value')} where its first line has {width:,}, "
                    f"separated by {dialect.name}. {_MORE if len(row) > width else _FEWER}"
                )
            if row or width:
                yield row
    except csv.Error as error:
        if "field limit" in str(error):
            raise InputError(
                f"A value of {name}, behind line {line:,}, has more than {count(LONGEST_LINE, 'character')}. Split it, "
                "or close the quotation mark before it."
            ) from error
        raise InputError(
            f"{name} cannot be read as values separated by {dialect.name}, behind line {line:,}: a quotation mark is "
            f"not closed, or stands inside a value ({error}). Write it twice there, or name another separator."
        ) from error


def _has_words(value: str) -> bool:
    return bool(value.strip()) and not is_number(value)
