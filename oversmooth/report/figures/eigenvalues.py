"""Eigenvalues of the value–output circuits in the complex plane."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.numerals import number
from oversmooth.core.wording import count
from oversmooth.metrics.mechanisms import registry
from oversmooth.report.figures.canvas import Canvas, Drawn, blank
from oversmooth.report.figures.dominance import KINDS, colour_of
from oversmooth.report.figures.labels import Entry, draw_key
from oversmooth.report.figures.registry import Arguments, Asked, figure
from oversmooth.report.figures.theme import Theme, translucent, value_axis
from oversmooth.report.findings.absences import explained, unexplained
from oversmooth.results.measurement import Measurement

ORDER = 65
HEIGHT: Final = 430
MOST_POINTS: Final = 6000
"""Eigenvalues that are drawn; of more, the largest of every head."""
_CORNERS: Final = 97
"""Of a circle."""
_MARKER: Final = 4


def _needs(measurement: Measurement, asked: Asked) -> list[Arguments]:
    """Of the block that a point belongs to; of the last for one outside the blocks."""
    if explained(measurement, "circuits", "eigenvalues") is None:
        return []
    block = asked.point.partition(".")[0]
    last = sum(map(points.is_block, measurement.points)) - 1
    return [{"layer": int(block) if block.isdecimal() else last}]


def _heading(_: Measurement, layer: int) -> str:
    return f"Eigenvalues of the value–output circuits of {points.title(points.block(layer))}"


@figure(
    of=Measurement,
    title=_heading,
    alternative=lambda _, layer: f"{_heading(_, layer)}. {registry.get('circuit_eigenvalues').reads}",
    file="circuit_eigenvalues_{layer}",
    needs=_needs,
    caption=lambda _, **__: "Eigenvalues are of the weights alone; which of them dominate is of the text shown.",
    declared=lambda _, **__: ("circuit_eigenvalues",),
)
def circuit_eigenvalues(
    measurement: Measurement, layer: int | None = None, *, theme: Theme, head: int | None = None
) -> Drawn:
    """Eigenvalues λ of the heads' circuits, with the unit circle, the disc |1 + λ| < 1 and the interval [−1, 0).

    Inside the disc, the residual update X + AXH shrinks what A keeps; in the interval it sharpens. Rings mark, in the
    shape and colour of their kind, the eigenvalues that dominate each head. Without a ``layer`` all blocks are drawn,
    in the colour of their depth; a ``head`` that is given is drawn strongly, the others faintly.
    """
    title = registry.get("circuit_eigenvalues").title
    circuits = explained(measurement, "circuits", "eigenvalues")
    if circuits is None:
        why = unexplained(measurement, "circuits", "they were not measured.")
        return blank(f"{title}: {why}", theme, height=HEIGHT)
    values = circuits["eigenvalues"].transpose("layer", "head", "component").values
    blocks, heads, size = values.shape
    layers = list(range(blocks)) if layer is None else [layer]
    kept = min(size, max(1, MOST_POINTS // (len(layers) * heads)))
    drawn = _largest(values[layers], kept)
    canvas = Canvas(theme)
    _axes(canvas, drawn)
    _regions(canvas)
    for place, number_of in enumerate(layers):
        share = 0.5 if len(layers) < 2 else place / (len(layers) - 1)
        colour = theme.accent if layer is not None else theme.depth_colour(share)
        _points(canvas, drawn[place], number_of, colour, head)
    green = theme.categories[2]
    key = [("◌", theme.muted, "unit circle"), ("▒", green, "|1 + λ| < 1"), ("━", green, "sharpening, −1 to 0")]
    key += _rings(canvas, measurement, layer, head) if layer is not None else []
    draw_key(canvas, key)
    told = [] if kept == size else [f"The {kept} largest of {size} eigenvalues of each of {count(heads, 'head')}"]
    if layer is None:
        way = "light to dark" if theme.name == "light" else "dark to light"
        told.append(f"All {blocks} blocks, from {way} with depth")
    else:
        told.append(f"Block {layer}, {count(heads, 'head')}" + ("" if head is None else f", head {head} strongly"))
    canvas.remarks(*told)
    return canvas.figure(HEIGHT, over=8)


def _largest(values: NDArray[np.complex128], kept: int) -> NDArray[np.complex128]:
    """The largest of each head, by modulus."""
    order = np.argsort(-np.nan_to_num(np.abs(values), nan=-1.0), axis=-1, kind="stable")[..., :kept]
    found: NDArray[np.complex128] = np.take_along_axis(values, order, axis=-1)
    return found


def _axes(canvas: Canvas, values: NDArray[np.complex128]) -> None:
    """A plane that holds the circles and all eigenvalues."""
    known = values[np.isfinite(values)]
    left, right = min([-2.1, *known.real.tolist()]), max([1.1, *known.real.tolist()])
    up = max([1.1, *np.abs(known.imag).tolist()])
    across = value_axis(left, right, ticks=6, from_zero=False)
    canvas.depth_axis.update(across, title={"text": "real part"}, zeroline=True, showgrid=True)
    canvas.depth_axis.update(zerolinecolor=canvas.theme.grid, zerolinewidth=1, gridcolor=canvas.theme.grid, gridwidth=1)
    canvas.value_axis.update(value_axis(-up, up, ticks=6, from_zero=False), title={"text": "imaginary part"})
    canvas.value_axis.update(dtick=across["dtick"], tickformat=across["tickformat"])
    for axis in (canvas.depth_axis, canvas.value_axis):
        # Found anew for each size: the browser would keep a range that it had to widen for a wider screen.
        axis.update(constrain="range", autorange=True, autorangeoptions={"include": axis["range"]})
    canvas.depth_axis.update(constraintoward="left")
    canvas.value_axis.update(scaleanchor="x")


def _regions(canvas: Canvas) -> None:
    theme = canvas.theme
    turn = np.linspace(0, 2 * math.pi, _CORNERS)
    disc = {"mode": "none", "fill": "toself", "fillcolor": translucent(theme.categories[2], theme.band)}
    canvas.add(x=(np.cos(turn) - 1).tolist(), y=np.sin(turn).tolist(), **disc)
    dashed = {"color": theme.muted, "width": 1, "dash": "dash"}
    canvas.add(x=np.cos(turn).tolist(), y=np.sin(turn).tolist(), mode="lines", line=dashed)
    canvas.add(x=[-1, 0], y=[0, 0], mode="lines", line={"color": theme.categories[2], "width": 5})


def _points(canvas: Canvas, values: NDArray[np.complex128], layer: int, colour: str, head: int | None) -> None:
    """One trace for all heads, or one of the head chosen before one of the others."""
    groups = {False: list(range(len(values)))} if head is None else {}
    if head is not None:
        groups = {True: [each for each in range(len(values)) if each != head], False: [head]}
    for faint, heads in groups.items():
        owners = np.repeat(heads, values.shape[1])
        every = values[heads].ravel()
        known = np.isfinite(every)
        canvas.add(
            x=every.real[known].astype(np.float32),
            y=every.imag[known].astype(np.float32),
            customdata=owners[known].astype(np.int32),
            mode="markers",
            marker={"size": _MARKER if head is None or faint else _MARKER + 2,
                    "color": translucent(canvas.theme.muted, 0.35) if faint else colour},
            name=f"block {layer}",
            hovertemplate=f"block {layer}, head %{{customdata}}<br>λ = <b>%{{x:.3f}} + %{{y:.3f}} i</b><extra></extra>",
        )  # fmt: skip


def _rings(canvas: Canvas, measurement: Measurement, layer: int, head: int | None) -> list[Entry]:
    """The eigenvalue that dominates each head, by kind; gives back what they are called."""
    dominance = explained(measurement, "dominance", "circuit_eigenvalue")
    if dominance is None:
        return []
    found = dominance.sel(layer=layer)
    key = []
    for kind, (symbol, _, glyph) in KINDS.items():
        heads = [
            each
            for each in range(found.sizes["head"])
            if str(found["dominant_kind"].values[each]) == kind and head in (None, each)
        ]
        if not heads:
            continue
        values, partners = (found[f"{side}_eigenvalue"].values[heads] for side in ("circuit", "attention"))
        gains = found["dominant_gain"].values[heads]
        words = [
            f"block {layer}, head {each}: {kind}<br>|1 + λᴴλᴬ| = <b>{number(float(gain), 4)}</b>"
            f"<br>λᴴ = {complex_number(value)}<br>λᴬ = {complex_number(partner)}"
            for each, value, partner, gain in zip(heads, values, partners, gains, strict=True)
        ]
        colour = colour_of(canvas.theme, kind)
        canvas.add(
            x=values.real.tolist(), y=values.imag.tolist(), mode="markers",
            marker={"size": 11, "symbol": f"{symbol}-open", "color": colour, "line": {"width": 2}},
            text=words, name=kind,
        )  # fmt: skip
        key.append((glyph, colour, f"dominates: {kind}"))
    return key


def complex_number(value: complex) -> str:
    """``0.5``, ``0.5 + 0.1 i``, ``−0.2 − 0.1 i``."""
    real, imaginary = number(float(value.real)), number(abs(float(value.imag)))
    if value.imag == 0:
        return real
    return f"{real} {'−' if value.imag < 0 else '+'} {imaginary} i"
