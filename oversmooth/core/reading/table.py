"""What is known of a file with columns, whatever its format, and the lines of it."""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from oversmooth.core.errors import InputError
from oversmooth.core.wording import count

LONGEST_LINE: Final = 1_000_000
"""Characters of a line of a table, whose values may take many times its length in memory."""


@dataclass(frozen=True)
class Written:
    """What someone says of how a file of separated values is written; None where that is to be found out."""

    separator: str | None = None
    header: bool | None = None
    """Whether its first line names the columns."""


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


def lines(text: str) -> Iterator[str]:
    """The lines of a text, without their ends; other separators of Unicode end none."""
    return (line.removesuffix("\n") for line in io.StringIO(text, newline=None))


def bounded(table: Iterable[str], name: str) -> Iterator[str]:
    """The lines of a table, up to one that would fill the memory, which is refused."""
    for number, line in enumerate(table, 1):
        if len(line) > LONGEST_LINE:
            raise InputError(f"Line {number:,} of {name} has more than {count(LONGEST_LINE, 'character')}. Split it.")
        yield line
