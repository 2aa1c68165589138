"""How far tokens stand from zero before each norm."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from oversmooth.core.numerals import number
from oversmooth.metrics.mechanisms import registry
from oversmooth.report.figures.canvas import Canvas, Drawn, Pane, blank
from oversmooth.report.figures.labels import draw_key
from oversmooth.report.figures.panes import Scale, cells, over_blocks
from oversmooth.report.figures.registry import SHOWN, explained_by, figure
from oversmooth.report.figures.theme import Theme, value_axis
from oversmooth.report.findings.absences import explained, unexplained
from oversmooth.report.findings.readings import found_by
from oversmooth.report.findings.spread import shown_text
from oversmooth.results.measurement import Measurement

ORDER = 55
_PAGE_HEADING: Final = "What each norm divides the tokens by"
HEIGHT: Final = 400
_BELOW: Final = 46
_BINS: Final = 28
"""Of the histograms of one norm, over the range of all blocks."""
_DECADES: Final = 1.0
"""Range of the deviations from which on the bins are even on a logarithmic axis."""
NORMS: Final = {"attention": "norm of the attention branch", "mlp": "norm of the MLP branch"}


@figure(
    of=Measurement,
    title=lambda _: "Deviation of the tokens before each norm",
    heading=lambda _: _PAGE_HEADING,
    alternative=lambda measurement: f"{_PAGE_HEADING}. {found_by(measurement, 'norms')}",
    needs=explained_by("norms", "deviation"),
    caption=lambda _: SHOWN,
    declared=lambda _: ("norm_deviation", "negative_gains"),
)
def norm_deviation(measurement: Measurement, *, theme: Theme) -> Drawn:
    """Histograms of the tokens' deviations before both norms of each block, of the text shown, side by side.

    The smallest deviation, which decides the bound, is marked; the signs of the gains are told in words.
    """
    title = registry.get("norm_deviation").title
    found = explained(measurement, "norms", "deviation")
    if found is None:
        return blank(f"{title}: {unexplained(measurement, 'norms')}", theme, height=HEIGHT)
    deviations = found["deviation"].transpose("norm", "layer", "token")
    shown = [norm for norm in NORMS if np.isfinite(deviations.sel(norm=norm).values).any()]
    if not shown:
        return blank(f"{title}: {unexplained(measurement, 'norms', 'there is no norm.')}", theme, height=HEIGHT)
    bins = {norm: _Bins(deviations.sel(norm=norm).values) for norm in shown}
    canvas = Canvas(theme)
    blocks = deviations.sizes["layer"]
    height = HEIGHT if len(shown) > 1 else HEIGHT // 2
    axes = [bins[norm].axis() for norm in shown]
    panes = over_blocks(canvas, [NORMS[norm].replace("norm", "Norm", 1) for norm in shown], axes, blocks, height)
    counts = {norm: bins[norm].counts(deviations.sel(norm=norm).values) for norm in shown}
    most = max(float(np.nanmax(each)) for each in counts.values())
    scale = Scale(0.0, most, title="tokens", number=".0f", ticks={0.0: "0", most: number(most)})
    for pane, norm in zip(panes, shown, strict=True):
        cells(canvas, counts[norm], scale, pane, hover="block %{x}<br>tokens: ")
        _mark(canvas, deviations.sel(norm=norm), bins[norm], pane)
    draw_key(canvas, [("▼", theme.categories[1], "smallest of the block")])
    canvas.remarks(*_words(measurement, found))
    canvas.margin["b"] = _BELOW
    return canvas.figure(height + _BELOW + 4, over=4)


class _Bins:
    """Even bins over all deviations of one norm, on a linear or a logarithmic axis; positions count them from 0."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        known = values[np.isfinite(values) & (values > 0)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.5, 1.0)
        self.logarithmic = math.log10(high / low) > _DECADES
        start, end = (math.log10(low), math.log10(high)) if self.logarithmic else (min(low, 0.0), high)
        self.start, self.width = start, ((end - start) or 1.0) / _BINS

    def position(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """On an axis where bin k reaches from k − ½ to k + ½."""
        with np.errstate(divide="ignore"):
            scaled = np.log10(values) if self.logarithmic else values
        places: NDArray[np.float64] = (scaled - self.start) / self.width - 0.5
        return places

    def counts(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Tokens (bin, block) of deviations (block, token); NaN where there is none."""
        found = np.zeros((_BINS, len(values)))
        for block, row in enumerate(values):
            places = self.position(row[np.isfinite(row) & (row > 0)])
            np.add.at(found[:, block], np.clip(np.round(places).astype(int), 0, _BINS - 1), 1)
        return np.where(found > 0, found, np.nan)

    def axis(self) -> dict[str, Any]:
        """Round deviations as ticks at their positions."""
        end = self.start + _BINS * self.width
        if self.logarithmic:
            powers = range(math.floor(self.start), math.ceil(end) + 1)
            marks = np.array([factor * 10.0**power for power in powers for factor in (1, 3)])
        else:
            step = float(value_axis(self.start, end, ticks=5, from_zero=True)["dtick"])
            marks = np.arange(0.0, end + step / 2, step)
        places = self.position(marks)
        kept = [(float(place), mark) for place, mark in zip(places, marks, strict=True) if -0.6 <= place <= _BINS - 0.4]
        return {
            "tickvals": [place for place, _ in kept], "ticktext": [f"{mark:g}" for _, mark in kept],
            "range": [-0.7, _BINS - 0.3], "showgrid": False, "title": {"text": "deviation σ"},
        }  # fmt: skip


def _mark(canvas: Canvas, values: xr.DataArray, bins: _Bins, pane: Pane) -> None:
    rows = values.values
    known = [block for block, row in enumerate(rows) if np.isfinite(row).any()]
    least = np.array([np.nanmin(rows[block]) for block in known])
    looks = {"size": 8, "symbol": "triangle-down", "color": canvas.theme.categories[1]}
    words = [
        f"block {block}, smallest<br><b>{number(float(value), 4)}</b>"
        for block, value in zip(known, least, strict=True)
    ]
    canvas.add(
        pane,
        x=known,
        y=bins.position(least).tolist(),
        mode="markers",
        marker=looks | {"line": {"color": canvas.theme.paper, "width": 1}},
        text=words,
    )


def _words(measurement: Measurement, norms: xr.Dataset) -> Iterator[str]:
    yield shown_text(measurement)
    shares = norms["negative_gains"].transpose("norm", "layer")
    if not np.isfinite(shares.values).any():
        return
    if not (shares.values > 0).any():
        yield "No gain is negative"
        return
    norm, layer = np.unravel_index(int(np.nanargmax(shares.values)), shares.shape)
    share = 100 * float(shares.values[norm, layer])
    where = NORMS[str(shares["norm"].values[norm])]
    yield f"At most {number(share, 2)} % of a norm's gains are negative (block {int(layer)}, {where})"
