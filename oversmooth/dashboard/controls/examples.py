"""The example texts that the text box offers."""

from __future__ import annotations

import json
from functools import cache
from typing import NamedTuple

from oversmooth.core.packaged import packaged


class Example(NamedTuple):
    """A text with a name."""

    title: str
    text: str


@cache
def examples() -> tuple[Example, ...]:
    """All example texts, in several scripts; the first is what a newcomer sees."""
    content = packaged("examples.json").read_text(encoding="utf-8")
    return tuple(Example(**entry) for entry in json.loads(content))
