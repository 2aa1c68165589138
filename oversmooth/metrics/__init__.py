"""The metrics: each a pure function of the :class:`TokenStates` of several texts, declared beside its formula.

In come tokens as arrays; out go numbers, and what is said of them. Imports ``models`` and ``core``, and no torch.
To add one: write a function under :func:`~oversmooth.metrics.registry.metric` in the file of its family, or in a new
file; it then appears everywhere by itself. ``ORDER`` of a file says where its metrics stand among the others.
"""

from oversmooth.core.errors import UndefinedError
from oversmooth.metrics.evaluating import Evaluated, evaluate, number_of
from oversmooth.metrics.registry import (
    Definition,
    Metric,
    all_metrics,
    beside_baselines,
    fidelity_names,
    get,
    get_metric,
    names,
    plugin,
    usual_names,
)
from oversmooth.metrics.states import TokenStates

__all__ = [
    "Definition",
    "Evaluated",
    "Metric",
    "TokenStates",
    "UndefinedError",
    "all_metrics",
    "beside_baselines",
    "evaluate",
    "fidelity_names",
    "get",
    "get_metric",
    "names",
    "number_of",
    "plugin",
    "usual_names",
]
