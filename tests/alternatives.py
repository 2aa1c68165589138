"""The alternative texts of figures, as their declarations give them: ``alternatives.curve(measurement, metric)``."""

from __future__ import annotations

from collections.abc import Callable

from oversmooth.report.figures import registry


def __getattr__(name: str) -> Callable[..., str]:
    declared = {"similarity": "similarity_map"}.get(name, name)
    if declared not in registry.names():
        raise AttributeError(name)
    return registry.get(declared).alternative
