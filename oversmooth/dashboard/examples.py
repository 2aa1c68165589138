"""The example texts that the text box offers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from oversmooth.service.launch import script


class Example(NamedTuple):
    """A text with a name."""

    title: str
    text: str


@cache
def examples() -> tuple[Example, ...]:
    """All example texts, in several scripts; the first is what a newcomer sees."""
    path: Path = script().parent / "assets" / "examples.json"
    return tuple(Example(**entry) for entry in json.loads(path.read_text(encoding="utf-8")))
