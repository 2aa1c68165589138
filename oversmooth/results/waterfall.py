"""Where a metric changes: its steps over the sub-layers of each block, and the gains of the branches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.resampling import band
from oversmooth.core.wording import enumerated

if TYPE_CHECKING:
    from oversmooth.results.measurement import Measurement

Detail = Literal["parts", "stream", "blocks"]
"""``parts``: between all points, those off the stream (what a branch reads and adds) included. ``stream``: between the
points of the residual stream alone, so that a branch and its residual add are one step. ``blocks``: whole blocks."""
Role = Literal["attention", "mlp", "add", "norm", "block"]
"""What a step is mostly of."""

MOST_PARTS: Final = 12
"""Blocks of which every part can be told apart in one chart."""
MOST_STREAM: Final = 32
"""Blocks of which the steps of the stream can."""
_OFF_STREAM: Final = ("attention_read", "attention_branch", "mlp_branch")
_BEFORE_MLP: Final = "attention_norm"
_PRE: Final[Mapping[str, str]] = {
    "attention_read": "norm before attention",
    "attention_branch": "attention branch",
    "attention": "residual add",
    "attention_norm": "norm before MLP",
    "mlp_branch": "MLP branch",
    "": "residual add",
}
"""Pre-norm families: what leads to each point inside a block, and to its output."""
_POST: Final[Mapping[str, str]] = {
    "attention_branch": "attention branch",
    "attention": "residual add",
    "attention_norm": "attention output norm",
    "mlp_branch": "MLP branch",
    "mlp": "residual add",
    "": "MLP output norm",
}
"""Post-norm families."""
_BRANCH_OF: Final[Mapping[str, str]] = {"attention_read": "attention_branch", "attention_norm": "mlp_branch"}
"""The branch that reads each norm of a pre-norm family."""
Values = NDArray[np.float64]
WHOLE: Final = "whole block"
FINAL: Final = "final norm"
_BLOCK: Final[Role] = "block"


@dataclass(frozen=True)
class Span:
    """From one point to the next."""

    block: int | None
    """None for the final norm."""
    kind: str
    """What lies between the two points, in words: “attention branch”, “residual add”, “attention output norm”."""
    role: Role
    start_point: str
    end_point: str

    @property
    def title(self) -> str:
        """In words with its place: “block 5's attention output norm”."""
        return f"the {self.kind}" if self.block is None else f"block {self.block}'s {self.kind}"


@dataclass(frozen=True)
class Step(Span):
    """The change of a metric over a span, as the mean over texts."""

    start: float
    """Mean over the texts that have a value at both points; NaN where none has."""
    end: float
    change: float
    """Mean over the same texts of each one's change."""
    low: float
    """Lower end of its 95 % bootstrap band over texts; NaN below two texts."""
    high: float
    count: int
    """Texts that have a value at both points."""
    reason: str
    """Why the change is missing, in a clause; empty where it is not."""


def steps(measurement: Measurement, metric: str, detail: Detail = "parts") -> tuple[Step, ...]:
    """The steps of a metric from the embedding to the last point, in the order of the data's way.

    Of every text, the changes of all steps sum to its total change (:func:`changes`). Where a family lacks a point, the
    step reaches over it and its kind names both sides.

    Args:
        measurement: what was measured.
        metric: one of ``measurement.metrics``.
        detail: how fine; where there are no points inside the blocks (:func:`whole_blocks`), all are the same.
    """
    found = []
    spans = _spans(measurement, detail)
    for span, (start, end) in zip(spans, _ends(measurement, metric, spans), strict=True):
        both = np.isfinite(start) & np.isfinite(end)
        spread = band(np.where(both, end - start, np.nan))
        found.append(
            Step(
                **vars(span),
                start=_mean(start[both]),
                end=_mean(end[both]),
                change=float(spread.mean),
                low=float(spread.low),
                high=float(spread.high),
                count=int(both.sum()),
                reason="" if both.any() else _why(measurement, metric, span),
            )
        )
    return tuple(found)


def _mean(values: Values) -> float:
    return float(values.mean()) if values.size else np.nan


def changes(measurement: Measurement, metric: str, detail: Detail = "parts") -> xr.DataArray:
    """The change of each text: dims (input, step), NaN where an end is missing; steps as in :func:`steps`."""
    spans = _spans(measurement, detail)
    values = [end - start for start, end in _ends(measurement, metric, spans)]
    return xr.DataArray(np.array(values), {"step": [span.end_point for span in spans]}, ("step", "input")).T


