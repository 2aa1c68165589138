"""Token identity retrieval: states of all texts at a point, held until the last of them is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.metrics import TokenStates, UndefinedError
from oversmooth.metrics.identity import IDENTITY_RETRIEVAL, retrieved

TOKENS: Final = 2000
"""Most tokens of several texts that are searched together: the work grows with their square."""
BYTES: Final = 2**27
"""Most memory of states that wait, at all points together, for those of the other texts."""

ALONE = "no word piece occurs twice in this text: give several texts that share words"
UNSHARED = "no word piece of this text occurs in another one"


@dataclass(frozen=True)
class Value:
    """One number of one text at one point, or the reason why there is none."""

    name: str
    text: int
    value: float
    """NaN where there is a reason."""
    reason: str = ""
    resolved: bool = True
    """Whether it is more than the rounding of the pass may have made."""


class Retrieval:
    """Which tokens find their own word piece in another text, point by point. Safe between threads.

    Args:
        identities: vocabulary ids of the measured tokens of each text.
        points: number of points.
        dimension: of the hidden states.
        itemsize: bytes of one of their numbers.
    """

    def __init__(self, identities: Sequence[NDArray[np.intp]], points: int, dimension: int, itemsize: int = 4) -> None:
        self._identities = identities
        self.limit = min(TOKENS, BYTES // (itemsize * points * dimension))
        """Tokens of several texts; a single one has no limit."""
        self.texts = self._fitting()
        """Numbers of the texts that are searched: the first that fit."""
        self._arrived: dict[str, dict[int, TokenStates | None]] = {}
        self._lock = threading.Lock()

    def take(self, number: int, point: str, tokens: TokenStates | None) -> list[Value]:
        """Add the tokens of one text at one point, None where they are not finite; with the last text, search.

        Returns:
            What is known now: nothing before the last text.
        """
        if number not in self.texts:
            reason = f"this text does not fit into a search of at most {self.limit:,} tokens"
            return [] if tokens is None else [_share(number, np.nan, reason)]
        with self._lock:
            arrived = self._arrived.setdefault(point, {})
            # Of several texts the bare states: what was computed of them, and of others with them, is larger, and of no
            # further use.
            alone = len(self._identities) == 1
            arrived[number] = (
                tokens if tokens is None or alone else TokenStates(tokens.stored.copy(), rounding=tokens.rounding)
            )
            if len(arrived) < len(self.texts):
                return []
            del self._arrived[point]
        return list(self._search({each: states for each, states in sorted(arrived.items()) if states is not None}))

    def _fitting(self) -> tuple[int, ...]:
        if len(self._identities) == 1:
            return (0,)
        room, texts = self.limit, []
        for number, identities in enumerate(self._identities):
            if len(identities) <= room:
                room -= len(identities)
                texts.append(number)
        return tuple(texts)

    def _search(self, finite: dict[int, TokenStates]) -> Iterator[Value]:
        several = len(self._identities) > 1
        if not finite or (several and len(finite) == 1):
            yield from (_share(number, np.nan, "there are no states of another text to search") for number in finite)
            return
        tokens = _together(list(finite.values())) if several else finite[0]
        texts = np.repeat(list(finite), [each.count for each in finite.values()])
        try:
            counted, found, undecided = retrieved(
                tokens, np.concatenate([self._identities[each] for each in finite]), texts
            )
        except UndefinedError as error:
            yield from (_share(number, np.nan, str(error)) for number in finite)
            return
        for number in finite:
            chosen = counted & (texts == number)
            if chosen.any():
                yield _share(
                    number,
                    float(found[chosen].mean()),
                    resolved=tokens.residual_resolved and not undecided[chosen].any(),
                )
            else:
                yield _share(number, np.nan, UNSHARED if several else ALONE)


def _share(text: int, share: float, reason: str = "", *, resolved: bool = True) -> Value:
    return Value(IDENTITY_RETRIEVAL, text, share, reason, resolved)


def _together(texts: Sequence[TokenStates]) -> TokenStates:
    rounding = max(each.rounding for each in texts)
    return TokenStates(np.concatenate([each.stored for each in texts]), rounding=rounding)
