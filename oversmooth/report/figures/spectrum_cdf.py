"""Distribution of the singular values at every point."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.report.figures.canvas import Canvas, Drawn, blank
from oversmooth.report.figures.registry import figure
from oversmooth.report.figures.spectrum import SINGULAR_VALUES, depth_shares, name_depths
from oversmooth.report.figures.theme import Theme
from oversmooth.report.findings.absences import Float64, singular_values, spectrum_reason
from oversmooth.report.findings.readings import found_by
from oversmooth.report.findings.spread import shown_text
from oversmooth.results.measurement import Measurement

ORDER = 75

Float32 = NDArray[np.float32]
_PAGE_HEADING: Final = "Singular values relative to the largest: share below each size"
HEIGHT: Final = 340
MOST_VALUES: Final = 300
"""Steps of one line; of more values, evenly many shares."""


@figure(
    of=Measurement,
    title=lambda _: "Distribution of the singular values at every point",
    heading=lambda _: _PAGE_HEADING,
    alternative=lambda measurement: f"{_PAGE_HEADING}. {found_by(measurement, 'spectrum')}",
    needs=lambda measurement, _: [] if measurement.explanation is None else [{}],
    definition=SINGULAR_VALUES,
    of_the_text_shown=True,
)
def spectrum_cdf(measurement: Measurement, *, theme: Theme) -> Drawn:
    """Share of the singular values that are at most x times the largest, of the text shown, a line for each main point.

    A line that rises at once is a spectrum that few directions carry. The colour is the depth.
    """
    canvas = Canvas(theme)
    shares = depth_shares(measurement)
    for name, depth in shares.items():
        values = singular_values(measurement, name, centred=False)
        if values.size and values[0] > 0:
            at, rank = _steps(values / values[0])
            line = {"color": theme.depth_colour(depth), "width": 1.5}
            hover = f"{points.title(name)}<br><b>%{{y:.0%}}</b> of the values are at most %{{x:.3f}} σ₁<extra></extra>"
            canvas.add(x=at, y=rank, mode="lines", line=line, name=points.title(name), hovertemplate=hover)
    if not canvas.traces:
        first = measurement.main_points[0]
        why = spectrum_reason(measurement, first, centred=False)
        return blank(f"No spectrum at {points.title(first)}: {why}.", theme, height=HEIGHT)
    canvas.depth_axis.update(range=[-0.02, 1.02], dtick=0.2, tick0=0, tickformat=".1f", title={"text": "σ / σ₁"})
    canvas.value_axis.update(range=[0, 1.04], dtick=0.25, tick0=0, tickformat=".0%")
    canvas.title_values("share of the singular values")
    name_depths(canvas, measurement)
    canvas.above = 22
    canvas.remarks(shown_text(measurement))
    return canvas.figure(HEIGHT, over=4)


def _steps(values: Float64) -> tuple[Float32, Float32]:
    """The empirical distribution as a line with upright steps, thinned where there are many values."""
    ascending = values[::-1]
    size = len(ascending)
    kept = np.unique(np.round(np.linspace(0, size - 1, min(size, MOST_VALUES))).astype(int))
    after = (kept + 1) / size
    before = np.concatenate([[0.0], after[:-1]])
    at = np.repeat(ascending[kept], 2)
    rank = np.column_stack([before, after]).ravel()
    return np.append(at, 1.0).astype(np.float32), np.append(rank, 1.0).astype(np.float32)
