"""Names that callers give for a model, a device and a precision: without torch, which may be imported or not."""

import os
import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, WithJsonSchema

from oversmooth.core.errors import ModelError

DEFAULT_MODEL: Final = "all-MiniLM-L6-v2"

Precision = Literal["float32", "float64"]
"""Of the numbers in which a model runs."""

PATTERN: Final = r"^(auto|cpu|mps|cuda(:[0-9]{1,3})?)$"
_FIRST: Final = {"cpu:0": "cpu", "mps:0": "mps"}
"""There is one of each, and torch may count it."""


def device_name(value: object) -> str:
    """The name of a device or ``torch.device``: ``auto``, ``cpu``, ``mps``, ``cuda``, ``cuda:1``; else a ValueError."""
    given = str(value) if isinstance(value, str) or type(value).__module__ == "torch" else ""
    name = _FIRST.get(given, given)
    if not re.fullmatch(PATTERN[1:-1], name):
        raise ValueError(
            f"“{str(value)[:40]}” is no device: choose auto, cpu, mps or cuda, or one of several GPUs by its number, "
            "as cuda:1"
        )
    return name


def model_name(value: object) -> str:
    """The name of a model, or of the folder that a ``pathlib.Path`` stands for; a ValueError for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        path = os.fspath(value)
        if isinstance(path, str):
            # A path of one part may also be a name of the catalog, which is not meant.
            return path if len(Path(path).parts) > 1 else f".{os.sep}{path}"
    raise ValueError(
        f"a model is given as a name or as the path of its folder, not as {_kind(value)}: save a model in memory with "
        "save_pretrained, its tokenizer beside it, and give the folder"
    )


def _kind(value: object) -> str:
    return "nothing (None)" if value is None else f"an object of the class {type(value).__name__}"


def refuse_other_models(value: object, known: type) -> None:
    """Refuse what is given as a loaded model and is none."""
    if value is not None and not isinstance(value, known):
        raise ModelError(
            f"A loaded model is what oversmooth.load gives, not {_kind(value)}. Without “model”, the model that the "
            "settings name is loaded; one in memory is saved with save_pretrained, its tokenizer beside it, and its "
            "folder named."
        )


Device = Annotated[str, BeforeValidator(device_name), WithJsonSchema({"type": "string", "pattern": PATTERN})]
"""``auto`` takes CUDA, else MPS, else the CPU; ``cuda:1`` is the second of several GPUs."""
