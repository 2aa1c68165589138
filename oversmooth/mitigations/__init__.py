"""The mitigations: each one file with its formula, its parameters and where it attaches. Imports no torch.

In come words and parameters; out go methods that say where they act. Imports ``metrics`` and ``core``.
To add one: write a class under :func:`~oversmooth.mitigations.registry.mitigation` in a file of its own; it then
appears everywhere by itself. ``ORDER`` of a file says where its method stands among the others.
"""

from typing import Any

from oversmooth.mitigations.registry import Declaration, Mitigation, all_mitigations, get, names, plugin
from oversmooth.mitigations.specification import parse

__all__ = ["Declaration", "Mitigation", "all_mitigations", "get", "names", "parse", "plugin"]


def __getattr__(name: str) -> Any:  # noqa: ANN401  a class, or what Python asks a package for
    """The class of a mitigation, as ``from oversmooth.mitigations import NeuTRENO`` asks for it."""
    for method in all_mitigations() if name[:1].isupper() else ():
        if method.__name__ == name:
            return method
    raise AttributeError(f"There is no mitigation {name}.")


def __dir__() -> list[str]:
    """What completion in a notebook offers: the classes too."""
    return sorted([*__all__, *(method.__name__ for method in all_mitigations())])
