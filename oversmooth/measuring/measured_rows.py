"""The measured tokens among the states of a pass, ready for the metrics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from oversmooth.core.wording import count as counted
from oversmooth.metrics import TokenStates
from oversmooth.metrics.numerics import Array, beside, namespace, on_host

if TYPE_CHECKING:
    from oversmooth.models.encodings import Encoded

Item = TypeVar("Item")

STACK_BYTES = 2**22
"""Float64 states of tokens in equal number that are computed together: a call costs more than the arithmetic of few."""
ALONE_BYTES = 2**18
"""A text's states beyond which it is computed alone: with others it would leave a core's cache."""

DEVICE_BYTES = 2**28
"""The same on a GPU, which each call costs far more than what it computes of little."""


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
    def where(self) -> slice | NDArray[np.intp]:
        """The same as a slice, where no token between them is left out."""
        first, last = int(self.measured[0]), int(self.measured[-1])
        return slice(first, last + 1) if last - first + 1 == len(self.measured) else self.measured

    @cached_property
    def kind(self) -> tuple[int, bool]:
        """Texts of the same are computed together: the number of tokens, and whether there is a [CLS] token."""
        return len(self.measured), self.classification is not None

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
    for alike in by_kind(where, lambda at: rows[arrived[at[0]].texts[at[1]]].kind):
        at, row = where[alike[0]]
        count, width = len(rows[arrived[at].texts[row]].measured), arrived[at].states.shape[2]
        size, cached = 8 * count * width, isinstance(arrived[0].states, np.ndarray)
        together = (STACK_BYTES if size <= ALONE_BYTES else 0) if cached else DEVICE_BYTES
        most = max(1, together // size)
        for first in range(0, len(alike), most):
            yield _batch(rows, arrived, [where[each] for each in alike[first : first + most]])


def by_kind(items: Sequence[Item], kind: Callable[[Item], Any]) -> list[list[int]]:
    """The positions of items of the same kind, together."""
    found: defaultdict[Any, list[int]] = defaultdict(list)
    for position, item in enumerate(items):
        found[kind(item)].append(position)
    return list(found.values())


def _batch(rows: Sequence[MeasuredRows], arrived: Sequence[Arrived], where: Sequence[tuple[int, int]]) -> MeasuredBatch:
    places = [Place(arrived[at].texts[row], arrived[at].point) for at, row in where]
    chosen = [rows[place.text] for place in places]
    states = [arrived[at].states[row, ...] for at, row in where]
    xp = namespace(states[0])
    stored = stacked(states, chosen)
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


def stacked(states: Sequence[Array], rows: Sequence[MeasuredRows]) -> Array:
    """The measured tokens, of equal number, of texts (token, dim each): text, token, dim."""
    taken = [
        each[row.where, :] if isinstance(row.where, slice) else each[beside(each, row.where), :]
        for each, row in zip(states, rows, strict=True)
    ]
    return taken[0][None] if len(taken) == 1 else namespace(taken[0]).stack(taken)


def _what_is_broken(states: Array) -> str:
    bad = int(np.count_nonzero(~np.isfinite(on_host(states))))
    return f"infinite or not a number: {counted(bad, 'activation')} of {states.shape[0] * states.shape[1]:,}"
