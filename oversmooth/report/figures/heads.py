"""A quantity of the attention matrix of each head, beside that of shuffled attention; and blocks beside each other."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.resampling import band
from oversmooth.metrics.mechanisms import registry
from oversmooth.metrics.mechanisms.declared_attention import NULL
from oversmooth.report.figures.canvas import WHOLE, Canvas, Drawn, blank
from oversmooth.report.figures.panes import (
    BELOW,
    block_axis,
    cells,
    even_scale,
    head_axis,
    height_of,
    over_blocks,
    scale_around_zero,
)
from oversmooth.report.figures.registry import Arguments, Asked, explained_by, figure
from oversmooth.report.figures.series import draw_means
from oversmooth.report.figures.theme import Theme, value_axis
from oversmooth.report.findings.absences import explained, unexplained
from oversmooth.report.findings.readings import found_by
from oversmooth.report.findings.spread import mean_of
from oversmooth.results.measurement import Measurement

ORDER = 50
HEIGHT: Final = 320
_HEADING: Final = 20
ADJACENT: Final = "attention_adjacent_cosine"


def quantities(measurement: Measurement) -> tuple[str, ...]:
    """The quantities of each head that a measurement has, without those of shuffled attention."""
    if measurement.explanation is None:
        return ()
    found = measurement.explanation.attention
    return tuple(str(name) for name in found if "head" in found[name].dims and not str(name).endswith(NULL))


def _needs(measurement: Measurement, _: Asked) -> list[Arguments]:
    return [{"quantity": name} for name in quantities(measurement)]


def _declared(measurement: Measurement, quantity: str) -> tuple[str, ...]:
    return tuple(name for name in (quantity, quantity + NULL) if _means(measurement, name) is not None)


def _heading(_: Measurement, quantity: str, difference: bool = False) -> str:
    return f"{registry.get(quantity).title} of each head, {'less its null model' if difference else 'mean over texts'}"


def _alternative(measurement: Measurement, quantity: str, difference: bool = False) -> str:
    heading = _heading(measurement, quantity, difference)
    return f"{heading}. {found_by(measurement, 'attention')} {registry.get(quantity).reads}"


@figure(
    of=Measurement,
    title=lambda _, quantity: f"{registry.get(quantity).title} of each head",
    heading=_heading,
    alternative=_alternative,
    file="{quantity}",
    needs=_needs,
    declared=_declared,
)
def attention_map(measurement: Measurement, quantity: str, *, theme: Theme, difference: bool = False) -> Drawn:
    """One value for each block and head, and below it, on the same scale, that of shuffled attention where it has one.

    With ``difference``, the quantity less that of shuffled attention is drawn alone.
    """
    title = registry.get(quantity).title
    found = _means(measurement, quantity)
    null = _means(measurement, quantity + NULL)
    if found is None or not np.isfinite(found).any():
        return blank(f"{title}: {unexplained(measurement, 'attention')}", theme, height=HEIGHT)
    if difference and null is None:
        return blank(f"{title} has no counterpart of shuffled attention.", theme, height=HEIGHT)
    if difference and null is not None:
        change = found - null
        scale = scale_around_zero(float(np.nanmax(np.abs(change))), "difference", "+.3~g")
        maps = {f"{title}: heads minus shuffled attention": change}
    else:
        maps = {title: found} | ({} if null is None else {"The same of shuffled attention": null})
        scale = even_scale(np.stack(list(maps.values())), "value")
    canvas = Canvas(theme)
    heads, blocks = found.shape
    height = len(maps) * (height_of(heads) + _HEADING)
    panes = over_blocks(canvas, list(maps), [head_axis(heads)] * len(maps), blocks, height)
    for pane, values in zip(panes, maps.values(), strict=True):
        cells(canvas, values, scale, pane, hover="block %{x}, head %{y}<br>")
    canvas.remarks(mean_of(len(measurement.tokens)))
    return canvas.figure(height + BELOW, over=0)


@figure(
    of=Measurement,
    title=lambda _: registry.get(ADJACENT).title,
    alternative=lambda _: f"{registry.get(ADJACENT).title}. {registry.get(ADJACENT).reads}",
    file=ADJACENT,
    needs=explained_by("attention", ADJACENT),
    declared=lambda _: (ADJACENT,),
)
def attention_adjacent(measurement: Measurement, *, theme: Theme) -> Drawn:
    """Cosine between the attention of each block and that of the block before, over depth, with its band over texts."""
    declared = registry.get(ADJACENT)
    found = explained(measurement, "attention", ADJACENT)
    if found is None:
        return blank(f"{declared.title}: {unexplained(measurement, 'attention')}", theme, height=HEIGHT)
    rows = np.array(band(found[ADJACENT].transpose("input", "layer").values).rows).T
    known = (1 + np.flatnonzero(np.isfinite(rows[0, 1:]))).tolist()
    if not known:
        return blank(f"{declared.title}: there are no two blocks in a row to compare.", theme, height=HEIGHT)
    canvas = Canvas(theme)
    canvas.depth_axis.update(block_axis(rows.shape[1]))
    rows = rows[:, known]
    canvas.value_axis.update(value_axis(float(np.nanmin(rows)), float(np.nanmax(rows)), ticks=6, from_zero=True))
    canvas.title_values(declared.title, mean_of(len(measurement.tokens)))
    names = [f"block {layer} and block {layer - 1}" for layer in known]
    # Of one text there is no band: the line alone.
    draw_means(canvas, WHOLE, known, rows, names, colour=theme.accent, banded=math.isfinite(rows[1, 0]))
    return canvas.figure(HEIGHT)


def _means(measurement: Measurement, name: str) -> NDArray[np.float64] | None:
    """Mean over texts (head, block); None where there is no such quantity."""
    found = explained(measurement, "attention", name)
    return None if found is None else found[name].mean("input").transpose("head", "layer").values
