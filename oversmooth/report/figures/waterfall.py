"""The change of a metric over the sub-layers of each block."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.core.numerals import between, number, signed
from oversmooth.core.tokens import escape
from oversmooth.core.wording import count
from oversmooth.report.figures.canvas import Canvas, Drawn, blank
from oversmooth.report.figures.labels import Entry, draw_key
from oversmooth.report.figures.panes import MOST_TICKS
from oversmooth.report.figures.registry import figure, measured_metrics
from oversmooth.report.figures.series import axis_title, ticks
from oversmooth.report.figures.theme import Theme, value_axis
from oversmooth.report.findings.collapse import outlier_sentence
from oversmooth.report.findings.explanations import where
from oversmooth.report.findings.spread import BAND, mean_of
from oversmooth.results.measurement import Measurement
from oversmooth.results.waterfall import Detail, Role, Step, finest, steps, whole_blocks

ORDER = 40
CHART: Final = 300
"""Height of the chart between its axes, in pixels."""
_BELOW: Final = 56
_WIDE: Final = 0.92
"""Share of a block that its steps take."""
_NAMES: Final[Mapping[Role, str]] = {
    "attention": "attention branch",
    "mlp": "MLP branch",
    "add": "residual add",
    "norm": "norm",
    "block": "block",
}
_COARSE: Final[Mapping[Detail, str]] = {
    "stream": "Steps of the residual stream: a branch and its residual add are one.",
    "blocks": "Each step is a whole block.",
}


def _alternative(measurement: Measurement, metric: str, detail: Detail | None = None) -> str:
    found = (f"{_heading(metric)}.", *where(measurement, metric, detail), outlier_sentence(measurement))
    return " ".join(filter(None, found))


def _heading(metric: str) -> str:
    return f"{metric_registry.get(metric).title}, step by step"


@figure(
    of=Measurement,
    title=lambda _, metric: f"{metric_registry.get(metric).title} over the parts of each block",
    heading=lambda _, metric, **__: _heading(metric),
    alternative=_alternative,
    file="waterfall_{metric}",
    needs=lambda measurement, asked: [] if measurement.explanation is None else measured_metrics(measurement, asked),
)
def waterfall(measurement: Measurement, metric: str, *, theme: Theme, detail: Detail | None = None) -> Drawn:
    """Floating bars from value to value, block after block, in the colour of their kind of sub-layer.

    A thin line runs through the values at the outputs of the blocks. Steps without a value are a grey area with the
    reason on hover. Without a ``detail`` it is the finest that stays readable
    (:func:`oversmooth.results.waterfall.finest`).
    """
    chosen = finest(measurement) if detail is None else detail
    found = steps(measurement, metric, chosen)
    known = [step for step in found if not step.reason]
    if not known:
        why = found[0].reason if found else "the model has no block"
        return blank(f"{metric_registry.get(metric).title}: {why}.", theme, height=CHART + _BELOW)
    bars = _laid_out(found)
    canvas = Canvas(theme)
    blocks = sum(map(points.is_block, measurement.points))
    _axes(canvas, bars, blocks, [value for step in known for value in (step.start, step.end)])
    canvas.title_values(axis_title(metric), mean_of(len(measurement.tokens)))
    _draw_bars(canvas, bars)
    _draw_outputs(canvas, measurement, metric)
    _draw_gaps(canvas, bars)
    draw_key(canvas, _key(theme, found))
    canvas.remarks(whole_blocks(measurement) or _COARSE.get(chosen, ""))
    return canvas.figure(CHART + _BELOW + 8, over=8)


@dataclass(frozen=True)
class _Bar:
    """A step at its place on the depth axis."""

    step: Step
    x: float
    width: float


def _laid_out(found: Sequence[Step]) -> list[_Bar]:
    """The steps of each block side by side within it; the final norm behind the last block."""
    most = max(Counter(step.block for step in found).values())
    bars: list[_Bar] = []
    for block, run in groupby(found, key=lambda step: step.block):
        inside = list(run)
        width = _WIDE / (most if block is None else len(inside))
        left = bars[-1].x + bars[-1].width / 2 + _apart(bars) if block is None else block - _WIDE / 2
        bars += [_Bar(step, left + (place + 0.5) * width, width) for place, step in enumerate(inside)]
    return bars


def _apart(bars: Sequence[_Bar]) -> float:
    """Blocks between the last block or the end of the axis and the final norm: room for the words below it."""
    return max(0.3, 0.03 * len({bar.step.block for bar in bars}))


def _axes(canvas: Canvas, bars: Sequence[_Bar], blocks: int, values: Sequence[float]) -> None:
    places = {points.block(index): float(index) for index in range(blocks)}
    if bars[-1].step.block is None:
        places[points.FINAL_NORM] = bars[-1].x
    where, labels = ticks(places, most=MOST_TICKS)
    end = max(blocks - 0.5, bars[-1].x + (2 * _apart(bars) if points.FINAL_NORM in places else 0))
    canvas.depth_axis.update(tickvals=where, ticktext=labels, tickangle=0, range=[-0.5, end], title={"text": "block"})
    # Bars float: their lengths are changes, whether zero is in view or not.
    canvas.value_axis.update(value_axis(min(values), max(values), ticks=6, from_zero=False))
    for block in range(blocks - 1):
        canvas.shape(type="line", x0=block + 0.5, x1=block + 0.5, line={"color": canvas.theme.grid, "width": 1})


def _colours(theme: Theme) -> dict[Role, str]:
    blue, orange, green, purple = theme.categories[:4]
    return {"attention": blue, "mlp": orange, "norm": green, "add": purple, "block": theme.accent}


def _key(theme: Theme, found: Sequence[Step]) -> list[Entry]:
    roles = {step.role for step in found}
    colours = _colours(theme)
    return [("■", colours[role], _NAMES[role]) for role in _NAMES if role in roles]


def _draw_bars(canvas: Canvas, bars: Sequence[_Bar]) -> None:
    """One trace for each look: its bars share a colour and a width."""
    colours = _colours(canvas.theme)
    looks: dict[tuple[Role, float], list[_Bar]] = {}
    for bar in bars:
        if not bar.step.reason:
            looks.setdefault((bar.step.role, bar.width), []).append(bar)
    for (role, width), ours in looks.items():
        # The outline keeps a step of almost nothing in sight.
        marker = {"color": colours[role], "line": {"color": colours[role], "width": 1}}
        canvas.traces.append(
            {
                "type": "bar", "x": [bar.x for bar in ours], "width": width, "base": [bar.step.start for bar in ours],
                "y": [bar.step.end - bar.step.start for bar in ours], "marker": marker, "name": _NAMES[role],
                "hovertext": [_hover(bar.step) for bar in ours], "hovertemplate": "%{hovertext}<extra></extra>",
                "showlegend": False,
            }
        )  # fmt: skip


def _hover(step: Step) -> str:
    lines = [escape(step.title), f"<b>{signed(step.change, 4)}</b>", f"{number(step.start, 4)} → {number(step.end, 4)}"]
    if math.isfinite(step.low):
        lines.append(f"{BAND} {between(step.low, step.high)}, {count(step.count, 'text')}")
    return "<br>".join(lines)


def _draw_outputs(canvas: Canvas, measurement: Measurement, metric: str) -> None:
    """A thin line through the values at the embedding and the outputs of the blocks, where the blocks end."""
    values = measurement.curve(metric)
    names = [point for point in values if point == points.EMBEDDING or points.is_block(point)]
    canvas.add(
        x=[(-1 if point == points.EMBEDDING else int(point)) + 0.5 for point in names],
        y=[values[point] if math.isfinite(values[point]) else None for point in names],
        mode="lines+markers",
        line={"color": canvas.theme.text, "width": 1, "dash": "dot"},
        marker={"size": 4, "color": canvas.theme.text},
        text=[f"output of {points.title(point)}<br><b>{number(values[point], 4)}</b>" for point in names],
    )


def _draw_gaps(canvas: Canvas, bars: Sequence[_Bar]) -> None:
    for why, run in groupby(bars, key=lambda bar: bar.step.reason):
        if not why:
            continue
        inside = list(run)
        first, last = inside[0].x - inside[0].width / 2, inside[-1].x + inside[-1].width / 2
        places = " to ".join(dict.fromkeys(step.title for step in (inside[0].step, inside[-1].step)))
        canvas.gap(first, last, f"{escape(places)}: missing<br>{escape(why)}", upright=True)
