"""The header of a safetensors file: what it says of its tensors, checked before any library makes room for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import safe_open

from oversmooth.core.errors import ModelError
from oversmooth.core.wording import bytes_in_words
from oversmooth.models.reading import ordinary
from oversmooth.models.refusal import refusing

DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_QUANTISED = ("F8", "F6", "F4")

_HEADER_LIMIT = 8 * 1024**2
"""The format allows 100 MB; the largest published models need under one."""
_MOST_TENSORS = 50_000
"""In one file; the largest published mixtures of experts have a third, spread over many files."""
_METADATA = "__metadata__"


class Described(NamedTuple):
    """One tensor, as the header describes it."""

    dtype: str
    """As safetensors writes it: ``F32``."""
    shape: tuple[int, ...]


def tensors(path: Path, name: str) -> dict[str, Described]:
    """The tensors in one file of the model ``name``, by their names.

    Raises:
        ModelError: truncated, not in the format, quantised, or a header beyond any that is of use.
    """
    damaged = f"{path.name} of “{name}” is damaged or incomplete"
    with refusing(damaged), ordinary(path).open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        content = file.read(min(length, _HEADER_LIMIT))
    if length > _HEADER_LIMIT:
        raise ModelError(f"{damaged}: its header claims {bytes_in_words(length)}.")
    with refusing(damaged):
        listed = json.loads(content, object_pairs_hook=_once)
        listed.pop(_METADATA, None)
    if len(listed) > _MOST_TENSORS:
        raise ModelError(f"{damaged}: its header claims {len(listed):,} tensors.")
    with refusing(damaged):
        # Opening it makes the safetensors library compare every offset with the file's length.
        with safe_open(str(path), framework="numpy"):
            pass
        found = {each: Described(field["dtype"], tuple(field["shape"])) for each, field in listed.items()}
    for dtype in {each.dtype for each in found.values()}:
        if dtype not in DTYPES and dtype.startswith(_QUANTISED):
            raise ModelError(f"“{name}” is stored quantised ({dtype}). Measure the model it was made from.")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object each of whose keys stands there once: of two equal ones, readers take this one or that."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a name stands there twice")
    return found
