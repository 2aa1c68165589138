"""Files with columns, read value by value: only what is asked for is ever held."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from types import MappingProxyType
from typing import Final

from oversmooth.core.errors import InputError
from oversmooth.core.reading.decoding import decoded
from oversmooth.core.reading.headings import is_number
from oversmooth.core.reading.separators import SAMPLE, Dialect, chosen, dialect_of, rows_of
from oversmooth.core.reading.table import LONGEST_LINE, Table, Written, bounded, lines
from oversmooth.core.wording import bytes_in_words, count

LARGEST_COLUMN: Final = 500_000_000
"""Bytes of a Parquet column, decompressed."""

BATCH_ROWS: Final = 128

_ONE_A_LINE: Final = (
    'Write one object a line, such as {"text": "…"}, without brackets around all or commas between them.'
)
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
    worded = {number for row in looked_at for number, value in enumerate(row) if value.strip() and not is_number(value)}

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


def json_lines(content: bytes, name: str, written: Written) -> Table:
    """A table of JSON objects, one a line, whose names are the columns."""
    _refuse_written(written, name)
    found = decoded(content, name)
    columns: dict[str, bool] = {}
    for row in islice(_objects(found.text, name), SAMPLE):
        for column, value in row.items():
            columns[column] = columns.get(column, False) or (isinstance(value, str) and bool(value.strip()))
    if not columns:
        raise InputError(f"{name} has no JSON object in its first {count(SAMPLE, 'line')}.")
    texts = tuple(column for column, holds in columns.items() if holds)
    values = partial(_of_objects, found.text, name)
    return Table(tuple(columns), texts, values, found.notices)


def _of_objects(text: str, name: str, column: str) -> Iterator[object]:
    return (row.get(column) for row in _objects(text, name))


def _objects(text: str, name: str) -> Iterator[dict[str, object]]:
    for number, line in enumerate(bounded(lines(text), name), 1):
        try:
            row = json.loads(line) if line.strip() else {}
        except (ValueError, RecursionError) as error:
            what = "begins an array" if line.lstrip().startswith("[") else "is not JSON"
            raise InputError(f"Line {number:,} of {name} {what}. {_ONE_A_LINE}") from error
        if not isinstance(row, dict):
            raise InputError(f"Line {number:,} of {name} is no JSON object. {_ONE_A_LINE}")
        yield row


def parquet_table(content: bytes, name: str, written: Written) -> Table:
    """A Parquet table, of which no column may fill the memory."""
    import pyarrow as pa
    from pyarrow import parquet, types

    _refuse_written(written, name)
    with _damage_told(name):
        schema = parquet.read_schema(pa.BufferReader(content))

    def holds_texts(kind: pa.DataType) -> bool:
        kind = kind.value_type if types.is_dictionary(kind) else kind
        return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))

    columns = tuple(schema.names)
    texts = tuple(field.name for field in schema if holds_texts(field.type))
    return Table(columns, texts, partial(_parquet_values, content, name))


def _parquet_values(content: bytes, name: str, column: str) -> Iterator[object]:
    import pyarrow as pa
    from pyarrow import parquet

    with _damage_told(name):
        # As a dictionary, a text that stands in many rows is held once.
        file = parquet.ParquetFile(pa.BufferReader(content), read_dictionary=[column])
        groups = map(file.metadata.row_group, range(file.metadata.num_row_groups))
        parts = [group.column(number) for group in groups for number in range(group.num_columns)]
        size = sum(part.total_uncompressed_size for part in parts if part.path_in_schema.split(".")[0] == column)
        if size > LARGEST_COLUMN:
            limit = bytes_in_words(LARGEST_COLUMN)
            raise InputError(f"The column “{column}” of {name} takes more than {limit} in memory. Give a part of it.")
        for batch in file.iter_batches(BATCH_ROWS, columns=[column]):
            for value in batch.column(0):
                yield value.as_py()


@contextmanager
def _damage_told(name: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{name} cannot be read as Parquet: it is damaged, or of another kind.") from error


def _refuse_written(written: Written, name: str) -> None:
    if written != Written():
        raise InputError(f"{name} says itself how its values are separated and named: leave out separator and heading.")


TABLES: Final[Mapping[str, Callable[[bytes, str, Written], Table]]] = MappingProxyType(
    {
        ".csv": partial(separated, usual=","),
        ".tsv": partial(separated, usual="\t"),
        ".jsonl": json_lines,
        ".parquet": parquet_table,
    }
)
