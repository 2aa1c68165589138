"""What a metric declares about itself, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NotRequired, TypeAlias, TypedDict, Unpack

from oversmooth.core.papers import Paper
from oversmooth.core.plugins import Plugin, Registry, require_words
from oversmooth.metrics.numerics import Array

if TYPE_CHECKING:
    from oversmooth.metrics.baseline import Baseline
    from oversmooth.metrics.requirements import Requirement
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
    """One named number of the tokens of a text at one point, with its definition."""

    compute: Callable[[TokenStates], Array]
    """Of s texts, s numbers; what stands where a text does not meet the requirements is not read."""
    requires: tuple[Requirement, ...] = ()
    """What must hold of a text for the number to be defined; the first that does not is told."""
    resolved: Callable[[TokenStates], Array] | None = None
    """False where the value lies below what the states' own precision resolves (s); None where that cannot happen."""
    usual: bool = True
    """Whether it is measured where nobody says what is; else only where it is asked for by name."""


@dataclass(frozen=True, kw_only=True)
class BesideBaseline(Definition):
    """One named number of a variant's tokens beside the baseline's, with its definition."""

    compute: Callable[[TokenStates, Baseline], Array]
    requires: tuple[Requirement, ...] = ()
    resolved: Callable[[TokenStates, Baseline], Array] | None = None


_REGISTRY: Registry[Definition] = Registry(("metric", "metrics"), "oversmooth.metrics", "oversmooth.metrics")


class Said(TypedDict):
    """The words of a declaration; see :class:`Definition`."""

    title: str
    formula: str
    paper: Paper | None
    lower: float
    upper: float
    reads: str
    caveat: str
    bound: NotRequired[str]
    unit: NotRequired[str]


_OfStates: TypeAlias = "Callable[[TokenStates], Array]"
_OfBoth: TypeAlias = "Callable[[TokenStates, Baseline], Array]"


def metric(
    *,
    requires: tuple[Requirement, ...] = (),
    resolved: _OfStates | None = None,
    usual: bool = True,
    **said: Unpack[Said],
) -> Callable[[_OfStates], _OfStates]:
    """Register the decorated function as the metric of its name; see :class:`Metric` for the arguments.

    Raises:
        RuntimeError: where another metric has that name.
    """

    def register(compute: _OfStates) -> _OfStates:
        name = compute.__name__
        found = Metric(name=name, compute=compute, requires=requires, resolved=resolved, usual=usual, **said)
        _REGISTRY.add(name, found)
        return compute

    return register


def beside_baseline(
    *, requires: tuple[Requirement, ...], resolved: _OfBoth, **said: Unpack[Said]
) -> Callable[[_OfBoth], _OfBoth]:
    """Register the decorated function as the number of a comparison of its name; see :class:`BesideBaseline`.

    Raises:
        RuntimeError: where another metric has that name.
    """

    def register(compute: _OfBoth) -> _OfBoth:
        name = compute.__name__
        _REGISTRY.add(name, BesideBaseline(name=name, compute=compute, requires=requires, resolved=resolved, **said))
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


def beside_baselines() -> tuple[BesideBaseline, ...]:
    """What is computed of a variant and its baseline at every point, in the order in which it is shown."""
    return tuple(each for each in _REGISTRY.values() if isinstance(each, BesideBaseline))


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
    found = _REGISTRY[name]
    if not isinstance(found, Metric):
        raise KeyError(name)
    return found


def plugin(name: str) -> Plugin | None:
    """The plug-in that a metric is from; None where it comes along.

    Raises:
        KeyError: for an unknown name.
    """
    return _REGISTRY.plugin(name)
