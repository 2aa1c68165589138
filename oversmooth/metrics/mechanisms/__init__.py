"""Why a model smooths: quantities of its attention, norms and weights, declared without torch in ``declared_….py``."""

from oversmooth.metrics.mechanisms.registry import define, get, names

__all__ = ["define", "get", "names"]
