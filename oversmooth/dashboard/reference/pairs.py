"""Quantities of an explanation that two small matrices define: two texts, or one text at two layers. Draws nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from oversmooth.core.errors import InputError
from oversmooth.core.wording import count
from oversmooth.dashboard.reference.matrices import Value, states_of
from oversmooth.metrics import mechanisms
from oversmooth.metrics.mechanisms.bound import contraction
from oversmooth.metrics.mechanisms.corpus import linear_cka, within_between
from oversmooth.metrics.numerics import Float64


@dataclass(frozen=True)
class Example:
    """What the two matrices are, and the quantities that they give."""

    first: str
    second: str
    names: tuple[str, ...]
    compute: Callable[[Float64, Float64], list[Value]]


def texts(first: Float64, second: Float64) -> list[Value]:
    """How alike the tokens are inside two texts and between them."""
    found = within_between([first, second])["raw"]
    values = dict(zip(TEXTS.names, (found.within, found.between, found.difference), strict=True))
    return [_value(name, value, found.reason) for name, value in values.items()]


def layers(before: Float64, after: Float64) -> list[Value]:
    """What a block has done to the tokens of a text.

    Raises:
        InputError: where the matrices have not the same tokens.
    """
    if before.shape != after.shape:
        lengths = f"{count(len(before), 'token')} before the block and {len(after)} after it"
        raise InputError(f"The text has {lengths}: both need the same tokens.")
    distances = np.sqrt([states_of(each).residual_energy for each in (before, after)])
    ratio, cka = float(contraction(distances)[0]), float(linear_cka({"before": before, "after": after})[0, 1])
    return [
        _value(LAYERS.names[0], ratio, "the tokens before the block are all equal"),
        _value(LAYERS.names[1], cka, "the tokens are all equal at one of the two"),
    ]


def _value(name: str, value: float, reason: str) -> Value:
    return Value(name, mechanisms.get(name).title, value, reason if math.isnan(value) else "")


TEXTS: Final = Example("Text 1", "Text 2", ("within_cosine", "between_cosine", "within_minus_between"), texts)
LAYERS: Final = Example("Before a block", "After it", ("contraction", "layer_cka"), layers)


def example_of(name: str) -> Example | None:
    """The example of a quantity; None for one that takes a model."""
    return next((example for example in (TEXTS, LAYERS) if name in example.names), None)
