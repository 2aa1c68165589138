"""The metrics: each a pure function of one :class:`TokenStates`, declared beside its formula.

To add one: write a function under :func:`~oversmooth.metrics.registry.metric` in the file of its family,
and, for a new family, add the file to the import below. It then appears everywhere by itself.
"""

# The order of these imports is the order in which the metrics are shown.
# isort: off
from oversmooth.metrics import similarity
from oversmooth.metrics import rank
from oversmooth.metrics import spectrum
from oversmooth.metrics import frequency
from oversmooth.metrics import scale
from oversmooth.metrics import fidelity
from oversmooth.metrics import identity
from oversmooth.metrics import outputs

# isort: on
from oversmooth.metrics.registry import (
    Definition,
    Metric,
    UndefinedError,
    all_metrics,
    fidelity_names,
    get,
    get_metric,
    names,
    usual_names,
)
from oversmooth.metrics.states import TokenStates

__all__ = [
    "Definition",
    "Metric",
    "TokenStates",
    "UndefinedError",
    "all_metrics",
    "fidelity",
    "fidelity_names",
    "frequency",
    "get",
    "get_metric",
    "identity",
    "names",
    "outputs",
    "rank",
    "scale",
    "similarity",
    "spectrum",
    "usual_names",
]
