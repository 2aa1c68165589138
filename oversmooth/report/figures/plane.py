"""Diversity against fidelity: one marker a variant, and the controls as lines to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise

from oversmooth import metrics as metric_registry
from oversmooth.core import points
from oversmooth.core.numerals import number
from oversmooth.core.tokens import escape, visible
from oversmooth.report.figures.canvas import Canvas, Drawn, blank
from oversmooth.report.figures.choosing import metrics_of
from oversmooth.report.figures.identity import NamedSide, left_out, shortened, sides
from oversmooth.report.figures.labels import (
    CHARACTER,
    LABEL_LINE,
    PHONE,
    Box,
    Words,
    anchored,
    broken_name,
    legend,
    place,
)
from oversmooth.report.figures.registry import Arguments, Asked, figure
from oversmooth.report.figures.series import axis_title
from oversmooth.report.figures.theme import Theme, value_axis
from oversmooth.report.findings.absences import by_reason
from oversmooth.report.findings.collapse import compared_outliers
from oversmooth.report.findings.comparisons import known_texts, plane_positions
from oversmooth.report.findings.spread import mean_of
from oversmooth.results.comparison import Comparison

ORDER = 35
KEPT = "cka_to_baseline"
"""What is left of the baseline's states, where nothing else is asked for."""
CHART = 330
"""Height of the chart between its axes, in pixels."""
BELOW = 76
"""Pixels that the fidelity axis takes."""
ENDS: Mapping[str, tuple[str, str]] = {
    "token_cosine": ("tokens differ", "tokens alike"),
    "token_cosine_centred": ("tokens differ", "tokens alike"),
    "rbf_distance": ("tokens differ", "tokens alike"),
    "cls_uniformity": ("[CLS] apart", "[CLS] like the tokens"),
    "effective_rank": ("few directions", "many directions"),
    "rankme": ("few directions", "many directions"),
    "stable_rank": ("few directions", "many directions"),
    "participation_ratio": ("few directions", "many directions"),
    "numerical_rank": ("few directions", "many directions"),
    "matrix_entropy": ("few directions", "many directions"),
    "explained_variance_1": ("many directions", "one direction"),
    "distance_to_mean": ("tokens alike", "tokens differ"),
    "high_frequency_share": ("tokens alike", "tokens differ"),
    "dirichlet_energy": ("tokens alike", "tokens differ"),
    "cka_to_baseline": ("other states", "the baseline’s states"),
    "pooled_cosine_to_baseline": ("another mean token", "the baseline’s mean token"),
    "lsds": ("neighbourhoods kept", "broken up"),
    "token_identity_retrieval": ("tokens not told apart", "tokens known"),
}
"""What the low and the high end of a metric mean, by name; neither is the better one."""

_CONTROL_DASHES = ("solid", "dot", "dash", "dashdot")
_WIDTH = PHONE - 60
_CONTROL_CHARACTERS = 24
_STEPS = 24


@dataclass(frozen=True)
class _Control:
    """One sweep, from the baseline on, in order of strength."""

    title: str
    path: Sequence[tuple[float, float]]
    words: Sequence[str]


def plane_title(point: str, diversity: str, fidelity: str) -> str:
    """The heading of a plane of two metrics."""
    words = " against ".join(metric_registry.get(name).title for name in (diversity, fidelity))
    return f"{words} at {points.title(point)}"


def _needs(comparison: Comparison, asked: Asked) -> list[Arguments]:
    """Of the first metric chosen; the baseline's points alone can be read, and not those inside a block."""
    if KEPT not in metrics_of(comparison) or asked.point not in comparison.baseline.main_points:
        return []
    every = (*asked.metrics, *comparison.baseline.metrics)
    diversity = next(name for name in every if name in metric_registry.names())
    return [{"point": asked.point, "diversity": diversity, "fidelity": KEPT, "controls": {}}]


