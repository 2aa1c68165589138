"""Similarity maps of the sides of a comparison on one colour scale, and what a variant changes of the baseline's."""

from __future__ import annotations

import math

from oversmooth.core import points
from oversmooth.core.numerals import signed
from oversmooth.core.tokens import escape, visible
from oversmooth.report import alternatives
from oversmooth.report.figures.canvas import Drawn, blank
from oversmooth.report.figures.identity import sides
from oversmooth.report.figures.registry import Arguments, Asked, figure
from oversmooth.report.figures.similarity import COSINES, Scale, colour_range, similarity_title, token_map
from oversmooth.report.figures.theme import Theme
from oversmooth.report.findings.maps import difference_of_maps, incomparable_maps, kept_map, largest_difference
from oversmooth.results.comparison import Comparison

ORDER = 25

HEIGHT = 440
DIVERGING = ((0.0, "#250b58"), (0.25, "#6548a0"), (0.5, "#a8a8a8"), (0.75, "#eeb04e"), (1.0, "#ffe49c"))
"""Violet below zero, grey at zero, amber above: dark to light, so that the sign survives a print in grey."""


def _mapped(comparison: Comparison, asked: Asked) -> list[Arguments]:
    """The sides that have a map at the point."""
    return [
        {"label": label, "point": asked.point}
        for label, each in comparison.measurements.items()
        if each.similarity is not None and asked.point in each.points
    ]


def _differing(comparison: Comparison, asked: Asked) -> list[Arguments]:
    """The variants whose map can be set against the baseline's."""
    return [
        found
        for found in (_mapped(comparison, asked) if comparison.baseline.similarity is not None else [])
        if found["label"] != comparison.baseline_label and not incomparable_maps(comparison, found["label"])
    ]


def _difference_title(comparison: Comparison, label: str, point: str) -> str:
    words = f"{visible(label)} minus {comparison.baseline_label}"
    return f"Difference of the similarities at {points.title(point)}: {words}"


@figure(
    of=Comparison,
    title=lambda _, label, point: f"{similarity_title(point)}: {visible(label)}",
    alternative=alternatives.compared_map,
    file="similarity_{point}_{label}",
    needs=_mapped,
    definition=COSINES,
    of_the_text_shown=True,
)
def compared_map(comparison: Comparison, label: str, point: str, *, theme: Theme) -> Drawn:
    """Cosine of every pair of tokens of one side's text shown, on a colour scale shared by all sides and points.

    Args:
        comparison: what it belongs to.
        label: of the side.
        point: of that side; where it has no map there, the figure is blank and says why.
        theme: colours.
    """
    measurement = comparison.measurements[label]
    cosines, why = kept_map(measurement, point)
    if cosines is None:
        return blank(why, theme, height=HEIGHT)
    scale = Scale(*colour_range(comparison.measurements.values()))
    heading = _heading(comparison, label, points.title(point), theme)
    return token_map(measurement, cosines, scale, theme=theme, height=HEIGHT, heading=heading)


@figure(
    of=Comparison,
    title=_difference_title,
    alternative=alternatives.difference_map,
    file="difference_{point}_{label}",
    needs=_differing,
    definition="Each cell is the difference of two cosines of the angle between the states of two tokens.",
    of_the_text_shown=True,
)
def difference_map(comparison: Comparison, label: str, point: str, *, theme: Theme) -> Drawn:
    """Variant minus baseline of the cosine of every pair of tokens, on a scale shared by all variants and points.

    The scale reaches as far below zero as above. Only a variant with the baseline's tokens has differences.

    Args:
        comparison: what it belongs to.
        label: of the variant.
        point: of the variant; where either side has no map there, the figure is blank and says why.
        theme: colours.
    """
    difference, why = difference_of_maps(comparison, label, point)
    if difference is None:
        return blank(why, theme, height=HEIGHT)
    limit = _rounded_up(largest_difference(comparison))
    decimals = max(0, -math.floor(math.log10(limit) + 1e-9))
    scale = Scale(
        -limit,
        limit,
        title="Δ cosine",
        colours=DIVERGING,
        number=f"+.{decimals + 2}f",
        ticks={-limit: signed(-limit, 1), 0.0: "0", limit: signed(limit, 1)},
    )
    heading = _heading(comparison, label, f"minus {comparison.baseline_label}, {points.title(point)}", theme)
    return token_map(comparison.baseline, difference, scale, theme=theme, height=HEIGHT, heading=heading)


def _rounded_up(size: float) -> float:
    """The next number of one digit."""
    # Of maps that are the same, the scale would have no extent; below a thousandth, a cosine of float32 is rounding.
    size = max(size, 1e-3)
    power = 10.0 ** math.floor(math.log10(size))
    return math.ceil(size / power - 1e-6) * power


def _heading(comparison: Comparison, label: str, below: str, theme: Theme) -> list[str]:
    """The side's name, and in a line below what is shown of it."""
    side = next(each for each in sides(comparison, theme) if each.label == label)
    return [f"{side.identity.key} {side.markup}", escape(below)]
