"""The formats in which the numbers of a result are written: one file each, found by its registry.

Nothing of what writes them is loaded before it writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oversmooth.core.plugins import Registry

if TYPE_CHECKING:
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement

Write = Callable[["Measurement | Comparison"], Mapping[str, bytes]]


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format of the numbers, declared over the function that writes it: ``@number_format(title="CSV")``."""

    title: str
    """On the pages."""
    media_type: str = "application/octet-stream"
    file: str = ""
    """The one file that it gives; empty where it gives one for each table."""
    meaning: str = ""
    """What that file holds, in a clause."""
    name: str = ""
    """As it is asked for, and the ending of its files: the name of the function."""
    write: Write = lambda _: {}
    """Gives the files of a result by their names; equal results give equal bytes."""

    def __call__(self, write: Write) -> Write:
        """Register the function that writes it.

        Raises:
            RuntimeError: where another format has its name.
        """
        _REGISTRY.add(write.__name__, replace(self, name=write.__name__, write=write))
        return write


_REGISTRY: Registry[Format] = Registry(("format of numbers", "formats of numbers"), "oversmooth.results.files.formats")


number_format = Format


def number_formats() -> Mapping[str, Format]:
    """Every format of the numbers by its name, in the order in which they are shown."""
    return _REGISTRY
