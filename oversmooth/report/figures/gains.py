"""What each branch does to the mean token and to the rest."""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray as xr

from oversmooth.core.resampling import band
from oversmooth.core.tokens import escape
from oversmooth.report.figures.canvas import Canvas, Drawn, Pane, blank
from oversmooth.report.figures.labels import draw_key
from oversmooth.report.figures.panes import block_axis, log_axis, stacked
from oversmooth.report.figures.registry import figure
from oversmooth.report.figures.series import draw_means
from oversmooth.report.figures.theme import Theme
from oversmooth.report.findings.mechanisms import gain_sentence
from oversmooth.report.findings.spread import mean_of
from oversmooth.results import gains as measured
from oversmooth.results.measurement import Measurement

ORDER = 45
_PAGE_HEADING: Final = "What each branch does to the mean token (DC) and to the rest (HC)"
HEIGHT: Final = 380
_BELOW: Final = 44
_TITLES: Final = {"attention": "Attention branch", "mlp": "MLP branch"}
_PARTS: Final = {"constant": "constant part (DC)", "rest": "the rest (HC)"}
_FORMS: Final = {"branch": "branch alone", "stream": "with residual add"}
_SYMBOLS: Final = {"constant": "circle", "rest": "diamond"}


def _known(measurement: Measurement) -> bool:
    found = {} if measurement.explanation is None else measured.branch_gains(measurement)
    return any(values.notnull().any() for values in found.values())


@figure(
    of=Measurement,
    title=lambda _: "Gains of each branch: of the mean token and of the rest",
    heading=lambda _: _PAGE_HEADING,
    alternative=lambda measurement: f"{_PAGE_HEADING}. {gain_sentence(measurement)}".strip(),
    needs=lambda measurement, _: [{}] if _known(measurement) else [],
)
def branch_gains(measurement: Measurement, *, theme: Theme) -> Drawn:
    """Gains of the constant part and of the rest over depth, a chart for each branch, on one logarithmic axis.

    Dotted lines are of the branch alone, what it adds over what it reads; solid lines of the stream after over before
    the branch was added. At 1 nothing changes; where the constant part gains more than the rest, tokens grow alike.
    """
    found = measured.branch_gains(measurement)
    means = {str(name): values.mean("input", skipna=True) for name, values in found.items()}
    every = np.concatenate([values.values.ravel() for values in means.values()])
    drawn = every[np.isfinite(every) & (every > 0)]
    why = measured.missing_gains(measurement)
    if not drawn.size:
        return blank(why, theme, height=HEIGHT)
    canvas = Canvas(theme)
    axis = log_axis(min(float(drawn.min()), 0.9), max(float(drawn.max()), 1.1))
    axis["title"] = {"text": "gain"}
    shown = [branch for branch in _TITLES if any(each.sel(branch=branch).notnull().any() for each in means.values())]
    titles, height = [_TITLES[branch] for branch in shown], HEIGHT * len(shown) // len(_TITLES)
    panes = stacked(canvas, titles, block_axis(found.sizes["layer"]), [axis] * len(shown), height)
    for pane, branch in zip(panes, shown, strict=True):
        canvas.level(1, pane, color=theme.text, width=1)
        for form in _FORMS:
            for part in _PARTS:
                _draw(canvas, pane, found[f"{part}_{form}"].sel(branch=branch), part, form)
    key = [("●", _colour(theme, "constant"), _PARTS["constant"]), ("◆", _colour(theme, "rest"), _PARTS["rest"])]
    key += [("○", theme.text, f"hollow: {_FORMS['branch']}"), ("●", theme.text, f"solid: {_FORMS['stream']}")]
    draw_key(canvas, key)
    canvas.remarks(mean_of(len(measurement.tokens)), why)
    canvas.margin["b"] = _BELOW
    return canvas.figure(height + _BELOW + 8, over=8)


def _colour(theme: Theme, part: str) -> str:
    return theme.categories[0 if part == "constant" else 1]


def _draw(canvas: Canvas, pane: Pane, values: xr.DataArray, part: str, form: str) -> None:
    rows = np.array(band(values.transpose("input", "layer").values).rows).T
    if not np.isfinite(rows[0]).any():
        return
    rows[0, rows[0] <= 0] = np.nan
    colour, alone = _colour(canvas.theme, part), form == "branch"
    title = f"{escape(_PARTS[part])}, {_FORMS[form]}"
    line = {"width": 1.5 if alone else 2, "dash": "dot" if alone else "solid"}
    fill, outline = canvas.theme.paper if alone else colour, {"color": colour, "width": 1.5}
    marker = {"size": 6, "symbol": _SYMBOLS[part], "color": fill, "line": outline}
    names = [f"block {layer}, {title}" for layer in range(rows.shape[1])]
    draw_means(canvas, pane, range(len(names)), rows, names, colour=colour, line=line, marker=marker, name=title)
