"""Similarity maps of the sides of a comparison on one colour scale, and what a variant changes of the baseline's."""

from __future__ import annotations

from oversmooth.core import points
from oversmooth.core.tokens import escape, visible
from oversmooth.core.wording import count
from oversmooth.report.figures.canvas import Drawn, blank
from oversmooth.report.figures.identity import sides
from oversmooth.report.figures.panes import Scale, scale_around_zero
from oversmooth.report.figures.registry import Arguments, Asked, figure
from oversmooth.report.figures.similarity import (
    COSINES,
    colour_range,
    map_in_words,
    pairs_in_words,
    similarity_title,
    token_map,
)
from oversmooth.report.figures.theme import Theme
from oversmooth.report.findings.absences import difference_of_maps, incomparable_maps, kept_map, largest_difference
from oversmooth.report.findings.collapse import compared_outliers
from oversmooth.results.comparison import Comparison

ORDER = 25
HEIGHT = 440


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


def _difference_in_words(comparison: Comparison, label: str, point: str) -> str:
    difference, why = difference_of_maps(comparison, label, point)
    if difference is None:
        return f"{visible(label)}: {why}"
    variant = comparison.measurements[label]
    tokens = count(len(variant.shown.measured), "token")
    opening = f"Heat map of the cosine between {tokens} at {points.title(point)}, {visible(label)} minus the baseline"
    told = f"{opening}: {pairs_in_words(variant, difference)}."
    return " ".join(filter(None, (told, compared_outliers(comparison))))


@figure(
    of=Comparison,
    title=lambda _, label, point: f"{similarity_title(point)}: {visible(label)}",
    alternative=lambda comparison, label, point: (
        f"{visible(label)}: {map_in_words(comparison.measurements[label], point)}"
    ),
    file="similarity_{point}_{label}",
    needs=_mapped,
    definition=COSINES,
    of_the_text_shown=True,
)
def compared_map(comparison: Comparison, label: str, point: str, *, theme: Theme) -> Drawn:
    """Cosine of every pair of tokens of one side's text shown, on a colour scale shared by all sides and points.

    Where the side has no map at the point, the figure is blank and says why.
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
    alternative=_difference_in_words,
    file="difference_{point}_{label}",
    needs=_differing,
    definition="Each cell is the difference of two cosines of the angle between the states of two tokens.",
    of_the_text_shown=True,
)
def difference_map(comparison: Comparison, label: str, point: str, *, theme: Theme) -> Drawn:
    """Variant minus baseline of the cosine of every pair of tokens, on a scale shared by all variants and points.

    The scale reaches as far below zero as above. Only a variant with the baseline's tokens has differences. Where
    either side has no map at the point, the figure is blank and says why.
    """
    difference, why = difference_of_maps(comparison, label, point)
    if difference is None:
        return blank(why, theme, height=HEIGHT)
    scale = scale_around_zero(largest_difference(comparison), "Δ cosine")
    heading = _heading(comparison, label, f"minus {comparison.baseline_label}, {points.title(point)}", theme)
    return token_map(comparison.baseline, difference, scale, theme=theme, height=HEIGHT, heading=heading)


def _heading(comparison: Comparison, label: str, below: str, theme: Theme) -> list[str]:
    """The side's name, and in a line below what is shown of it."""
    side = next(each for each in sides(comparison, theme) if each.label == label)
    return [f"{side.identity.key} {side.markup}", escape(below)]
