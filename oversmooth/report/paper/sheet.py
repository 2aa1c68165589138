"""A page with panes and words, and how they are fitted to each other: shortened, thinned, broken into lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.offsetbox import AnnotationBbox
from matplotlib.text import Annotation
from matplotlib.ticker import FixedLocator
from matplotlib.transforms import Affine2D, Bbox, BboxTransformTo, Transform, TransformedBbox

from oversmooth.core.errors import OutputError
from oversmooth.report.paper.axes import ColourBar
from oversmooth.report.paper.chart import Chart, Pair
from oversmooth.report.paper.presets import Preset
from oversmooth.report.paper.words import broken, width_of

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
_LONGEST = 0.22
"""Share of the page's width that a tick label may take."""
_GAP = 1.0
"""Points between two tick labels at least."""
_SHORT = 12
"""Length of an axis, in sizes of its title, below which the title may reach beyond it."""
_TICK = 2.0
"""Points of the ticks that tell which rows of a map the labels left belong to."""


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
            inches = _whole(height)
            if inches != self.figure.get_size_inches()[1]:
                self.figure.set_size_inches(self.preset.width, inches)
                self.fit()
        if self.tied:
            self._centre()

    def require_room(self) -> None:
        """Hold the plot against the smallest that can be read."""
        plot = self.plot.width * self.page.width, self.plot.height * self.page.height
        if min(plot) < _SMALLEST * self.preset.points:
            wide, high = self.figure.get_size_inches()
            raise OutputError(
                f"The words of this chart leave no room for it on a page of {wide:g} × {high:g} in: "
                "choose a larger one, or smaller text."
            )

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


def shorten_labels(sheet: Sheet) -> None:
    """Cut tick labels that would take the room of the chart."""
    most = _LONGEST * sheet.page.width
    for axis in _axes(sheet):
        labels = axis.get_ticklabels()
        short = [_shortened(label.get_text(), float(label.get_fontsize()), most) for label in labels]
        if short != [label.get_text() for label in labels]:
            axis.set_ticklabels(short)


def _shortened(text: str, size: float, most: float) -> str:
    if "\n" in text or width_of(text, size) <= most:
        return text
    end = len(text.rstrip("…"))
    while end > 1 and width_of(f"{text[:end]}…", size) > most:
        end -= 1
    return f"{text[:end]}…"


def thin_labels(sheet: Sheet) -> bool:
    """Leave out tick labels that would overlap, evenly; words in lower rows stay. Says whether any went."""
    changed = False
    for axis in _axes(sheet):
        along = 0 if isinstance(axis, XAxis) else 1
        labels = axis.get_ticklabels()
        texts, places = [label.get_text() for label in labels], list(axis.get_majorticklocs())
        first = [n for n, text in enumerate(texts) if text and not text.startswith("\n")]
        spans = [sorted(sheet.extent(labels[n]).get_points()[:, along]) for n in first]
        step = next(step for step in range(1, len(first) + 2) if _apart([(a, b) for a, b in spans[::step]]))
        if step == 1:
            continue
        changed = True
        kept = sorted({*first[::step], *(n for n in range(len(texts)) if n not in first)})
        axis.set_major_locator(FixedLocator([places[n] for n in kept]))
        axis.set_ticklabels([texts[n] for n in kept])
        axis.set_tick_params(length=max(_TICK, axis.majorTicks[0].tick1line.get_markersize()))
    return changed


def _apart(spans: Sequence[tuple[float, float]]) -> bool:
    return all(later[0] - earlier[1] >= _GAP for earlier, later in pairwise(sorted(spans)))


def wrap_titles(sheet: Sheet) -> bool:
    """Break axis titles that are longer than their axis into lines. Says whether any were."""
    changed = False
    for axis in _axes(sheet):
        across = isinstance(axis, XAxis)
        box = sheet.extent(axis.axes.patch)
        size = float(axis.label.get_fontsize())
        room = max(box.width, 0.6 * sheet.page.width) if across else max(box.height, _SHORT * size)
        text = axis.get_label_text()
        wrapped = broken(text, partial(_fits, size, room))
        if wrapped != text:
            changed = True
            axis.set_label_text(wrapped)
    return changed


def _fits(size: float, room: float, line: str) -> bool:
    return width_of(line, size) <= room


def _axes(sheet: Sheet) -> list[Axis]:
    return [axis for pane in sheet.panes.values() for axis in (pane.xaxis, pane.yaxis)]
