"""Files with columns, read value by value: only what is asked for is ever held."""

from __future__ import annotations

import csv
import io
import json
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from oversmooth.errors import InputError
from oversmooth.wording import bytes_in_words, count

if TYPE_CHECKING:
    from pyarrow import parquet

SAMPLE: Final = 1000
"""Rows that are looked at for the columns and for which of them hold texts."""

LARGEST_COLUMN: Final = 500_000_000
"""Bytes of a Parquet column, decompressed."""

BATCH_ROWS: Final = 128

LONGEST_LINE: Final = 1_000_000
"""Characters of a line of a table, whose values may take many times its length in memory."""


@dataclass(frozen=True)
class Table:
    """The columns of a file."""

    columns: tuple[str, ...]
    texts: tuple[str, ...]
    """The columns that hold texts."""
    values: Callable[[str], Iterator[object]]
    """All values of a column, in order.

    Raises:
        InputError: where the file is damaged.
    """
    notices: tuple[str, ...] = ()


def decoded(content: bytes, name: str) -> str:
    """The characters of a text file in UTF-8, or in UTF-16 where its byte-order mark says so.

    Raises:
        InputError: where it is in neither, or no text.
    """
    encoding = "utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8"
    try:
        text = content.removeprefix(BOM_UTF8).decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-16":
            raise InputError(f"{name} begins as UTF-16 and is not all of it. Save it as UTF-8.") from error
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"Line {line:,} of {name} is not UTF-8: it is in another encoding, or mixes several. Save it as UTF-8."
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"Line {line:,} of {name} holds a NUL character: this is no text file. Save it as UTF-8.")
    return text


def lines(text: str) -> Iterator[str]:
    """The lines of a text, without their ends; other separators of Unicode end none."""
    return (line.removesuffix("\n") for line in io.StringIO(text, newline=None))


def _bounded(table: Iterable[str], name: str) -> Iterator[str]:
    for number, line in enumerate(table, 1):
        if len(line) > LONGEST_LINE:
            raise InputError(f"Line {number:,} of {name} has more than {count(LONGEST_LINE, 'character')}. Split it.")
        yield line


def separated(content: bytes, name: str, *, delimiter: str) -> Table:
    """A table of separated values, whose first line names the columns.

    Raises:
        InputError: where it cannot be read.
    """
    text = decoded(content, name)
    rows = _rows(text, name, delimiter)
    columns = tuple(next(rows, ()))
    if not columns:
        raise InputError(f"{name} is empty.")
    numbers = {column: number for number, column in enumerate(columns)}
    if len(numbers) < len(columns):
        [(twice, _)] = Counter(columns).most_common(1)
        raise InputError(f"{name} has several columns named “{twice}”. Give each a name of its own.")
    worded = {number for row in islice(rows, SAMPLE) for number, value in enumerate(row) if _has_words(value)}

    def values(column: str) -> Iterator[object]:
        number = numbers[column]
        return (row[number] if row else None for row in islice(_rows(text, name, delimiter), 1, None))

    texts = tuple(column for column, number in numbers.items() if number in worded)
    return Table(columns, texts, values, _heading_notices(columns, name))


def _heading_notices(columns: tuple[str, ...], name: str) -> tuple[str, ...]:
    # A list of sentences under the suffix of a table would lose its first one without a word.
    if len(columns) == 1 and " " in columns[0].strip():
        return (f"The first line of {name}, “{columns[0]}”, was taken for the name of its column.",)
    return ()


def _rows(text: str, name: str, delimiter: str) -> Iterator[list[str]]:
    """Rows of equal length, the names first; an empty line is an empty row."""
    reader = csv.reader(_bounded(io.StringIO(text, newline=""), name), delimiter=delimiter, strict=True)
    width = 0
    try:
        for row in reader:
            width = width or len(row)
            if row and len(row) != width:
                raise InputError(
                    f"Line {reader.line_num:,} of {name} has {count(len(row), 'value')} where its first line names "
                    f"{count(width, 'column')}. Put quotes around texts that hold the separator."
                )
            if row or width:
                yield row
    except csv.Error as error:
        raise InputError(f"Line {reader.line_num:,} of {name} cannot be read as separated values ({error}).") from error


def _has_words(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return bool(value.strip())
    return False


def json_lines(content: bytes, name: str) -> Table:
    """A table of JSON objects, one a line, whose names are the columns.

    Raises:
        InputError: where it cannot be read.
    """
    text = decoded(content, name)
    columns: dict[str, bool] = {}
    for row in islice(_objects(text, name), SAMPLE):
        for column, value in row.items():
            columns[column] = columns.get(column, False) or (isinstance(value, str) and bool(value.strip()))
    if not columns:
        raise InputError(f"{name} has no JSON object in its first {count(SAMPLE, 'line')}.")
    texts = tuple(column for column, holds in columns.items() if holds)
    return Table(tuple(columns), texts, lambda column: (row.get(column) for row in _objects(text, name)))


def _objects(text: str, name: str) -> Iterator[dict[str, object]]:
    for number, line in enumerate(_bounded(lines(text), name), 1):
        try:
            row = json.loads(line) if line.strip() else {}
        except (ValueError, RecursionError) as error:
            raise InputError(f"Line {number:,} of {name} is not JSON.") from error
        if not isinstance(row, dict):
            raise InputError(f'Line {number:,} of {name} is no JSON object such as {{"text": "…"}}.')
        yield row


def parquet_table(content: bytes, name: str) -> Table:
    """A Parquet table.

    Raises:
        InputError: where it cannot be read, or where a column would fill the memory.
    """
    import pyarrow as pa
    from pyarrow import parquet, types

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
        _refuse_large(file, name, column)
        for batch in file.iter_batches(BATCH_ROWS, columns=[column]):
            for value in batch.column(0):
                yield value.as_py()


def _refuse_large(file: parquet.ParquetFile, name: str, column: str) -> None:
    groups = map(file.metadata.row_group, range(file.metadata.num_row_groups))
    parts = [group.column(number) for group in groups for number in range(group.num_columns)]
    size = sum(part.total_uncompressed_size for part in parts if part.path_in_schema.split(".")[0] == column)
    if size > LARGEST_COLUMN:
        limit = bytes_in_words(LARGEST_COLUMN)
        raise InputError(f"The column “{column}” of {name} takes more than {limit} in memory. Give a part of it.")


@contextmanager
def _damage_told(name: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{name} cannot be read as Parquet: it is damaged, or of another kind.") from error


TABLES: Final[Mapping[str, Callable[[bytes, str], Table]]] = MappingProxyType(
    {
        ".csv": partial(separated, delimiter=","),
        ".tsv": partial(separated, delimiter="\t"),
        ".jsonl": json_lines,
        ".parquet": parquet_table,
    }
)
