"""The numbers that one side of a comparison has beside the metrics: what it leaves of the baseline's states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.wording import bytes_in_words, count
from oversmooth.measuring.references import Reference
from oversmooth.measuring.retrieval import Retrieval
from oversmooth.metrics import TokenStates, UndefinedError
from oversmooth.metrics.fidelity import BESIDE_BASELINE, resolved
from oversmooth.metrics.identity import IDENTITY_RETRIEVAL
from oversmooth.models.loaded import REFERENCE_BYTES


@dataclass(frozen=True)
class Value:
    """One number of one text at the point that was taken last, or the reason why there is none."""

    name: str
    text: int
    value: float
    reason: str = ""
    resolved: bool = True


@dataclass(frozen=True)
class Sides:
    """What one side of a comparison is measured with."""

    baseline: Reference | None = None
    """What a variant is set against."""
    kept: Reference | None = None
    """Where a baseline's own states are kept for its variants."""


class Fidelity:
    """Takes the tokens of one side point by point; gives its numbers.

    Args:
        identities: vocabulary ids of the measured tokens of each text.
        names: of the points, in order.
        dimension: of the hidden states.
        sides: where the baseline's states come from or go to.
        itemsize: bytes of one of their numbers.
    """

    def __init__(
        self,
        identities: Sequence[NDArray[np.intp]],
        names: Sequence[str],
        dimension: int,
        sides: Sides,
        itemsize: int = 4,
    ) -> None:
        self.metrics = (*(BESIDE_BASELINE if sides.baseline is not None else ()), IDENTITY_RETRIEVAL)
        self._points = frozenset(names)
        self._last_block = [name for name in names if points.is_block(name)][-1]
        self._retrieval = Retrieval(identities, len(names), dimension, itemsize)
        self._texts = len(identities)
        self._baseline = sides.baseline
        self._kept = sides.kept

    def take(self, number: int, point: str, tokens: TokenStates | None) -> Iterator[Value]:
        """The numbers that are known with these measured tokens; None for tokens that are not finite."""
        if point not in self._points:
            yield Value(IDENTITY_RETRIEVAL, number, np.nan, "it is searched for outside of blocks alone")
            return
        if tokens is not None:
            if self._kept is not None:
                self._kept.keep(number, point, tokens)
            if self._baseline is not None:
                yield from self._beside(self._baseline, number, point, tokens)
        for found in self._retrieval.take(number, point, tokens):
            yield Value(IDENTITY_RETRIEVAL, found.text, found.share, found.reason, found.resolved)

    def _beside(self, baseline: Reference, number: int, point: str, tokens: TokenStates) -> Iterator[Value]:
        theirs = baseline.get(number, self._last_block if point == points.FUSION else point)
        for name, compute in BESIDE_BASELINE.items():
            if theirs is None:
                yield Value(name, number, np.nan, baseline.nothing(number))
                continue
            try:
                value = compute(tokens, theirs)
                yield Value(name, number, value, resolved=resolved(name, value, tokens, theirs))
            except UndefinedError as error:
                yield Value(name, number, np.nan, str(error))

    def warnings(self) -> Iterator[str]:
        """What was left out, in sentences."""
        if self._baseline is not None and len(self._baseline.texts) < self._texts:
            left_out = self._texts - len(self._baseline.texts)
            yield (
                f"{count(left_out, 'text')} of {self._texts:,} not compared with the baseline: what is kept of its "
                f"states may take {bytes_in_words(REFERENCE_BYTES)}."
            )
        if len(self._retrieval.texts) < self._texts:
            yield (
                f"Token identity is searched for in {count(len(self._retrieval.texts), 'text')} of {self._texts:,}: "
                f"in at most {self._retrieval.limit:,} tokens."
            )
