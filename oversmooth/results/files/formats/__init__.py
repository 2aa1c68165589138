"""The formats in which the numbers of a result are written: one file each, found by its registry.

Nothing of what writes them is loaded before it writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oversmooth.core.plugins import Registry

if TYPE_CHECKING:
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement

Write = Callable[["Measurement | Comparison"], Mapping[str, bytes]]


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format of the numbers."""

    name: str
    """As it is asked for, and the ending of its files."""
    title: str
    """On the pages."""
    media_type: str
    file: str
    """The one file that it gives; empty where it gives one for each table."""
    meaning: str
    """What that file holds, in a clause."""
    write: Write
    """Gives the files of a result by their names; equal results give equal bytes."""


_REGISTRY: Registry[Format] = Registry(("format of numbers", "formats of numbers"), "oversmooth.results.files.formats")


def number_format(
    *, title: str, media_type: str = "application/octet-stream", file: str = "", meaning: str = ""
) -> Callable[[Write], Write]:
    """Register the decorated function as the format of its name; see :class:`Format` for the arguments.

    Raises:
        RuntimeError: where another format has that name.
    """

    def register(write: Write) -> Write:
        name = write.__name__
        found = Format(name=name, title=title, media_type=media_type, file=file, meaning=meaning, write=write)
        _REGISTRY.add(name, found)
        return write

    return register


def number_formats() -> Mapping[str, Format]:
    """Every format of the numbers by its name, in the order in which they are shown."""
    return _REGISTRY
