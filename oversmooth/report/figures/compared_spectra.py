"""Singular values of the tokens at one point, of all sides of a comparison."""

from __future__ import annotations

from oversmooth.core import points
from oversmooth.core.tokens import visible
from oversmooth.report.figures.canvas import Canvas, Drawn, blank
from oversmooth.report.figures.identity import NamedSide, left_out, sides, sides_in_words
from oversmooth.report.figures.labels import legend
from oversmooth.report.figures.registry import figure
from oversmooth.report.figures.spectrum import (
    SINGULAR_VALUES,
    axes_of,
    draw_resolution,
    draw_strongly,
    extent_of,
    needed_spectra,
    spectrum_in_words,
    spectrum_title,
)
from oversmooth.report.figures.theme import Theme
from oversmooth.report.findings.absences import Float64, by_reason, no_spectrum, singular_values
from oversmooth.results.comparison import Comparison

ORDER = 30
HEIGHT = 520
_MARKERS = 12
"""Markers along a line of many components: enough to tell it from the others."""


def _alternative(comparison: Comparison, point: str, *, centred: bool, **_: bool) -> str:
    sides = comparison.measurements
    without = {label: no_spectrum(each, point, centred=centred) for label, each in sides.items()}
    found = {label: each for label, each in sides.items() if not without[label]}
    told = [f"{visible(label)}: {spectrum_in_words(each, point, centred=centred)}" for label, each in found.items()]
    opening = (
        f"Spectra of {sides_in_words(comparison)} at {points.title(point)}, line charts{'' if told else ', empty'}."
    )
    return " ".join([opening, *told, *left_out({label: why for label, why in without.items() if why})])


@figure(
    of=Comparison,
    title=lambda _, point, centred, **__: spectrum_title(point, centred),
    alternative=_alternative,
    file="spectra_{point}{centred}",
    needs=needed_spectra,
    definition=SINGULAR_VALUES,
    of_the_text_shown=True,
)
def compared_spectra(comparison: Comparison, point: str, *, centred: bool, logarithmic: bool, theme: Theme) -> Drawn:
    """Singular values of each side's text shown, at one point, and below them the share of the energy in the first k.

    Values below the resolution of their passes are grey, and the resolutions are dashed lines where they are in view.
    Sides without a spectrum there are named above the chart, with the reason. On a logarithmic axis, values of exactly
    0 are left out.
    """
    named = sides(comparison, theme)
    without = {side: no_spectrum(comparison.measurements[side.label], point, centred=centred) for side in named}
    remarks = by_reason({side.name: why for side, why in without.items() if why})
    drawn = [side for side in named if not without[side]]
    place = points.title(point)
    if not drawn:
        return blank(f"No spectrum at {place}: {' '.join(remarks)}", theme, height=HEIGHT)
    measured = [comparison.measurements[side.label] for side in drawn]
    values = [singular_values(each, point, centred=centred) for each in measured]
    floors = [float(each.spectra["floor"].sel(point=point).values[each.settings.shown]) for each in measured]
    extent = extent_of(measured, centred)
    canvas = Canvas(theme)
    for side, spectrum, floor in zip(drawn, values, floors, strict=True):
        _draw(canvas, side, spectrum, floor, place)
    draw_resolution(canvas, floors, comparison.baseline.settings.precision, extent, logarithmic)
    canvas.axes.update(axes_of(extent, max(len(each) for each in values), centred, logarithmic))
    canvas.remarks(f"At {place}", *remarks)
    return canvas.figure(HEIGHT + legend(canvas, drawn), over=16)


def _draw(canvas: Canvas, side: NamedSide, values: Float64, floor: float, place: str) -> None:
    looks = side.identity
    few = values.size <= 2 * _MARKERS
    marker = {"size": 7, "symbol": looks.symbol, "color": looks.colour, "maxdisplayed": 0 if few else _MARKERS}
    style = {"line": looks.line, "marker": marker, "name": side.markup, "mode": "lines+markers"}
    draw_strongly(canvas, values, floor, f"{side.hover}<br>{place}", showlegend=True, **style)
