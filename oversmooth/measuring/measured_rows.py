"""The measured tokens among a batch's states, ready for the metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from oversmooth.metrics import TokenStates
from oversmooth.metrics.stacks import Stack

if TYPE_CHECKING:
    from oversmooth.models.encodings import Encoded

STACK_BYTES = 2**19
"""Float64 states of texts of equal length that are computed together: they stay in a core's cache."""


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


def measured_states(
    rows: Sequence[MeasuredRows], numbers: Sequence[int], states: NDArray[np.floating], roundings: NDArray[np.float64]
) -> Iterator[tuple[int, TokenStates]]:
    """The states of the measured tokens of several inputs, each with the number of its input.

    Args:
        rows: of all inputs.
        numbers: of the inputs, in the order of the states.
        states: of these inputs at one point (input, token, dim), padding and special tokens among them.
        roundings: their resolution floors over the Frobenius norms of the tokens (input).
    """
    wide = 8 * states.shape[2]
    for count, group in groupby(range(len(numbers)), key=lambda at: len(rows[numbers[at]].measured)):
        alike = list(group)
        most = max(1, STACK_BYTES // (wide * count))
        for first in range(0, len(alike), most):
            chosen = alike[first : first + most]
            inputs = [(numbers[at], rows[numbers[at]], states[at]) for at in chosen]
            yield from _stacked(inputs, roundings[chosen])


def _stacked(
    inputs: Sequence[tuple[int, MeasuredRows, NDArray[np.floating]]], roundings: NDArray[np.float64]
) -> Iterator[tuple[int, TokenStates]]:
    stored = np.stack([states[row.measured] for _, row, states in inputs])
    # Row 0 stands in where there is no [CLS] token; nobody reads it.
    anchors = np.stack([states[row.classification or 0] for _, row, states in inputs])
    # Decompositions refuse a whole stack for one input that is not finite.
    finite = np.array([bool(np.isfinite(each).all()) for each in stored])
    whole = finite.all()
    stack = Stack(stored, anchors, roundings) if whole else Stack(stored[finite], anchors[finite], roundings[finite])
    in_stack = (np.cumsum(finite) - 1).tolist()
    for index, (number, row, _) in enumerate(inputs):
        tokens = TokenStates(
            stored[index],
            None if row.classification is None else anchors[index],
            includes_classification=row.includes_classification,
            among=(stack, in_stack[index]) if finite[index] else None,
        )
        yield number, tokens
