"""The linear recurrence: input convergence, angle convergence and rank collapse over depth, and what decides them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from oversmooth.core.numerals import number
from oversmooth.metrics.numerics import Float64
from oversmooth.metrics.toy import DIMENSIONS, FLOOR, WIDEST, Toy
from oversmooth.report.figures.canvas import Canvas, Drawn, Pane
from oversmooth.report.figures.theme import Theme

HEIGHT: Final = 620
START: Final = 0.5
"""Where step 0 stands on the logarithmic axis."""
SHARPENING: Final = (-1.0, 0.0)
"""Eigenvalues of H that keep tokens apart, where X_l is added."""

_RATIO, _ANGLE, _RANK, _EIGENVALUES = ("", "2", "3", "4")
"""Numbers of the four charts' axes, from above."""
_DOMAINS: Final = {_RATIO: [0.74, 1.0], _ANGLE: [0.49, 0.67], _RANK: [0.265, 0.425], _EIGENVALUES: [0.0, 0.13]}


def toy_figure(toy: Toy, *, theme: Theme) -> Drawn:
    """Three readings of one recurrence over its steps, each with whether its limit was reached, above the eigenvalues.

    The ratio of high to low frequencies is drawn on a logarithmic axis and not below the floor of float64. In the
    lowest chart, the pair of eigenvalues that decides the limit is ringed.
    """
    canvas = Canvas(theme)
    _ratio(canvas, toy)
    _angles(canvas, toy)
    _rank(canvas, toy)
    _eigenvalues(canvas, toy)
    _steps(canvas, toy)
    canvas.margin["r"] = 16
    return canvas.figure(HEIGHT, over=28)


def _ratio(canvas: Canvas, toy: Toy) -> None:
    shown = np.maximum(toy.ratio, FLOOR)
    floored = toy.ratio < FLOOR
    words = [
        "below the floor of float64" if low else number(value, 3)
        for low, value in zip(floored, toy.ratio.tolist(), strict=True)
    ]
    _line(canvas, toy, _RATIO, shown, words)
    low, high = math.log10(float(shown.min())), math.log10(float(shown.max()))
    ends = [low - 0.5, max(high, low + 1) + 0.5]
    canvas.value_axis.update(
        type="log", range=ends, dtick=max(1, math.ceil((ends[1] - ends[0]) / 5)), domain=_DOMAINS[_RATIO], anchor="x"
    )
    canvas.title_values("HFC/LFC")
    _heading(canvas, _RATIO, "Input convergence", toy.input_converged)
    if floored.any():
        canvas.level(FLOOR, color=canvas.theme.muted, width=1, dash="dash")
        place = {"x": 0, "xref": "x domain", "xanchor": "left", "yanchor": "bottom"}
        canvas.note(text="floor of float64", y=math.log10(FLOOR), yref="y", **place)


def _angles(canvas: Canvas, toy: Toy) -> None:
    _line(canvas, toy, _ANGLE, toy.cosine, [number(value, 3) for value in toy.cosine.tolist()], dash="dash")
    _line(canvas, toy, _ANGLE, toy.absolute_cosine, [number(value, 3) for value in toy.absolute_cosine.tolist()])
    # The mean cosine of 16 tokens is at least −1/15, so there is room for the key below.
    _panel(canvas, _ANGLE, range=[-0.5, 1.1], tickvals=[0, 0.5, 1], title={"text": "cosine"})
    key = f'<span style="color:{canvas.theme.accent}">━</span> mean |cosine|   '
    key += f'<span style="color:{canvas.theme.muted}">╌</span> mean cosine'
    place = {"x": 1, "xref": "x2 domain", "xanchor": "right", "yref": "y2 domain"}
    canvas.note(text=key, y=0, yanchor="bottom", yshift=2, **place)
    _heading(canvas, _ANGLE, "Angle convergence", toy.angles_converged)


def _rank(canvas: Canvas, toy: Toy) -> None:
    _line(canvas, toy, _RANK, toy.effective_rank, [number(value, 3) for value in toy.effective_rank.tolist()])
    _panel(canvas, _RANK, range=[0.6, DIMENSIONS + 0.4], tickvals=[1, 4, 8], title={"text": "effective rank"})
    _heading(canvas, _RANK, "Rank collapse", toy.rank_collapsed)


