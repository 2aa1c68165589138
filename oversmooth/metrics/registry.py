"""What a metric declares about itself, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oversmooth.core.errors import UndefinedError
from oversmooth.core.papers import Paper
from oversmooth.core.plugins import Plugin, Registry, require_words

if TYPE_CHECKING:
    from oversmooth.metrics.states import TokenStates


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What is said of a named number wherever it is shown."""

    name: str
    """Column name in every export."""
    title: str
    """Name in words, for axes and headings."""
    formula: str
    """LaTeX; X is the n × d token matrix, x_i its rows, sigma_i its singular values in descending order."""
    paper: Paper | None
    """None for what is from no paper."""
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

    def __post_init__(self) -> None:
        require_words(self)
        if not self.lower < self.upper:
            raise ValueError(f"the range of {self.name} is empty")

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

    def value(self, states: TokenStates) -> float:
        """The number of these tokens.

        Raises:
            UndefinedError: where it has none, or where the code of a plug-in fails.
        """
        if plugin(self.name) is None:
            return self.compute(states)
        try:
            return float(self.compute(states))
        except UndefinedError:
            raise
        except Exception as error:  # a stranger's: one number is missing, and the others are there
            raise UndefinedError(f"the plug-in fails ({type(error).__name__}: {error})") from error


_REGISTRY: Registry[Definition] = Registry(("metric", "metrics"), "oversmooth.metrics", "oversmooth.metrics")


def metric(
    *,
    title: str,
    formula: str,
    paper: Paper | None,
    lower: float,
    upper: float,
    reads: str,
    caveat: str,
    bound: str = "",
    unit: str = "",
    resolved: Callable[[TokenStates], bool] | None = None,
    usual: bool = True,
) -> Callable[[Callable[[TokenStates], float]], Callable[[TokenStates], float]]:
    """Register the decorated function as the metric of its name; see :class:`Metric` for the arguments.

    Raises:
        RuntimeError: where another metric has that name.
    """

    def register(compute: Callable[[TokenStates], float]) -> Callable[[TokenStates], float]:
        found = Metric(
            name=compute.__name__,
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
        _REGISTRY.add(found.name, found)
        return compute

    return register


def define_fidelity(definition: Definition) -> None:
    """Register a number of one side of a comparison, which is measured beside the metrics."""
    _REGISTRY.add(definition.name, definition)


def names() -> tuple[str, ...]:
    """Names of all metrics that can be asked for, in the order in which they are shown."""
    return tuple(each.name for each in all_metrics())


def usual_names() -> tuple[str, ...]:
    """Names of the metrics that are measured where nobody says which, in the order in which they are shown."""
    return tuple(each.name for each in all_metrics() if each.usual)


def all_metrics() -> tuple[Metric, ...]:
    """All metrics that can be asked for, in the order in which they are shown."""
    return tuple(each for each in _REGISTRY.values() if isinstance(each, Metric))


def fidelity_names() -> tuple[str, ...]:
    """Names of what is measured in a comparison beside the metrics, in the order in which they are shown."""
    return tuple(each.name for each in _REGISTRY.values() if not isinstance(each, Metric))


def get(name: str) -> Definition:
    """What is said of the metric, or of the number of a comparison, of that name.

    Raises:
        KeyError: for an unknown name; settings are checked before.
    """
    return _REGISTRY[name]


def get_metric(name: str) -> Metric:
    """The metric of that name, which can be computed of the states alone.

    Raises:
        KeyError: for an unknown name; settings are checked before.
    """
    return {each.name: each for each in all_metrics()}[name]


def plugin(name: str) -> Plugin | None:
    """The plug-in that a metric is from; None where it comes along.

    Raises:
        KeyError: for an unknown name.
    """
    return _REGISTRY.plugin(name)
