"""Words beside axes that have less room on paper: shortened, thinned, broken into lines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from matplotlib.axis import Axis, XAxis
from matplotlib.ticker import FixedLocator

from oversmooth.report.paper import markup
from oversmooth.report.paper.sheet import Sheet
from oversmooth.report.paper.words import width_of

_LONGEST = 0.22
"""Share of the page's width that a tick label may take."""
_GAP = 1.0
"""Points between two tick labels at least."""
_SHORT = 12
"""Length of an axis, in sizes of its title, below which the title may reach beyond it."""
_TICK = 2.0
"""Points of the ticks that tell which rows of a map the labels left belong to."""


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
        broken = markup.broken(text, partial(_fits, size, room))
        if broken != text:
            changed = True
            axis.set_label_text(broken)
    return changed


def _fits(size: float, room: float, line: str) -> bool:
    return width_of(line, size) <= room


def _axes(sheet: Sheet) -> list[Axis]:
    return [axis for pane in sheet.panes.values() for axis in (pane.xaxis, pane.yaxis)]
