"""What is read as one input: a text, or a pair of two texts in the tokenizer's own form for pairs."""

import hashlib
import json
from typing import Final

Input = str | tuple[str, str]
"""A text, or the first and the second text of a pair."""

BAR: Final = " ‖ "
"""Between the two texts of a pair, where a pair is named in a line."""


HALVES: Final = ("first", "second")
"""Which text of a pair something is of, in a word."""


def parts(given: Input) -> tuple[str, ...]:
    """The one text, or both."""
    return (given,) if isinstance(given, str) else given


def characters(given: Input) -> int:
    """Of all its texts."""
    return sum(map(len, parts(given)))


def named(given: Input) -> str:
    """The input in a line of words for a reader; not to be read back."""
    return BAR.join(parts(given))


def digest(text: str) -> str:
    """SHA-256 of one text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def written(given: Input) -> str:
    """The input as one string that :func:`read` gives back: as JSON, a pair and a text that looks like one."""
    if isinstance(given, str):
        return given if read(given) == given else json.dumps([given], ensure_ascii=False)
    return json.dumps(given, ensure_ascii=False)


def read(string: str) -> Input:
    """What :func:`written` wrote; any other string is a text."""
    if not string.startswith("["):
        return string
    try:
        found = json.loads(string)
    except (ValueError, RecursionError):
        return string
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        return string
    match found:
        case [text]:
            return str(text)
        case [first, second]:
            return str(first), str(second)
    return string
