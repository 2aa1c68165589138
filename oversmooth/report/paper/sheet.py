"""A page with panes and words, and how they are fitted to each other."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.offsetbox import AnnotationBbox
from matplotlib.text import Annotation
from matplotlib.transforms import Affine2D, Bbox, BboxTransformTo, Transform, TransformedBbox

from oversmooth.core.errors import OutputError
from oversmooth.report.paper.bars import ColourBar
from oversmooth.report.paper.chart import Chart, Pair
from oversmooth.report.paper.presets import Preset

_DOTS = 288.0
"""Dots per inch at which text is measured: enough for its width to be that of the outlines."""
_ROUNDS = 3
"""How often the plot is fitted between the words around it; each round leaves a small part of the error."""
_LEAST = 0.35
"""Share of the page's height that the plot has at least, where the page may grow."""
_SMALLEST = 4.0
"""Least width and height of the plot, in sizes of the text."""
_APART = 6.0
"""Pixels between the heading, the chart and the legend."""


@dataclass
class Note:
    """Words on the chart."""

    artist: Annotation | AnnotationBbox
    shift: tuple[float, float]
    """Points from where they are anchored."""
    beside: bool
    """Whether they stand beside the chart, which then makes room for them; others move to stay on the page."""


@dataclass
class Sheet:
    """One page. Measures are in points from its lower left corner."""

    figure: Figure
    chart: Chart
    preset: Preset
    plot: Bbox = field(default_factory=Bbox.unit)
    """What plotly calls paper: the area that the axes span, as a share of the page."""
    panes: dict[Pair, Axes] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    heading: Note | None = None
    bar: ColourBar | None = None
    legend: Legend | None = None

    @classmethod
    def of(cls, chart: Chart, preset: Preset) -> Sheet:
        """An empty page of the preset's size, or of the shape that the chart has on screen."""
        height = preset.height or _whole(chart.canvas.height * preset.points_per_pixel)
        figure = Figure((preset.width, height), dpi=_DOTS, facecolor=chart.canvas.theme.paper)
        FigureCanvasAgg(figure)
        return cls(figure, chart, preset)

    @property
    def page(self) -> Bbox:
        """The whole page."""
        return Bbox.from_bounds(0, 0, *(72 * self.figure.get_size_inches()))

    @property
    def inner(self) -> Bbox:
        """The page without its edge."""
        return self.page.padded(-self.preset.edge)

    @property
    def paper(self) -> Transform:
        """From shares of the plot to the page."""
        return BboxTransformTo(TransformedBbox(self.plot, self.figure.transFigure))

    @property
    def points(self) -> Transform:
        """From points to the page."""
        return Affine2D().scale(1 / 72) + self.figure.dpi_scale_trans

    @property
    def tied(self) -> bool:
        """Whether a pane has a shape of its own, which may leave a part of the page free."""
        return any(map(self.chart.is_square, self.panes))

    def extent(self, artist: Artist) -> Bbox:
        """Where something is drawn."""
        return _points(artist.get_window_extent())

    def fit(self) -> None:
        """Give the plot all the room that the words around it leave."""
        room = self._room()
        left, bottom, right, top = room.extents
        for _ in range(_ROUNDS):
            self._arrange(Bbox.from_extents(left, bottom, right, top))
            reach = self.reach()
            left += room.x0 - reach.x0
            bottom += room.y0 - reach.y0
            right -= reach.x1 - room.x1
            top -= reach.y1 - room.y1
            # However little room there is, the axes keep their direction.
            right, top = max(right, left + 1), max(top, bottom + 1)
        self._arrange(Bbox.from_extents(left, bottom, right, top))

    def settle(self) -> None:
        """Grow a page whose words leave no room for a plot; cut off what a square map leaves free, and centre it."""
        height = self.page.height
        if self.preset.height is None:
            height += max(0.0, _LEAST * height - self.plot.height * height)
            if self.tied:
                height -= self._room().y1 - self._room().y0 - (self.reach().y1 - self.reach().y0)
            self.resize(height)
        if self.tied:
            self._centre()

    def require_room(self) -> None:
        """Hold the plot against the smallest that can be read.

        Raises:
            OutputError: where the words leave less, and the page may not grow.
        """
        plot = self.plot.width * self.page.width, self.plot.height * self.page.height
        if min(plot) < _SMALLEST * self.preset.points:
            wide, high = self.figure.get_size_inches()
            raise OutputError(
                f"The words of this chart leave no room for it on a page of {wide:g} × {high:g} in: "
                "choose a larger one, or smaller text."
            )

    def resize(self, height: float) -> None:
        """Change the height of the page and fit the chart again."""
        inches = _whole(height)
        if inches != self.figure.get_size_inches()[1]:
            self.figure.set_size_inches(self.preset.width, inches)
            self.fit()

    def reach(self) -> Bbox:
        """How far the chart and the words around it go; words that can be moved count for their height alone."""
        boxes = [_points(box) for pane in self.figure.axes if (box := pane.get_tightbbox()) is not None]
        middle = Bbox.union(boxes)
        for note in self.notes:
            box = self.extent(note.artist)
            across = (box.x0, box.x1) if note.beside else (middle.x0, middle.x1)
            boxes.append(Bbox.from_extents(across[0], box.y0, across[1], box.y1))
        return Bbox.union(boxes)

    def _room(self) -> Bbox:
        """What the heading and the legend leave of the page."""
        gap = _APART * self.preset.points_per_pixel
        left, bottom, right, top = self.inner.extents
        if self.heading is not None:
            artist = self.heading.artist
            artist.xyann = (artist.xyann[0], top)
            top = self.extent(artist).y0 - gap
        if self.legend is not None:
            bottom = self.extent(self.legend).y1 + gap
        return Bbox.from_extents(left, bottom, right, top)

    def _arrange(self, plot: Bbox) -> None:
        """Put the plot there, and everything else where it belongs."""
        page = self.page
        self.plot.set_points(plot.get_points() / page.size)
        for (x, y), pane in self.panes.items():
            (left, right), (low, high) = self.chart.domain(x), self.chart.domain(y)
            corner = self.plot.x0 + left * self.plot.width, self.plot.y0 + low * self.plot.height
            pane.set_position((*corner, (right - left) * self.plot.width, (high - low) * self.plot.height))
        if self.bar is not None:
            self.bar.arrange(page, self.plot.y1)
        for note in self.notes:
            if not note.beside:
                self._keep_inside(note)

    def _keep_inside(self, note: Note) -> None:
        note.artist.xyann = note.shift
        box = self.extent(note.artist)
        moved = max(0.0, self.inner.x0 - box.x0) - max(0.0, box.x1 - self.inner.x1)
        note.artist.xyann = note.shift[0] + moved, note.shift[1]

    def _centre(self) -> None:
        """Put a map that is narrower than the page in its middle, heading and all."""
        pane = next(iter(self.panes.values()))
        reach = self.reach()
        left = (self.inner.width - reach.width) / 2 + self.inner.x0 - reach.x0
        if left > 0:
            plot = TransformedBbox(self.plot, BboxTransformTo(self.page))
            self._arrange(Bbox.from_extents(plot.x0 + left, plot.y0, plot.x1, plot.y1))
        edge = pane.get_position().x0 * self.page.width
        if self.heading is not None:
            artist = self.heading.artist
            artist.xyann = min(edge, self.inner.x1 - self.extent(artist).width), artist.xyann[1]


def _points(box: Bbox) -> Bbox:
    return Bbox(box.get_points() * 72 / _DOTS)


def _whole(points: float) -> float:
    """A height in inches, rounded up to hundredths: whole pixels at 300 and 600 dots per inch."""
    return math.ceil(points / 72 * 100 - 1e-6) / 100
