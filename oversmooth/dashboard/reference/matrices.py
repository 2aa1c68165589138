"""Small token matrices of the reference page, and every metric and quantity that they define. Draws nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from oversmooth import metrics
from oversmooth.core.errors import InputError
from oversmooth.core.wording import count
from oversmooth.metrics import Definition, Evaluated, TokenStates, UndefinedError, fidelity, identity, mechanisms
from oversmooth.metrics.baseline import Baseline
from oversmooth.metrics.mechanisms.bound import contraction
from oversmooth.metrics.mechanisms.corpus import linear_cka, within_between
from oversmooth.metrics.numerics import Float64
from oversmooth.report.findings import number

MOST_TOKENS: Final = 8
"""More make the matrices too wide to read."""
LARGEST: Final = 1e6
"""Size of a number that is taken."""
DECIMALS: Final = 12
ROUNDING: Final = 1e-14
"""Relative to the largest entry: a smaller one of a matrix is shown as 0."""

SPREAD: Final = "Spread"
ALIKE: Final = "Nearly alike"
PRESETS: Final[dict[str, tuple[tuple[float, float, float], ...]]] = {
    SPREAD: ((1.0, 0.2, 0.1), (-0.3, 1.0, 0.4), (-0.8, -0.6, 0.5), (0.5, -0.2, -0.9)),
    ALIKE: ((1.0, 0.5, 0.2), (1.1, 0.45, 0.25), (0.95, 0.6, 0.15), (1.05, 0.55, 0.3)),
    "One direction": ((0.4, 0.2, 0.1), (1.0, 0.5, 0.25), (2.0, 1.0, 0.5), (3.0, 1.5, 0.75)),
    "All equal": ((1.0, 0.5, 0.2),) * 4,
    "One outlier": ((1.0, 0.2, 0.1), (-0.3, 1.0, 0.4), (-0.8, -0.6, 0.5), (90.0, 30.0, -60.0)),
    "Spread, turned by 90°": ((-0.2, 1.0, 0.1), (-1.0, -0.3, 0.4), (0.6, -0.8, 0.5), (0.2, 0.5, -0.9)),
}
"""Tokens in rows."""


@dataclass(frozen=True)
class Value:
    """What became of one number."""

    name: str
    title: str
    value: float
    """NaN where it is not defined."""
    note: str = ""
    """Why it is missing, or that rounding decides it; empty otherwise."""

    def __str__(self) -> str:
        # Of numbers written by hand nobody reads the last bits of a sum as more than rounding.
        return "undefined" if math.isnan(self.value) else number(round(self.value, DECIMALS), 4)


def table(preset: str) -> pd.DataFrame:
    """The tokens of a preset in rows, as the reader edits them."""
    return pd.DataFrame(PRESETS[preset], columns=["dim. 1", "dim. 2", "dim. 3"])


def checked(given: pd.DataFrame) -> Float64:
    """The matrix of an edited table (n × d).

    Raises:
        InputError: where it is empty or too long, or where a number is missing, not finite or too large.
    """
    rows = given.to_numpy(dtype=np.float64, na_value=np.nan)
    if not len(rows):
        raise InputError("The matrix is empty: add a token, or take a preset again.")
    if len(rows) > MOST_TOKENS:
        raise InputError(f"The matrix has {len(rows)} tokens, and the example takes {MOST_TOKENS}: remove some.")
    for place, row in enumerate(rows, 1):
        if np.isnan(row).any():
            missing = given.columns[int(np.isnan(row).argmax())]
            raise InputError(f"Token {place} has no number in {missing}: fill it in, or remove the token.")
        if np.abs(row).max() > LARGEST:
            raise InputError(f"Token {place} holds a number beyond ±{LARGEST:,.0f}: write a smaller one.")
    return rows


def states_of(matrix: Float64) -> TokenStates:
    """The tokens, the first of which stands for [CLS]."""
    return TokenStates(matrix, matrix[0], includes_classification=True)


def values(states: TokenStates) -> list[Value]:
    """Every metric of the tokens, in order."""
    return _values(metrics.all_metrics(), metrics.evaluate(metrics.all_metrics(), states))


def values_beside(baseline: Float64, variant: Float64) -> list[Value]:
    """Every number of a variant beside its baseline that the two matrices define, in order.

    Raises:
        InputError: where they have not the same shape.
    """
    if baseline.shape != variant.shape:
        lengths = f"{count(len(baseline), 'token')}, the variant {len(variant)}"
        raise InputError(f"The baseline has {lengths}: both sides need the same tokens.")
    beside, kept = metrics.beside_baselines(), Baseline.of(states_of(baseline))
    found = _values(beside, metrics.evaluate(beside, states_of(variant), kept))
    both = states_of(np.vstack([baseline, variant]))
    retrieval = metrics.get(identity.IDENTITY_RETRIEVAL)
    try:
        found.append(Value(retrieval.name, retrieval.title, _retrieval(both)))
    except UndefinedError as error:
        found.append(Value(retrieval.name, retrieval.title, math.nan, str(error)))
    order = metrics.fidelity_names()
    return sorted(found, key=lambda each: order.index(each.name))


def cleaned(matrix: Float64) -> Float64:
    """The same, with entries that are rounding errors as 0."""
    return np.where(np.abs(matrix) <= ROUNDING * np.abs(matrix).max(initial=0.0), 0.0, matrix)


def latex(matrix: Float64) -> str:
    """A matrix, or a vector as a row, in LaTeX."""
    rows = r" \\ ".join(" & ".join(number(value).replace(",", "{,}") for value in row) for row in np.atleast_2d(matrix))
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"


def _values(declared: Sequence[Definition], found: Evaluated) -> list[Value]:
    values = []
    for place, metric in enumerate(declared):
        note = "" if found.resolved[place, 0] else "below the resolution of the numbers"
        reason = found.missing.get((place, 0), note)
        values.append(Value(metric.name, metric.title, float(found.values[place, 0]), reason))
    return values


def _retrieval(both: TokenStates) -> float:
    """Share of tokens found again, where the halves of the rows are two texts of the same words."""
    size = both.count // 2
    counted, found, _ = identity.retrieved(both, np.tile(np.arange(size), 2), np.repeat([0, 1], size))
    return float(found.sum() / counted.sum())


@dataclass(frozen=True)
class Example:
    """What the two matrices are, and the quantities that they give."""

    first: str
    second: str
    names: tuple[str, ...]
    compute: Callable[[Float64, Float64], list[Value]]
    note: str = ""


def texts(first: Float64, second: Float64) -> list[Value]:
    """How alike the tokens are inside two texts and between them."""
    found = within_between([first, second])["raw"]
    values = dict(zip(TEXTS.names, (found.within, found.between, found.difference), strict=True))
    return [_found(name, value, found.reason) for name, value in values.items()]


def layers(before: Float64, after: Float64) -> list[Value]:
    """What a block has done to the tokens of a text.

    Raises:
        InputError: where the matrices have not the same tokens.
    """
    if before.shape != after.shape:
        lengths = f"{count(len(before), 'token')} before the block and {len(after)} after it"
        raise InputError(f"The text has {lengths}: both need the same tokens.")
    distances = np.sqrt([states_of(each).residual_sums[0] for each in (before, after)])
    ratio, cka = float(contraction(distances)[0]), float(linear_cka({"before": before, "after": after})[0, 1])
    return [
        _found(LAYERS.names[0], ratio, "the tokens before the block are all equal"),
        _found(LAYERS.names[1], cka, "the tokens are all equal at one of the two"),
    ]


def _found(name: str, value: float, reason: str) -> Value:
    return Value(name, mechanisms.get(name).title, value, reason if math.isnan(value) else "")


BESIDE: Final = Example(
    "Baseline",
    "Variant",
    (*fidelity.BESIDE_BASELINE, identity.IDENTITY_RETRIEVAL),
    values_beside,
    "For the retrieval, the sides are read as two texts of the same words in the same order.",
)
TEXTS: Final = Example("Text 1", "Text 2", ("within_cosine", "between_cosine", "within_minus_between"), texts)
LAYERS: Final = Example("Before a block", "After it", ("contraction", "layer_cka"), layers)


def example_of(name: str) -> Example | None:
    """The example of a number of two matrices; None for one that takes a model."""
    return next((example for example in (BESIDE, TEXTS, LAYERS) if name in example.names), None)
