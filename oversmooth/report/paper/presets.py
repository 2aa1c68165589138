"""Sizes that journals and slides ask for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, get_args

from oversmooth.core.errors import OutputError

SMALLEST_POINTS: Final = 7.0
"""No text is set smaller: what most journals allow at least."""
SCREEN_PIXELS: Final = 12.0
"""Size of plain text in the screen figures; all their other measures go with it."""
WIDTHS: Final = (2.25, 40.0)
"""Inches; in less, the words leave no room for a chart."""
LARGEST_POINTS: Final = 40.0
WORDS_ACROSS: Final = 23.0
"""Least width in sizes of plain text: that of the narrowest phone that the screen figures are made for."""

Typeface = Literal["sans", "serif"]


@dataclass(frozen=True)
class Preset:
    """A size on paper. For another width, use ``dataclasses.replace(preset, width=…)``.

    Raises:
        OutputError: where the sizes leave no room for a chart, or text would be smaller than ``SMALLEST_POINTS``.
    """

    title: str
    width: float
    """Inches."""
    points: float = 8.0
    """Size of plain text; no text is smaller than ``SMALLEST_POINTS``."""
    height: float | None = None
    """Inches; None for the shape that the figure has on screen, square maps trimmed."""
    typeface: Typeface = "sans"
    titled: bool = False
    """Whether what is shown stands above it as a heading."""

    def __post_init__(self) -> None:
        low, high = WIDTHS
        for what, inches in (("wide", self.width), ("high", self.width if self.height is None else self.height)):
            if not low <= inches <= high:
                raise OutputError(f"A figure {inches:g} in {what} cannot be drawn: choose from {low:g} to {high:g} in.")
        if not SMALLEST_POINTS <= self.points <= LARGEST_POINTS:
            raise OutputError(
                f"Text of {self.points:g} points cannot be set: choose from {SMALLEST_POINTS:g} to {LARGEST_POINTS:g}."
            )
        if 72 * self.width < WORDS_ACROSS * self.points:
            most = math.floor(720 * self.width / WORDS_ACROSS) / 10
            raise OutputError(
                f"A figure {self.width:g} in wide has no room for text of {self.points:g} points: at most {most:g}."
            )
        if self.typeface not in get_args(Typeface):
            raise OutputError(f"There is no typeface “{self.typeface}”: choose sans or serif.")

    @property
    def points_per_pixel(self) -> float:
        """What one pixel of the screen figure becomes."""
        return self.points / SCREEN_PIXELS

    @property
    def edge(self) -> float:
        """Points left free around everything."""
        return self.points / 4

    def size(self, pixels: float) -> float:
        """A text size of the screen figure in points."""
        return max(SMALLEST_POINTS, pixels * self.points_per_pixel)


PRESETS: Final[dict[str, Preset]] = {
    "single": Preset("Single column, 3.25 in", 3.25),
    "double": Preset("Double column, 6.75 in", 6.75, 9.0),
    "slide": Preset("Slide, 16:9", 40 / 3, 18.0, height=7.5, titled=True),
}