def _eigenvalues(canvas: Canvas, toy: Toy) -> None:
    """Those of H in the upper row, those of A in the lower one."""
    theme, mode = canvas.theme, toy.dominating
    dot = {"size": 7, "color": theme.text, "line": {"width": 0}}
    ring = {"size": 14, "symbol": "circle-open", "color": theme.accent, "line": {"width": 2}}
    for values, row, name in ((toy.weight_eigenvalues, 1.0, "H"), (toy.attention_eigenvalues, 0.0, "A")):
        _markers(canvas, values, row, name, dot)
        if mode is not None:
            _markers(canvas, np.array([mode.weight if name == "H" else mode.attention]), row, name, ring)
    if toy.settings.residual:
        left, right = SHARPENING
        canvas.shape(
            type="rect", x0=left, x1=right, y0=0.5, y1=1.5, xref="x4", yref="y4", line={"width": 0},
            fillcolor=theme.grid,
        )  # fmt: skip
    canvas.axes["xaxis4"] = {
        "range": [-WIDEST - 0.2, WIDEST + 0.2], "tickvals": [-3, -2, -1, 0, 1, 2, 3], "anchor": "y4",
        "title": {"text": "eigenvalue"},
    }  # fmt: skip
    _panel(canvas, _EIGENVALUES, range=[-0.5, 1.5], tickvals=[0, 1], ticktext=["of A", "of H"], showgrid=False)
    ringed = "Ringed: what decides" if mode is not None else "All gains are 1"
    _above(canvas, _EIGENVALUES, ringed + ("; shaded: sharpening" if toy.settings.residual else ""))


def _steps(canvas: Canvas, toy: Toy) -> None:
    """One logarithmic axis of steps below the third chart; the charts above it share it."""
    depth = toy.settings.depth
    powers = [10**power for power in range(4) if 10**power <= depth]
    ends = [math.log10(START) - 0.04, math.log10(max(depth, 2 * START)) + 0.04]
    axis = {"type": "log", "range": ends, "tickvals": [START, *powers], "ticktext": ["0", *map(number, powers)]}
    hidden = {"showticklabels": False, "ticks": "", "matches": "x3"}
    canvas.depth_axis.update(axis, anchor="y", **hidden)
    canvas.axes["xaxis2"] = {**axis, "anchor": "y2", **hidden}
    canvas.axes["xaxis3"] = {**axis, "anchor": "y3", "title": {"text": "step"}}


def _panel(canvas: Canvas, panel: str, **settings: Any) -> None:  # noqa: ANN401  plotly's own keywords
    canvas.axes[f"yaxis{panel}"] = {"domain": _DOMAINS[panel], "anchor": f"x{panel}", **settings}


def _line(canvas: Canvas, toy: Toy, panel: str, values: Float64, words: Sequence[str], *, dash: str = "solid") -> None:
    colour = canvas.theme.accent if dash == "solid" else canvas.theme.muted
    canvas.add(
        Pane(f"x{panel}", f"y{panel}"),
        x=[START, *toy.steps[1:].tolist()],
        y=values.tolist(),
        mode="lines",
        line={"color": colour, "width": 2, "dash": dash},
        text=[f"step {number(step)}<br><b>{word}</b>" for step, word in zip(toy.steps.tolist(), words, strict=True)],
    )


def _markers(canvas: Canvas, values: Float64, row: float, name: str, marker: dict[str, Any]) -> None:
    canvas.add(
        Pane(f"x{_EIGENVALUES}", f"y{_EIGENVALUES}"),
        x=values.tolist(),
        y=[row] * len(values),
        mode="markers",
        marker=marker,
        text=[f"eigenvalue of {name}<br><b>{number(value)}</b>" for value in values.tolist()],
    )


def _heading(canvas: Canvas, panel: str, limit: str, reached: bool) -> None:
    """Which limit a chart is about, and whether it was reached."""
    _above(canvas, panel, f"<b>{limit}: {'yes' if reached else 'no'}</b>")


def _above(canvas: Canvas, panel: str, text: str) -> None:
    """Words above the left end of a chart."""
    canvas.name_above(text, x=0, xref=f"x{panel} domain", yref=f"y{panel} domain", xanchor="left")
