"""Mitigations as text: ``neutreno:strength=0.4+attnscale:omega=0.5,layers=0-2``."""

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from oversmooth.core.errors import MitigationError
from oversmooth.core.wording import did_you_mean
from oversmooth.mitigations import registry
from oversmooth.mitigations.registry import Mitigation

_JOINT = re.compile(r"\+(?=\s*[a-zA-Z_])")
"""Between two methods; the plus sign of ``1e+3`` is none."""
MOST = 16
"""Methods in one set; far more than anyone combines, and few enough that a pasted address cannot stall the page."""
LONGEST = 10_000
"""Characters of a specification; sixteen methods with every parameter and long lists of layers take a third."""


def parse(text: str) -> tuple[Mitigation, ...]:
    """The methods that a specification names, in its order.

    Raises:
        MitigationError: for an unknown method or parameter, a value out of range, or methods that exclude each other.
    """
    if len(text) > LONGEST:
        raise MitigationError(f"A specification has at most {LONGEST:,} characters, not {len(text):,}.")
    parts = [part.strip() for part in _JOINT.split(text)]
    if len(parts) > MOST:
        raise MitigationError(f"At most {MOST} mitigations can be combined, not {len(parts)}.")
    methods = tuple(_one(part) for part in parts)
    check_together(methods)
    return methods


def check_together(methods: Sequence[Mitigation]) -> None:
    """Refuse methods that undo each other, or one that is given twice."""
    for first, second in combinations(methods, 2):
        names = first.declaration.name, second.declaration.name
        if names[0] == names[1]:
            raise MitigationError(f"“{names[0]}” is given twice: give it once, with the parameters you mean.")
        excluded = names[1] in first.declaration.excludes or names[0] in second.declaration.excludes
        if excluded and _share_layers(first, second):
            raise MitigationError(
                f"“{names[0]}” and “{names[1]}” contradict each other in the same layers: one undoes the other. "
                "Leave one out, or give each its own layers."
            )


def _share_layers(first: Mitigation, second: Mitigation) -> bool:
    if first.layers is None or second.layers is None:
        return () not in (first.layers, second.layers)
    return not set(first.layers).isdisjoint(second.layers)


def _one(text: str) -> Mitigation:
    name, colon, rest = text.partition(":")
    name = name.strip()
    if not name:
        raise MitigationError("A mitigation is missing: write its name, such as “neutreno:strength=0.05”.")
    if name not in registry.names():
        near = did_you_mean(name, registry.names())
        raise MitigationError(f"There is no mitigation named “{name}”{near}; `oversmooth mitigations` lists them.")
    method = registry.get(name)
    values: dict[str, Any] = {}
    for assignment in rest.split(",") if colon and rest.strip() else ():
        key, value = _assignment(method, assignment)
        if key in values:
            raise MitigationError(f"{name}: “{key}” is given twice.")
        values[key] = value
    return method(**values)


def _assignment(method: type[Mitigation], text: str) -> tuple[str, Any]:
    name, parameters = method.declaration.name, method.parameters()
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals:
        raise MitigationError(f"{name}: write “{key or '…'}=value”; its parameters are {', '.join(parameters)}.")
    if key not in parameters:
        near = did_you_mean(key, parameters)
        raise MitigationError(f"{name} has no parameter “{key}”{near}; its parameters are {', '.join(parameters)}.")
    try:
        return key, parameters[key].read(value)
    except MitigationError as error:
        raise MitigationError(f"{name}: {error}.") from error
