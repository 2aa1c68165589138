"""Cosine within texts and between them: what is over-smoothing, and what all texts share anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.resampling import band
from oversmooth.report.figures.canvas import Canvas, Drawn, Pane, blank
from oversmooth.report.figures.labels import draw_key
from oversmooth.report.figures.panes import MOST_TICKS, stacked
from oversmooth.report.figures.registry import explained_by, figure, over_texts
from oversmooth.report.figures.series import draw_means, positions, ticks
from oversmooth.report.figures.theme import Theme, value_axis
from oversmooth.report.findings.absences import explained, unexplained
from oversmooth.report.findings.collapse import outlier_sentence
from oversmooth.report.findings.whether import whether
from oversmooth.results.measurement import Measurement

ORDER = 80
_PAGE_HEADING: Final = "Cosine within a text and between texts"
CHART: Final = 150
"""Pixels of each of the three charts."""
_BELOW: Final = 60
FORMS: Final[Mapping[str, str]] = {
    "raw": "Raw",
    "centred": "Centred: less the mean token of all texts",
    "standardised": "Standardised: each dimension by its deviation",
}
LINES: Final[Mapping[str, tuple[str, str, str]]] = {
    "within": ("●", "circle", "within texts"),
    "between": ("■", "square", "between texts"),
    "difference": ("◆", "diamond", "within − between"),
}
"""Glyph, symbol and words of each line."""


def _alternative(measurement: Measurement) -> str:
    return " ".join(filter(None, (f"{_PAGE_HEADING}.", *whether(measurement), outlier_sentence(measurement))))


@figure(
    of=Measurement,
    title=lambda _: "Cosine within texts and between them",
    heading=lambda _: _PAGE_HEADING,
    alternative=_alternative,
    needs=explained_by("corpus", "within"),
    caption=over_texts,
    declared=lambda _: ("within_cosine", "between_cosine", "within_minus_between"),
)
def within_between(measurement: Measurement, *, theme: Theme) -> Drawn:
    """Cosine within texts, between texts and their difference over depth: raw, centred and standardised.

    What falls away when the mean token of all texts is removed was common to all of them. The line of what lies within
    has the bootstrap band of its mean over texts.
    """
    found = explained(measurement, "corpus", "within")
    if found is None:
        why = unexplained(measurement, "corpus")
        return blank(f"Cosine within and between texts: {why}", theme, height=CHART + _BELOW)
    names = [str(point) for point in found["point"].values if not points.is_sub_layer(str(point))]
    forms = [form for form in FORMS if form in found["form"].values]
    rows = {form: _rows(found.sel(form=form, point=names)) for form in forms}
    places = positions(names)
    canvas = Canvas(theme)
    where, labels = ticks(places, most=MOST_TICKS)
    ends = list(places.values())
    across = {"tickvals": where, "ticktext": labels, "tickangle": 0, "range": [min(ends) - 0.5, max(ends) + 0.5]}
    axes = [_axis(rows[form], theme) for form in forms]
    panes = stacked(
        canvas, [FORMS[form] for form in forms], across | {"title": {"text": "block"}}, axes, CHART * len(forms)
    )
    for pane, form in zip(panes, forms, strict=True):
        for line, values in rows[form].items():
            _draw(canvas, pane, line, values, places, names)
    draw_key(canvas, [(glyph, _colour(theme, line), words) for line, (glyph, _, words) in LINES.items()])
    canvas.remarks(over_texts(measurement).removesuffix("."), unexplained(measurement, "corpus", ""))
    canvas.margin["b"] = _BELOW
    return canvas.figure(CHART * len(forms) + _BELOW + 4, over=4)


Rows = Mapping[str, NDArray[np.float64]]


def _rows(found: xr.Dataset) -> dict[str, NDArray[np.float64]]:
    """Values, lower and upper ends of each line: shape (3, point)."""
    each = found["within_each"].transpose("input", "point").values
    spread = band(each)
    within, between = found["within"].values, found["between"].values
    none = np.full(within.shape, np.nan)
    return {
        "within": np.stack([within, spread.low, spread.high]),
        "between": np.stack([between, none, none]),
        "difference": np.stack([within - between, none, none]),
    }


def _axis(rows: Rows, theme: Theme) -> dict[str, object]:
    every = np.concatenate([values.ravel() for values in rows.values()])
    known = every[np.isfinite(every)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    return value_axis(low, max(high, low + 0.05), ticks=4, from_zero=True) | {
        "title": {"text": "cosine"}, "zeroline": True, "zerolinewidth": 1, "zerolinecolor": theme.muted,
    }  # fmt: skip


def _colour(theme: Theme, line: str) -> str:
    return {"within": theme.categories[0], "between": theme.categories[1], "difference": theme.text}[line]


def _draw(
    canvas: Canvas, pane: Pane, line: str, rows: NDArray[np.float64], places: Mapping[str, float], names: Sequence[str]
) -> None:
    _, symbol, title = LINES[line]
    dash = "dash" if line == "difference" else "solid"
    draw_means(
        canvas,
        pane,
        [places[point] for point in names],
        rows,
        [f"{points.title(name)}, {title}" for name in names],
        colour=_colour(canvas.theme, line),
        banded=bool(np.isfinite(rows).all()),
        line={"dash": dash},
        marker={"size": 6, "symbol": symbol},
        name=title,
    )
