"""What a metric declares about itself, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oversmooth.core.papers import Paper

if TYPE_CHECKING:
    from oversmooth.metrics.states import TokenStates


class UndefinedError(ValueError):
    """The metric has no value for these states; the message is the reason, shown in the value's place."""


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What is said of a named number wherever it is shown."""

    name: str
    """Column name in every export."""
    title: str
    """Name in words, for axes and headings."""
    formula: str
    """LaTeX; X is the n × d token matrix, x_i its rows, sigma_i its singular values in descending order."""
    paper: Paper
    lower: float
    upper: float
    """Attainable range; ``math.inf`` where there is no bound. Bounds that depend on the shape are in ``bound``."""
    reads: str
    """What the number tells, in one sentence."""
    caveat: str
    """What it cannot tell, in one sentence."""
    bound: str = ""
    """The shape-dependent upper bound in words, e.g. ``min(n, d)``."""
    unit: str = ""

    def range_text(self) -> str:
        """The attainable range in mathematical notation, e.g. ``[1, min(n, d)]``."""
        upper = self.bound or ("∞" if self.upper == float("inf") else f"{self.upper:g}")
        lower = "-∞" if self.lower == float("-inf") else f"{self.lower:g}"
        left = "(" if self.lower == float("-inf") else "["
        right = ")" if upper == "∞" else "]"
        return f"{left}{lower}, {upper}{right}".replace("-", "−")


@dataclass(frozen=True, kw_only=True)
class Metric(Definition):
    """One named number of the tokens of a sequence at one point, with its definition."""

    compute: Callable[[TokenStates], float]
    resolved: Callable[[TokenStates], bool] | None = None
    """False where the value lies below what the states' own precision resolves; None where that cannot happen."""
    usual: bool = True
    """Whether it is measured where nobody says what is; else only where it is asked for by name."""


_REGISTRY: dict[str, Metric] = {}
_FIDELITY: dict[str, Definition] = {}


def metric(
    *,
    title: str,
    formula: str,
    paper: Paper,
    lower: float,
    upper: float,
    reads: str,
    caveat: str,
    bound: str = "",
    unit: str = "",
    resolved: Callable[[TokenStates], bool] | None = None,
    usual: bool = True,
) -> Callable[[Callable[[TokenStates], float]], Callable[[TokenStates], float]]:
    """Register the decorated function as the metric of its name."""

    def register(compute: Callable[[TokenStates], float]) -> Callable[[TokenStates], float]:
        name = compute.__name__
        _refuse_second(name)
        _REGISTRY[name] = Metric(
            name=name,
            title=title,
            formula=formula,
            paper=paper,
            lower=lower,
            upper=upper,
            reads=reads,
            caveat=caveat,
            bound=bound,
            unit=unit,
            compute=compute,
            resolved=resolved,
            usual=usual,
        )
        return compute

    return register


def define_fidelity(definition: Definition) -> None:
    """Register a number of one side of a comparison, which is measured beside the metrics."""
    _refuse_second(definition.name)
    _FIDELITY[definition.name] = definition


def _refuse_second(name: str) -> None:
    if name in _REGISTRY or name in _FIDELITY:
        raise RuntimeError(f"two metrics are named {name}")


def names() -> tuple[str, ...]:
    """Names of all metrics that can be asked for, in the order in which they are shown."""
    return tuple(_REGISTRY)


def usual_names() -> tuple[str, ...]:
    """Names of the metrics that are measured where nobody says which, in the order in which they are shown."""
    return tuple(name for name, each in _REGISTRY.items() if each.usual)


def all_metrics() -> tuple[Metric, ...]:
    """All metrics that can be asked for, in the order in which they are shown."""
    return tuple(_REGISTRY.values())


def fidelity_names() -> tuple[str, ...]:
    """Names of what is measured in a comparison beside the metrics, in the order in which they are shown."""
    return tuple(_FIDELITY)


def get(name: str) -> Definition:
    """What is said of the metric, or of the number of a comparison, of that name.

    Raises:
        KeyError: for an unknown name; settings are checked before.
    """
    return _REGISTRY.get(name) or _FIDELITY[name]


def get_metric(name: str) -> Metric:
    """The metric of that name, which can be computed of the states alone.

    Raises:
        KeyError: for an unknown name; settings are checked before.
    """
    return _REGISTRY[name]
