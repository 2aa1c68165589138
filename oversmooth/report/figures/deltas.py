"""What each variant changes of a metric over depth."""

from __future__ import annotations

import math
from dataclasses import replace

from oversmooth.core import points
from oversmooth.core.numerals import number, signed
from oversmooth.core.tokens import escape, visible
from oversmooth.report.figures.canvas import Canvas, Drawn, blank
from oversmooth.report.figures.compared_curves import means
from oversmooth.report.figures.identity import NamedSide, left_out, sides
from oversmooth.report.figures.lines import Depths, Line, figure_of
from oversmooth.report.figures.registry import Arguments, Asked, figure
from oversmooth.report.figures.series import Series, over_depth
from oversmooth.report.figures.theme import Theme, value_axis
from oversmooth.report.findings.absences import absence, beside, by_reason, no_deltas, unmeasured
from oversmooth.report.findings.collapse import compared_outliers
from oversmooth.report.findings.spread import UNPAIRED, band_caption, delta_spreads, is_unpaired, mean_of
from oversmooth.results.comparison import Comparison

ORDER = 15
HEIGHT = 350
"""Of a chart with nothing to draw."""
RING = "○ the first point that differs from the baseline"


def _needs(comparison: Comparison, asked: Asked) -> list[Arguments]:
    known = comparison.baseline.metrics if comparison.variants else ()
    return [{"metric": name} for name in asked.metrics if name in known]


def _caption(comparison: Comparison, **_: str) -> str:
    paired = [each for label, each in comparison.variants.items() if comparison.same_texts(label)]
    return band_caption(*paired, of="of the differences, text by text")


def _alternative(comparison: Comparison, metric: str) -> str:
    opening = f"{over_depth(metric)}, variant minus baseline, a line chart"
    without = no_deltas(comparison, metric)
    unpaired = {label: UNPAIRED for label in comparison.variants if is_unpaired(comparison, label)}
    told = [_departure(comparison, metric, label) for label in comparison.variants if label not in without]
    told = [f"{opening}{'' if told else ', empty'}.", *told, *left_out(unpaired | without)]
    return " ".join(filter(None, [*told, compared_outliers(comparison)]))


def _departure(comparison: Comparison, metric: str, label: str) -> str:
    parting, largest = comparison.parting(metric, label), comparison.largest(metric, label)
    if parting is None or largest is None:
        return f"{visible(label)} nowhere differs from the baseline."
    most = f"by {signed(largest[1])} at most, at {points.title(largest[0])}"
    spread = delta_spreads(comparison, metric, label).get(largest[0])
    words = [mean_of(len(comparison.baseline.tokens), spread.count), spread.words] if spread else []
    return f"{visible(label)} differs from {points.title(parting)} on, {', '.join(filter(None, (most, *words)))}."


@figure(
    of=Comparison,
    title=lambda _, metric: f"{over_depth(metric)}: difference to the baseline",
    alternative=_alternative,
    file="{metric}_delta",
    needs=_needs,
    caption=_caption,
    pgfplots=True,
    beside="compared_curve",
)
def delta_curve(comparison: Comparison, metric: str, *, theme: Theme, selected: str | None = None) -> Drawn:
    """Variant minus baseline at the points of :func:`~oversmooth.report.figures.compared_curves.compared_curve`.

    Zero is the baseline. Several texts give the mean of their differences, with a bootstrap band of these pairs
    (:func:`oversmooth.core.resampling.band`); a variant that read other texts than the baseline has no band. A ring
    marks the first point at which a variant differs from it. Variants that have no differences are named above the
    chart, with the reason. Without differences, the figure is blank and says why. ``selected`` is a point of the
    baseline to mark.
    """
    if metric not in comparison.baseline.metrics:
        return blank(f"{unmeasured(metric)}.", theme, height=HEIGHT)
    named = {side.label: side for side in sides(comparison, theme)}
    without = no_deltas(comparison, metric)
    remarks = by_reason({named[label].name: why for label, why in without.items()})
    drawn = [side for label, side in named.items() if label in comparison.variants and label not in without]
    if not drawn:
        return blank(" ".join(remarks) or "There is no variant to set against the baseline.", theme, height=HEIGHT)
    depths = Depths.of(comparison.baseline.main_points, [comparison.measurements[s.label].main_points for s in drawn])
    baseline = Series.of(comparison.baseline, metric)
    lines = [_line(comparison, metric, side, baseline, depths) for side in drawn]
    canvas = Canvas(theme)
    values = [value for line in lines for value in line.series.reach]
    # With room on both sides of zero, for the lines that stay there.
    canvas.value_axis.update(value_axis(min(0.0, *values), max(0.0, *values), ticks=6, from_zero=False))
    paired = [line.series for line in lines if not is_unpaired(comparison, line.side.label)]
    canvas.title_values(lines[0].series.axis_title, "variant − baseline", means(paired))
    canvas.value_axis.update(zeroline=True, zerolinecolor=theme.text, zerolinewidth=1.5)
    partings = {line.side: comparison.parting(metric, line.side.label) for line in lines}
    for line in lines:
        parting = partings[line.side]
        if parting is not None and parting in line.series.values:
            looks = {"size": 15, "symbol": "circle-open", "color": line.side.identity.colour, "line": {"width": 1.5}}
            canvas.add(x=line.at([parting]), y=[line.series.values[parting]], mode="markers", marker=looks)
    same = by_reason({side.name: "the same as the baseline everywhere" for side, at in partings.items() if at is None})
    ring = [RING] if any(partings.values()) else []
    unpaired = by_reason({side.name: UNPAIRED for side in drawn if is_unpaired(comparison, side.label)})
    return figure_of(canvas, lines, depths, remarks=[*remarks, *same, *unpaired, *ring], selected=selected)


def _line(comparison: Comparison, metric: str, side: NamedSide, theirs: Series, depths: Depths) -> Line:
    ours = Series.of(comparison.measurements[side.label], metric)
    deltas = comparison.deltas(metric, side.label)
    defined = {point: delta for point, delta in deltas.items() if math.isfinite(delta)}
    series = replace(
        ours,
        positions=depths.positions(ours.points),
        values=defined,
        spreads=delta_spreads(comparison, metric, side.label),
        missing={p: absence(comparison, metric, side.label, p) for p in deltas if p not in defined},
        unresolved=theirs.unresolved | ours.unresolved,
    )
    return Line(side, series, _words(comparison, side, theirs, ours, series), depths.axis(depths.blocks[0]))


def _words(comparison: Comparison, side: NamedSide, theirs: Series, ours: Series, series: Series) -> dict[str, str]:
    """What hover shows at each point: the difference, of a single text both values, and what to know about it."""
    words = {}
    for point in series.points:
        delta = signed(series.values.get(point, math.nan), 4)
        lines = [side.hover, points.title(point), f"<b>{delta}</b>", *series.spread(point)]
        before, after = theirs.values.get(beside(comparison, point)), ours.values.get(point)
        # Of several texts, the mean difference is over those that have a value on both sides.
        if before is not None and after is not None and not (theirs.texts or ours.texts):
            lines.append(f"{number(before, 4)} → {number(after, 4)}")
        lines += [escape(notes[point]) for notes in (series.missing, series.unresolved) if point in notes]
        words[point] = "<br>".join(lines)
    return words
