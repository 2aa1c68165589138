"""Why a model smooths: quantities of its attention, norms and weights; importing this declares them, without torch."""

# The order of these imports is the order in which the quantities are shown.
# isort: off
from oversmooth.metrics.mechanisms import declared_attention
from oversmooth.metrics.mechanisms import declared_norms
from oversmooth.metrics.mechanisms import declared_circuits
from oversmooth.metrics.mechanisms import declared_corpus

# isort: on
from oversmooth.metrics.mechanisms.registry import define, get, names

__all__ = [
    "declared_attention",
    "declared_circuits",
    "declared_corpus",
    "declared_norms",
    "define",
    "get",
    "names",
]
