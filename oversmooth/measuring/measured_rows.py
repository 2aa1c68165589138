"""The measured tokens among the states of a pass, ready for the metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.wording import count as counted
from oversmooth.metrics import TokenStates
from oversmooth.metrics.numerics import Array, beside, namespace, on_host

if TYPE_CHECKING:
    from oversmooth.models.encodings import Encoded

STACK_BYTES = 2**19
"""Float64 states of tokens in equal number that are computed together: they stay in a core's cache."""


@dataclass(frozen=True)
class MeasuredRows:
    """Which rows of the states of one input count."""

    measured: NDArray[np.intp]
    classification: int | None
    identities: NDArray[np.intp]
    """Vocabulary ids of the measured tokens."""

    @classmethod
    def of(cls, text: Encoded) -> Self:
        """From the tokens that are marked so."""
        measured = np.flatnonzero([token.measured for token in text.tokens.items])
        return cls(measured, text.classification, np.asarray(text.ids, dtype=np.intp)[measured])

    @cached_property
    def includes_classification(self) -> bool:
        """Whether the classification token is measured too."""
        return self.classification is not None and self.classification in self.measured


class Place(NamedTuple):
    """Where states were taken."""

    text: int
    point: str


@dataclass(frozen=True)
class Arrived:
    """States of the texts of one pass at one point."""

    point: str
    texts: Sequence[int]
    """Their numbers."""
    states: Array
    """Padding and special tokens among them (text, token, dim)."""
    roundings: NDArray[np.float64]
    """Resolution floors over the Frobenius norms of the tokens (text)."""


@dataclass(frozen=True)
class MeasuredBatch:
    """Measured tokens in equal number at some places, computed together."""

    places: tuple[Place, ...]
    states: TokenStates | None
    """Of these places; None where there are none."""
    broken: dict[Place, str] = field(default_factory=dict)
    """What is not finite at others."""


def measured_batches(rows: Sequence[MeasuredRows], arrived: Sequence[Arrived]) -> Iterator[MeasuredBatch]:
    """The measured tokens of what has arrived of a pass, those of equal number together.

    Args:
        rows: of all inputs.
        arrived: at one or more points.
    """
    where = [(at, row) for at, each in enumerate(arrived) for row in range(len(each.texts))]

    def kind(at: tuple[int, int]) -> tuple[int, bool]:
        row = rows[arrived[at[0]].texts[at[1]]]
        return len(row.measured), row.classification is not None

    for (count, _), group in groupby(sorted(where, key=kind), key=kind):
        alike = list(group)
        most = max(1, STACK_BYTES // (8 * arrived[0].states.shape[2] * count))
        for first in range(0, len(alike), most):
            yield _stacked(rows, arrived, alike[first : first + most])


def _stacked(
    rows: Sequence[MeasuredRows], arrived: Sequence[Arrived], where: Sequence[tuple[int, int]]
) -> MeasuredBatch:
    places = [Place(arrived[at].texts[row], arrived[at].point) for at, row in where]
    chosen = [rows[place.text] for place in places]
    states = [arrived[at].states[row, ...] for at, row in where]
    xp = namespace(states[0])
    stored = xp.stack([_taken(each, row.measured) for each, row in zip(states, chosen, strict=True)])
    finite = on_host(xp.all(xp.isfinite(stored), axis=(1, 2)))
    kept = np.flatnonzero(finite).tolist()
    broken = {places[at]: _what_is_broken(stored[at, ...]) for at in np.flatnonzero(~finite).tolist()}
    if not kept:
        return MeasuredBatch((), None, broken)
    anchors = None
    if chosen[0].classification is not None:
        anchors = xp.stack([states[at][chosen[at].classification, :] for at in kept])
    tokens = TokenStates(
        stored if len(kept) == len(places) else stored[beside(stored, kept), ...],
        anchors,
        includes_classification=[chosen[at].includes_classification for at in kept],
        roundings=[float(arrived[at].roundings[row]) for at, row in (where[each] for each in kept)],
    )
    return MeasuredBatch(tuple(places[at] for at in kept), tokens, broken)


def _taken(states: Array, measured: NDArray[np.intp]) -> Array:
    first, last = int(measured[0]), int(measured[-1])
    if last - first + 1 == len(measured):
        return states[first : last + 1, :]
    return states[beside(states, measured), :]


def _what_is_broken(states: Array) -> str:
    bad = int(np.count_nonzero(~np.isfinite(on_host(states))))
    return f"infinite or not a number: {counted(bad, 'activation')} of {states.shape[0] * states.shape[1]:,}"
