"""The reference formula of every metric, found by the metric's name."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

import reference
from reference import precise
from reference.sample import Reference

FLOAT = tuple(
    import_module(f"reference.{module.name}")
    for module in pkgutil.iter_modules(reference.__path__)
    if module.name not in ("formulas", "precise")
)


def _named(name: str, modules: tuple[ModuleType, ...]) -> Reference:
    found: list[Reference] = [getattr(module, name) for module in modules if hasattr(module, name)]
    if len(found) != 1:
        raise LookupError(f"the metric {name} needs one reference formula in tests/reference, and has {len(found)}")
    return found[0]


def of(name: str) -> Reference:
    """In float64."""
    return _named(name, FLOAT)


def precise_of(name: str) -> Reference:
    """In 60 digits, rounded at the end."""
    return _named(name, (precise,))