def _alternative(
    comparison: Comparison, point: str, *, diversity: str, fidelity: str, controls: Mapping[str, Comparison]
) -> str:
    found, without = plane_positions(comparison, point, diversity=diversity, fidelity=fidelity)
    told = [f"{visible(label)}: {number(y)} at {number(x)}." for label, (x, y) in found.items()]
    sweeps = []
    for title, sweep in controls.items():
        path = list(plane_positions(sweep, point, diversity=diversity, fidelity=fidelity)[0].values())
        if len(path) > 1:
            (x, y), (u, v) = path[0], path[-1]
            sweeps.append(
                f"{visible(title)}, a control, runs from {number(y)} at {number(x)} to {number(v)} at {number(u)}."
            )
    means = mean_of(len(comparison.baseline.tokens))
    opening = f"{plane_title(point, diversity, fidelity)}, a scatter chart{means and f', {means}'}."
    told = [opening, *told, *sweeps, *left_out(without), compared_outliers(comparison)]
    return " ".join(filter(None, told))


@figure(
    of=Comparison,
    title=lambda _, point, diversity, fidelity, **__: plane_title(point, diversity, fidelity),
    alternative=_alternative,
    file="plane_{point}",
    needs=_needs,
    declared=lambda _, diversity, fidelity, **__: (fidelity, diversity),
)
def fidelity_plane(
    comparison: Comparison,
    point: str,
    *,
    diversity: str = "token_cosine",
    fidelity: str = "cka_to_baseline",
    controls: Mapping[str, Comparison],
    theme: Theme,
) -> Drawn:
    """One marker a side: what it keeps of the baseline's states across, how alike its tokens are upwards.

    Of several texts it stands at their means. A side of another model or text, and one without either number, is named
    above the chart with the reason. Where the point is the baseline's last block, each side is read at its own end. The
    baseline itself stands at 1 unless its fidelity was measured. ``controls`` are sweeps of one control over the same
    baseline by their titles, variants in order of strength.
    """
    found, without = plane_positions(comparison, point, diversity=diversity, fidelity=fidelity)
    named = sides(comparison, theme)
    remarks = by_reason({side.name: without[side.label] for side in named if side.label in without})
    drawn = [side for side in named if side.label in found]
    if not any(side.label in comparison.variants for side in drawn):
        return blank(" ".join(["No variant to place.", *remarks]), theme, height=CHART + BELOW)
    sweeps = [_control(title, each, point, diversity, fidelity) for title, each in controls.items()]
    sweeps = [sweep for sweep in sweeps if sweep.path]
    canvas = Canvas(theme)
    every = [*found.values(), *(position for sweep in sweeps for position in sweep.path)]
    for axis, metric, values in (
        (canvas.depth_axis, fidelity, [x for x, _ in every]),
        (canvas.value_axis, diversity, [y for _, y in every]),
    ):
        axis.update(value_axis(min(values), max(values), ticks=5, from_zero=False))
        axis["title"] = {"text": _axis_title(metric)}
    for sweep, dash in zip(sweeps, cycle(_CONTROL_DASHES), strict=False):
        _draw_control(canvas, sweep, dash)
    for side in drawn:
        known = (known_texts(comparison, side.label, point, metric) for metric in (fidelity, diversity))
        means = [mean_of(len(comparison.baseline.tokens), each) for each in known]
        _draw_side(canvas, side, found[side.label], _numbers(found[side.label], diversity, fidelity, means))
    below = _name(canvas, drawn, found, sweeps)
    place = ", ".join(filter(None, (f"At {points.title(point)}", mean_of(len(comparison.baseline.tokens)))))
    canvas.remarks(place, *remarks)
    return canvas.figure(CHART + BELOW + below, over=16)


def _axis_title(metric: str) -> str:
    low, high = ENDS.get(metric, ("", ""))
    return escape(axis_title(metric)) + (f"<br>← {low}    {high} →" if low else "")


def _control(title: str, sweep: Comparison, point: str, diversity: str, fidelity: str) -> _Control:
    found, _ = plane_positions(sweep, point, diversity=diversity, fidelity=fidelity)
    words = [
        f"{escape(visible(label))}<br>{_numbers(position, diversity, fidelity)}" for label, position in found.items()
    ]
    # Of a baseline alone there is no line.
    return _Control(title, list(found.values()) if len(found) > 1 else [], words)


