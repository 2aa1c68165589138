"""The mitigations: each one file with its formula, its parameters and where it attaches. Imports no torch.

To add one: write a class under :func:`~oversmooth.mitigations.registry.mitigation` in a file of its own and add the
file to the import below. It then appears everywhere by itself.
"""

# The order of these imports is the order in which the mitigations are shown.
# isort: off
from oversmooth.mitigations import attnscale
from oversmooth.mitigations import pairnorm

# isort: on
from oversmooth.mitigations.registry import Declaration, Mitigation, all_mitigations, get, names
from oversmooth.mitigations.specification import parse

__all__ = [
    "Declaration",
    "Mitigation",
    "all_mitigations",
    "attnscale",
    "get",
    "names",
    "pairnorm",
    "parse",
]
