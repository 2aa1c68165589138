"""Token identity retrieval: states of all texts at a point, held until the last of them is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from oversmooth.measuring.measured_rows import Place
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
    place: Place
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

    def take(self, place: Place, tokens: TokenStates | None) -> list[Value]:
        """Add the tokens of one text at one point, None where they are not finite; with the last text, search.

        Returns:
            What is known now: nothing before the last text.
        """
        if place.text not in self.texts:
            reason = f"this text does not fit into a search of at most {self.limit:,} tokens"
            return [] if tokens is None else [_share(place, np.nan, reason)]
        with self._lock:
            arrived = self._arrived.setdefault(place.point, {})
            # Of several texts a bare copy: the states are valid only now, and what was computed of them is larger.
            arrived[place.text] = tokens if tokens is None or len(self._identities) == 1 else tokens.bare()
            if len(arrived) < len(self.texts):
                return []
            del self._arrived[place.point]
        finite = {each: states for each, states in sorted(arrived.items()) if states is not None}
        return list(self._search(place.point, finite))

    def _fitting(self) -> tuple[int, ...]:
        if len(self._identities) == 1:
            return (0,)
        room, texts = self.limit, []
        for number, identities in enumerate(self._identities):
            if len(identities) <= room:
                room -= len(identities)
                texts.append(number)
        return tuple(texts)

    def _search(self, point: str, finite: dict[int, TokenStates]) -> Iterator[Value]:
        several = len(self._identities) > 1
        places = [Place(number, point) for number in finite]
        if not finite or (several and len(finite) == 1):
            yield from (_share(place, np.nan, "there are no states of another text to search") for place in places)
            return
        tokens = _together(list(finite.values())) if several else finite[0]
        texts = np.repeat(list(finite), [each.count for each in finite.values()])
        try:
            counted, found, undecided = retrieved(
                tokens, np.concatenate([self._identities[each] for each in finite]), texts
            )
        except UndefinedError as error:
            yield from (_share(place, np.nan, str(error)) for place in places)
            return
        resolved = bool(tokens.residual_resolved[0])
        for place in places:
            chosen = counted & (texts == place.text)
            if chosen.any():
                share = float(found[chosen].mean())
                yield _share(place, share, resolved=resolved and not undecided[chosen].any())
            else:
                yield _share(place, np.nan, UNSHARED if several else ALONE)


def _share(place: Place, share: float, reason: str = "", *, resolved: bool = True) -> Value:
    return Value(IDENTITY_RETRIEVAL, place, share, reason, resolved)


def _together(texts: Sequence[TokenStates]) -> TokenStates:
    xp = texts[0].xp
    highest = max(float(each.roundings[0]) for each in texts)
    return TokenStates(xp.concat([each.stored[0, ...] for each in texts]), roundings=highest)
