"""What is kept of a baseline for the variants that are set against it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from oversmooth.core.wording import bytes_in_words
from oversmooth.metrics import TokenStates
from oversmooth.metrics.fidelity import Baseline
from oversmooth.models.loaded import REFERENCE_BYTES

if TYPE_CHECKING:
    from oversmooth.results.settings import Settings


class Reference:
    """The baseline's tokens at every point of those texts that fit.

    Args:
        counts: measured tokens of each text.
        points: number of points.
        dimension: of the hidden states.
        itemsize: bytes of one of their numbers.
    """

    def __init__(self, counts: Sequence[int], points: int, dimension: int, itemsize: int) -> None:
        self.nbytes = 0
        texts = set()
        for number, count in enumerate(counts):
            size = points * Baseline.size(count, dimension, itemsize)
            if self.nbytes + size <= REFERENCE_BYTES:
                self.nbytes += size
                texts.add(number)
        self.texts = frozenset(texts)
        """Numbers of the texts that fit; the others cannot be compared."""
        self._kept: dict[tuple[int, str], Baseline] = {}

    def keep(self, number: int, point: str, tokens: TokenStates) -> None:
        """Keep what one point of one text needs."""
        if number in self.texts:
            self._kept[number, point] = Baseline.of(tokens)

    def get(self, number: int, point: str) -> Baseline | None:
        """What was kept; None where there is :meth:`nothing`."""
        return self._kept.get((number, point))

    def nothing(self, number: int) -> str:
        """Why nothing was kept of a text at some point."""
        if number in self.texts:
            return "the states of the baseline are infinite or not a number"
        return f"what is kept of the baseline of this text would take it beyond {bytes_in_words(REFERENCE_BYTES)}"


def reference_key(settings: Settings) -> Hashable:
    """Equal for two settings of one model exactly when their baselines have the same states at the same points."""
    return settings.texts, settings.special_tokens, settings.max_tokens, settings.points, settings.precision