def _numbers(position: tuple[float, float], diversity: str, fidelity: str, means: Sequence[str] = ("", "")) -> str:
    """Both values in lines, each with what it is the mean of."""
    lines = []
    for metric, value, mean in zip((fidelity, diversity), position, means, strict=True):
        name = escape(metric_registry.get(metric).title)
        lines.append(f"{name} <b>{number(value, 4)}</b>{mean and f', {mean}'}")
    return "<br>".join(lines)


def _draw_control(canvas: Canvas, sweep: _Control, dash: str) -> None:
    canvas.add(
        x=[x for x, _ in sweep.path],
        y=[y for _, y in sweep.path],
        mode="lines+markers",
        line={"color": canvas.theme.muted, "width": 1, "dash": dash},
        marker={"size": 4, "color": canvas.theme.muted},
        text=[f"{escape(sweep.title)}<br>{words}" for words in sweep.words],
    )


def _draw_side(canvas: Canvas, side: NamedSide, position: tuple[float, float], words: str) -> None:
    looks = side.identity
    canvas.add(
        x=[position[0]],
        y=[position[1]],
        mode="markers",
        name=side.markup,
        showlegend=True,
        marker={"size": 11, "symbol": looks.symbol, "color": looks.colour},
        text=[f"{side.hover}<br>{words}"],
    )


def _name(
    canvas: Canvas, drawn: Sequence[NamedSide], found: Mapping[str, tuple[float, float]], sweeps: Sequence[_Control]
) -> int:
    """Words beside the ends of the controls, and beside every side or, where they do not fit, in a legend."""
    taken = [_box(canvas, found[side.label], 6) for side in drawn]
    taken += [_box(canvas, position, 3) for sweep in sweeps for position in _along(sweep.path)]
    titles = [[shortened(visible(sweep.title), _CONTROL_CHARACTERS)] for sweep in sweeps]
    names = [broken_name(side.name) for side in drawn]
    ends = [_words(canvas, sweep.path[-1], title) for sweep, title in zip(sweeps, titles, strict=True)]
    beside = [_words(canvas, found[side.label], name or [side.name]) for side, name in zip(drawn, names, strict=True)]
    ways = place([*ends, *beside], taken, _WIDTH, CHART)
    for sweep, title, words, way in zip(sweeps, titles, ends, ways, strict=False):
        _note(canvas, sweep.path[-1], title, words, way or (-1, 0), canvas.theme.muted)
    if None in names or None in ways[len(ends) :]:
        return legend(canvas, drawn)
    for side, name, words, way in zip(drawn, names, beside, ways[len(ends) :], strict=True):
        if name is not None and way is not None:
            _note(canvas, found[side.label], name, words, way, canvas.theme.text)
    return 0


def _along(path: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Positions on a line, close enough to each other that no words stand between them."""
    shares = [step / _STEPS for step in range(_STEPS + 1)]
    return [(x + s * (u - x), y + s * (v - y)) for (x, y), (u, v) in pairwise(path) for s in shares]


def _pixels(canvas: Canvas, position: tuple[float, float]) -> tuple[float, float]:
    (left, right), (low, high) = canvas.depth_axis["range"], canvas.value_axis["range"]
    return _WIDTH * (position[0] - left) / (right - left), CHART * (position[1] - low) / (high - low)


def _box(canvas: Canvas, position: tuple[float, float], reach: float) -> Box:
    x, y = _pixels(canvas, position)
    return Box(x - reach, y - reach, x + reach, y + reach)


def _words(canvas: Canvas, position: tuple[float, float], lines: Sequence[str]) -> Words:
    return Words(*_pixels(canvas, position), CHARACTER * max(map(len, lines)), LABEL_LINE * len(lines))


def _note(
    canvas: Canvas, position: tuple[float, float], lines: Sequence[str], words: Words, way: tuple[int, int], colour: str
) -> None:
    text = "<br>".join(map(escape, lines))
    canvas.note(text=text, x=position[0], y=position[1], yref="y", font={"color": colour}, **anchored(words, way))
