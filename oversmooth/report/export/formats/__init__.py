"""The formats in which figures are written: one file each, found by its registry.

Nothing of what writes them is loaded before it writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oversmooth.core.plugins import Registry

if TYPE_CHECKING:
    from oversmooth.report.figures.registry import Drawable
    from oversmooth.report.paper.presets import Preset
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement

IMAGES: Final = "figures"
"""The folder of whatever shows a figure by itself."""


@dataclass(frozen=True)
class Metadata:
    """Keys under which a format drawn on paper keeps who made a figure, and how its numbers came about."""

    owner: str
    record: str
    date: str = ""
    """Left out, so that the same figure is the same file; empty where the format has none."""


@dataclass(frozen=True, kw_only=True)
class FigureFormat:
    """One format of the figures."""

    name: str
    """As it is asked for."""
    title: str
    """On the pages; formats with one title are chosen together."""
    folder: str = IMAGES
    """Of its files."""
    endings: tuple[str, ...]
    """Of the files of each figure; none where it gives one file of all."""
    media_type: str = "application/octet-stream"
    metadata: Metadata = Metadata("Creator", "Keywords")
    """Of a format that is drawn on paper (:func:`oversmooth.report.export.images.image`)."""
    write: Callable[..., Mapping[str, bytes]] | None = None
    """Gives the files of a figure by their endings, where it is not drawn on paper: of it, in the light theme, the
    ``name`` of its files, its ``title``, a ``preset``, and whether it ``is_curve``, of lines and markers over depth."""
    gather: Callable[[Measurement | Comparison, Mapping[str, Drawable], Preset], bytes] | None = None
    """Gives the one file of all figures of a result."""
    file: str = ""
    """What the README of a bundle tells of: that file, or the folder; empty where it tells of all images together."""
    meaning: str = ""
    """What it holds, in a clause."""
    brings: tuple[str, ...] = ()
    """Formats that a single chart is written in along with it."""
    bundled: bool = True
    """Whether a bundle has it."""


_REGISTRY: Registry[FigureFormat] = Registry(
    ("format of figures", "formats of figures"), "oversmooth.report.export.formats"
)


def figure_format(declared: FigureFormat) -> None:
    """Register a format of figures.

    Raises:
        RuntimeError: where another format has that name.
    """
    _REGISTRY.add(declared.name, declared)


def figure_formats() -> Mapping[str, FigureFormat]:
    """Every format of figures by its name, in the order in which they are shown."""
    return _REGISTRY


def image_formats() -> tuple[str, ...]:
    """Names of those that show a figure by itself."""
    return tuple(name for name, each in _REGISTRY.items() if each.folder == IMAGES)


def folders() -> tuple[str, ...]:
    """The folders of figures, in the order in which their files are written."""
    return tuple(dict.fromkeys(each.folder for each in _REGISTRY.values()))
