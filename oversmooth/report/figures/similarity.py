"""How alike every pair of tokens is at one point."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence

import numpy as np

from oversmooth.core import points, tokens
from oversmooth.core.numerals import number
from oversmooth.core.wording import count
from oversmooth.metrics.similarity import averaged
from oversmooth.report.figures.canvas import Canvas, Drawn, blank
from oversmooth.report.figures.panes import Scale, heat, square_axes
from oversmooth.report.figures.registry import figure
from oversmooth.report.figures.theme import Theme
from oversmooth.report.findings.absences import Map, kept_map
from oversmooth.report.findings.collapse import outlier_sentence
from oversmooth.results.measurement import Measurement

ORDER = 20
HEIGHT = 520
MOST_ROWS = 256
"""Rows that are drawn; beyond them a cell is smaller than a pixel of most screens, and the page grows heavy."""
MOST_LABELS = 40
COSINES = "Each cell is the cosine of the angle between the states of two tokens."


def similarity_title(point: str) -> str:
    """The heading of a map of one point."""
    return f"Similarity of every pair of tokens at {points.title(point)}"


def map_in_words(measurement: Measurement, point: str) -> str:
    """Mean and extremes of the map of one point, or why there is none."""
    place = points.title(point)
    if measurement.similarity is None:
        return f"No similarity map at {place}: none was kept."
    if point not in measurement.points:
        return f"No similarity map at {place}: the model has no such point."
    cosines = measurement.similarity.sel(point=point).values
    if not np.isfinite(cosines).all():
        return f"No similarity map at {place}: {measurement.reason('similarity', point)}."
    opening = f"Heat map of the cosine between {count(len(measurement.shown.measured), 'token')} at {place}"
    return " ".join(
        filter(None, (f"{opening}: {pairs_in_words(measurement, cosines)}.", outlier_sentence(measurement, [point])))
    )


def pairs_in_words(measurement: Measurement, values: Map) -> str:
    """Mean and extremes of a map over pairs of different tokens."""
    if len(values) < 2:
        return "there is no pair to compare"
    names = tokens.rows(measurement.shown, measurement.similarity_factor)
    pairs = np.ma.masked_array(values, mask=np.eye(len(values), dtype=bool))

    def extreme(flat: int) -> str:
        row, column = divmod(flat, len(values))
        return f"{number(float(values[row, column]))} for {names[row]} and {names[column]}"

    mean = number(float(pairs.mean()))
    return f"mean {mean} over pairs, from {extreme(int(pairs.argmin()))} to {extreme(int(pairs.argmax()))}"


@figure(
    of=Measurement,
    title=lambda _, point: similarity_title(point),
    alternative=map_in_words,
    file="similarity_{point}",
    needs=lambda measurement, asked: [] if measurement.similarity is None else [{"point": asked.point}],
    definition=COSINES,
    of_the_text_shown=True,
)
def similarity_map(measurement: Measurement, point: str, *, theme: Theme) -> Drawn:
    """Cosine of every pair of measured tokens of the text shown, as a square map whose diagonal runs down.

    All points of a measurement share one colour scale, so that maps of two layers can be compared. Above
    ``MOST_ROWS`` rows, neighbouring tokens are averaged, and the map says how many.
    """
    cosines, why = kept_map(measurement, point)
    if cosines is None:
        return blank(why, theme, height=HEIGHT)
    return token_map(measurement, cosines, Scale(*colour_range([measurement])), theme=theme, height=HEIGHT)


def token_map(
    measurement: Measurement,
    values: Map,
    scale: Scale,
    *,
    theme: Theme,
    height: int,
    heading: Sequence[str] = (),
) -> Drawn:
    """A square map of one value for every pair of a measurement's tokens.

    Values are finite, one row for every ``similarity_factor`` tokens; ``heading`` are short lines above the map, as
    markup.
    """
    further = -(-len(values) // MOST_ROWS)
    factor = measurement.similarity_factor * further
    axis = tokens.axis(measurement.shown, factor, max_ticks=MOST_LABELS)
    few, many = len(axis.tick_values) <= 24, len(axis.tick_values) > 8
    axes = square_axes(axis.tick_values, axis.tick_labels, -90 if many else 0, 12 if few else 9)
    canvas = Canvas(theme, axes=axes)
    shown = averaged(values.astype(np.float64), further)
    canvas.traces.append(heat(shown, axis.categories, axis.categories, scale, "%{y} × %{x}: "))
    lines = list(heading)
    if factor > 1:
        words = f"Each cell is the mean over {factor} × {factor} neighbouring tokens"
        lines += textwrap.wrap(words, 36) if heading else [words]
    if lines:
        canvas.corner("<br>".join(lines), shift=38, size=12)
    return canvas.figure(height, over=46 + 18 * max(1, len(lines)))


def colour_range(measurements: Iterable[Measurement]) -> tuple[float, float]:
    """Lowest and highest cosine over all points of all of them, rounded outward to a tenth."""
    maps = [each.similarity.values for each in measurements if each.similarity is not None]
    # NaN, the only value that is not finite, is skipped without a copy of the rest.
    lowest = np.fmin.reduce([np.fmin.reduce(each, axis=None) for each in maps])
    highest = np.fmax.reduce([np.fmax.reduce(each, axis=None) for each in maps])
    # One part in a million keeps a float32 0.9 from being rounded to 1.0.
    low, high = float(lowest) + 1e-6, float(highest) - 1e-6
    top = math.ceil(10 * high) / 10
    # Of cosines that are all 1, the scale would have no extent.
    return min(math.floor(10 * low) / 10, round(top - 0.1, 1)), top
