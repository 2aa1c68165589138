"""Whether the first row of a table names its columns, or is like those below it."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from oversmooth.core.wording import enumerated, shortened

_ENDS: Final = tuple(".!?…。！？")
_NAMES: Final = frozenset(
    {"text", "texts", "sentence", "sentences", "content", "word", "words", "token", "name", "label"}
)
_CELLS, _CELL = 3, 60
"""Cells that are named, and characters of each."""
_SENTENCE_WORDS: Final = 4
"""Words from which a cell is a sentence rather than the name of a column."""


def header(rows: Sequence[Sequence[str]], name: str) -> tuple[bool, tuple[str, ...]]:
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
    if is_sentence(cell) or cell in filled:
        return True
    if not words or not filled:
        return False
    usual = median(len(value.split()) for value in filled)
    # Of single words, one that names what they are is a name.
    return 2 * words >= usual and (words > 1 or (usual == 1 and alone and cell.strip().lower() not in _NAMES))


def is_sentence(text: str) -> bool:
    """Whether a text is a sentence rather than the name of a column."""
    return len(text.split()) >= _SENTENCE_WORDS or text.strip().endswith(_ENDS)


def is_number(value: str) -> bool:
    """Whether a value is a number, with a point or a comma."""
    try:
        float(value.replace(",", ".", 1))
    except ValueError:
        return False
    return True
