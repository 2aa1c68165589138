"""The list of all quantities that an explanation gives, each with its definition; computed where torch is."""

from __future__ import annotations

from oversmooth.core.plugins import Registry
from oversmooth.metrics.registry import Definition

_REGISTRY: Registry[Definition] = Registry(
    ("quantity of an explanation", "quantities of an explanation"),
    "oversmooth.metrics.mechanisms",
    beginning="declared_",
)


def define(definition: Definition) -> None:
    """Register a quantity of an explanation.

    Raises:
        RuntimeError: for a second one of the same name.
    """
    _REGISTRY.add(definition.name, definition)


def get(name: str) -> Definition:
    """What is said of the quantity of that name.

    Raises:
        KeyError: for an unknown name.
    """
    return _REGISTRY[name]


def names() -> tuple[str, ...]:
    """Names of all quantities, in the order in which they are shown."""
    return tuple(_REGISTRY)
