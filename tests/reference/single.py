"""One text's tokens on the backend that is tested, and its numbers, as a reader of formulas writes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from oversmooth.metrics import Definition, TokenStates, evaluate, get, number_of
from oversmooth.metrics.baseline import Baseline
from oversmooth.metrics.numerics import Array, on_host
from oversmooth.metrics.registry import BesideBaseline, Metric

BACKENDS = ("numpy", "torch", "cuda")
_chosen = ["numpy"]


@contextmanager
def on_backend(name: str) -> Iterator[None]:
    """Have all arrays made by that library."""
    _chosen.append(name)
    try:
        yield
    finally:
        _chosen.pop()


def backend() -> str:
    """The one that is tested."""
    return _chosen[-1]


def array(values: ArrayLike) -> Array:
    """The same numbers on the backend that is tested."""
    given = np.asarray(values)
    if backend() == "numpy":
        return given
    return torch.from_numpy(given.copy()).to("cpu" if backend() == "torch" else "cuda")


class Single:
    """Tokens (n × d) of one text; what :class:`TokenStates` has for each text, this has for the one, as NumPy's."""

    def __init__(
        self,
        tokens: ArrayLike,
        classification: ArrayLike | None = None,
        *,
        includes_classification: bool = False,
        rounding: float | None = None,
    ) -> None:
        self.states = TokenStates(
            array(tokens),
            None if classification is None else array(classification),
            includes_classification=includes_classification,
            roundings=rounding,
        )

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.states, name)
        if not hasattr(value, "shape"):
            return value
        found = on_host(value)[0]
        return found if found.ndim else found.item()

    @property
    def cosines(self) -> Any:
        """Cosine of every pair of tokens (n × n)."""
        return 1.0 - self.cosine_gaps


def number(metric: str | Definition, states: Single, baseline: Baseline | None = None) -> float:
    """A metric of the tokens."""
    return number_of(_declared(metric), states.states, baseline)


def resolved(metric: str | Definition, states: Single, baseline: Baseline | None = None) -> bool:
    """Whether it rises above what rounding makes."""
    return bool(evaluate([_declared(metric)], states.states, baseline).resolved[0, 0])


def _declared(metric: str | Definition) -> Metric | BesideBaseline:
    found = get(metric) if isinstance(metric, str) else metric
    assert isinstance(found, Metric | BesideBaseline)
    return found