def largest_steps(measurement: Measurement, metric: str, most: int = 3, detail: Detail = "stream") -> tuple[Step, ...]:
    """The steps that change a metric most, up or down, the largest first.

    Of all parts, a branch and its residual add are the largest and undo each other: without ``detail``, steps are those
    of the residual stream.
    """
    known = [step for step in steps(measurement, metric, detail) if not step.reason]
    return tuple(sorted(known, key=lambda step: -abs(step.change))[:most])


def finest(measurement: Measurement) -> Detail:
    """The finest detail whose steps can be told apart in one chart."""
    blocks = sum(map(points.is_block, measurement.points))
    return "parts" if blocks <= MOST_PARTS else "stream" if blocks <= MOST_STREAM else "blocks"


def whole_blocks(measurement: Measurement) -> str:
    """Why steps are whole blocks alone, in a sentence; empty where they are parts of blocks."""
    if _split(measurement):
        return ""
    inside = {point.partition(".")[2] for point in measurement.points if points.is_sub_layer(point)}
    if {"attention_branch", "mlp_branch"} <= inside:
        return "Attention and MLP read the same stream in this family and are added together: a step is a whole block."
    if measurement.settings.points == "blocks":
        return "The points inside the blocks were not measured: a step is a whole block."
    family = measurement.record.model.family
    return f"The inside of a block is not known for the family “{family}”: a step is a whole block."


def _split(measurement: Measurement) -> bool:
    """Whether the stream between attention and MLP was measured."""
    return any(point.endswith(".attention") for point in measurement.points)


def _post_norm(measurement: Measurement) -> bool:
    return any(point.endswith(".mlp") for point in measurement.points)


def _spans(measurement: Measurement, detail: Detail) -> list[Span]:
    kept = [point for point in measurement.points if point != points.FUSION]
    if detail == "blocks" or not _split(measurement):
        kept = [point for point in kept if not points.is_sub_layer(point)]
    elif detail == "stream":
        aside = _OFF_STREAM if _post_norm(measurement) else (*_OFF_STREAM, _BEFORE_MLP)
        kept = [point for point in kept if point.partition(".")[2] not in aside]
    found = []
    for start, end in pairwise(kept):
        number, _, part = end.partition(".")
        if end == points.FINAL_NORM:
            found.append(Span(None, FINAL, "norm", start, end))
            continue
        whole = detail == "blocks" or not _split(measurement)
        between = (WHOLE, _BLOCK) if whole else _between(measurement, _part_of(start, number), part)
        found.append(Span(int(number), *between, start, end))
    return found


def _part_of(point: str, block: str) -> str | None:
    """The part of a block where a step starts; None where it starts with the block."""
    number, _, part = point.partition(".")
    return part if number == block else None


def _between(measurement: Measurement, start: str | None, end: str) -> tuple[str, Role]:
    """What lies between two points of one block, in words, and what it is mostly of."""
    names = _POST if _post_norm(measurement) else _PRE
    parts = list(names)
    crossed = parts[0 if start is None else parts.index(start) + 1 : parts.index(end) + 1]
    # A branch that starts with a norm includes it, where there is no point between them.
    told = [part for part in crossed if _BRANCH_OF.get(part) not in crossed or names is _POST]
    return enumerated([names[part] for part in told]), _role(crossed, names)


def _role(crossed: Sequence[str], names: Mapping[str, str]) -> Role:
    if "attention_branch" in crossed:
        return "attention"
    if "mlp_branch" in crossed:
        return "mlp"
    return "norm" if any("norm" in names[part] for part in crossed) else "add"


def _ends(measurement: Measurement, metric: str, spans: Sequence[Span]) -> Iterator[tuple[Values, Values]]:
    """The values of each text at the start and the end of each step; NaN where one is not resolved."""
    found = measurement.resolved(metric).transpose("point", "input")
    index = {point: number for number, point in enumerate(measurement.points)}
    for span in spans:
        yield found.values[index[span.start_point]], found.values[index[span.end_point]]


def _why(measurement: Measurement, metric: str, span: Span) -> str:
    """Why a step has no value: the reason at its start, else at its end."""
    for point in (span.start_point, span.end_point):
        if not np.isfinite(measurement.resolved(metric).sel(point=point).values).any():
            if measurement.missing(metric, point, "unresolved"):
                return f"nothing resolved at {points.title(point)}: {measurement.reason(metric, point, 'unresolved')}"
            return f"no value at {points.title(point)}: {measurement.reason(metric, point)}"
    return "no text has a value at both ends"
