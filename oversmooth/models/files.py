"""What lies in a model folder: which files are read, their headers and hashes. No weight is loaded here."""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from safetensors import safe_open

from oversmooth.core.errors import ModelError
from oversmooth.core.wording import bytes_in_words, count
from oversmooth.models.given import Precision
from oversmooth.models.reading import ordinary, read_fields
from oversmooth.models.refusal import refusing, tensor_name

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
BYTES_PER_PARAMETER: Mapping[Precision, int] = {"float32": 4, "float64": 8}
"""By the type in which weights are held, whatever that of the checkpoint."""

SHARD = re.compile(r"model[\w.-]*\.safetensors")
_SUPPORT = (".json", ".txt", ".model", ".spm", ".codes")
"""Configuration and tokenizer files."""
_TOKENIZER = ("tokenizer", "vocab", "merges", "spiece", "sentencepiece", "spm", "source.spm", "target.spm", "bpe.codes")
_TOKENIZER_EXTRAS = ("added_tokens.json", "special_tokens_map.json")

_MEMORY_HEADROOM = 1.2
"""Activations, and the copy of the tensor that is being converted."""

_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_QUANTISED = ("F8", "F6", "F4")

_HEADER_LIMIT = 8 * 1024**2
"""The format allows 100 MB; the largest published models need under one."""
_MOST_TENSORS = 50_000
"""In one file; the largest published mixtures of experts have a third, spread over many files."""
_METADATA = "__metadata__"


class Stored(NamedTuple):
    """One tensor, as the header of its file describes it."""

    dtype: str
    """As safetensors writes it: ``F32``."""
    shape: tuple[int, ...]

    @property
    def coded(self) -> bool:
        """Whether it holds no floating-point numbers."""
        return self.dtype not in _DTYPES


@dataclass(frozen=True)
class Checkpoint:
    """The weight files of a folder, as their headers describe them."""

    files: tuple[str, ...]
    parameters: int
    dtype: str
    """In which type most of the parameters are stored."""
    tensors: Mapping[str, Stored]
    """By the names in the files."""


def wanted(names: Collection[str]) -> list[str]:
    """Of the file names of a model, those that loading it reads: configuration, tokenizer, safetensors weights."""
    top = [name for name in names if "/" not in name]
    weights = [WEIGHTS] if WEIGHTS in top else [name for name in top if INDEX in top and SHARD.fullmatch(name)]
    return [name for name in top if name.endswith(_SUPPORT)] + weights


def tokenizer_files(folder: Path) -> tuple[str, ...]:
    """Names of the files that hold a tokenizer or a part of it, sorted; empty where it has none of its own."""
    names = sorted(each.name for each in folder.iterdir() if each.name.endswith(_SUPPORT))
    if not any(name.startswith(_TOKENIZER) for name in names):
        return ()
    return tuple(name for name in names if name.startswith(_TOKENIZER) or name in _TOKENIZER_EXTRAS)


def read_checkpoint(folder: Path, name: str) -> Checkpoint:
    """Check from their headers that all weight files are there and whole, and count what they hold."""
    names = _shards(folder, name)
    tensors: dict[str, Stored] = {}
    for each in names:
        more = _tensors(folder / each, name)
        twice = sorted(tensors.keys() & more.keys())
        if twice:
            raise ModelError(
                f"{tensor_name(twice[0])} stands in two weight files of “{name}”: one of them is another model's."
            )
        tensors |= more
    parameters: Counter[str] = Counter()
    for tensor in tensors.values():
        if not tensor.coded:
            parameters[_DTYPES[tensor.dtype]] += math.prod(tensor.shape)
    if not parameters.total():
        raise ModelError(f"The weight files of “{name}” hold no parameters.")
    return Checkpoint(names, parameters.total(), parameters.most_common(1)[0][0], tensors)


def _tensors(path: Path, name: str) -> dict[str, Stored]:
    """The tensors in one file of the model ``name``, by their names; refused are headers beyond any that is of use."""
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
        found = {each: Stored(field["dtype"], tuple(field["shape"])) for each, field in listed.items()}
    for dtype in {each.dtype for each in found.values()}:
        if dtype not in _DTYPES and dtype.startswith(_QUANTISED):
            raise ModelError(f"“{name}” is stored quantised ({dtype}). Measure the model it was made from.")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object each of whose keys stands there once: of two equal ones, readers take this one or that."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _shards(folder: Path, name: str) -> tuple[str, ...]:
    if (folder / WEIGHTS).is_file():
        return (WEIGHTS,)
    index = read_fields(folder / INDEX, name)
    with refusing(f"{INDEX} of “{name}” cannot be read"):
        shards = sorted(set(index["weight_map"].values()))
    strange = [each for each in shards if not isinstance(each, str) or not SHARD.fullmatch(each)]
    if strange or not shards:
        raise ModelError(f"{INDEX} of “{name}” does not name weight files in the same folder: {strange[:2]}.")
    missing = [each for each in shards if not (folder / each).is_file()]
    if missing:
        raise ModelError(
            f"“{name}” is incomplete: {len(missing)} of {count(len(shards), 'weight file')} "
            f"{'is' if len(missing) == 1 else 'are'} missing ({', '.join(missing[:2])})."
        )
    return tuple(shards)


def hashes(folder: Path, files: Collection[str], published: Mapping[str, str], name: str) -> dict[str, str]:
    """SHA-256 of each file; one that is not the published one, where that is known, is refused."""
    found = {}
    for each in files:
        with refusing(f"{each} of “{name}” cannot be read"), ordinary(folder / each).open("rb") as file:
            found[each] = hashlib.file_digest(file, "sha256").hexdigest()
        if found[each] != published.get(each, found[each]):
            raise ModelError(
                f"{each} of “{name}” is not the file that was published (SHA-256 {found[each][:12]}… instead of "
                f"{published[each][:12]}…). Delete {(folder / each).resolve()} and fetch it again."
            )
    return found


def require_memory(parameters: int, name: str, precision: Precision) -> None:
    """Refuse a model that does not fit into the memory that is free now."""
    needed = parameters * BYTES_PER_PARAMETER[precision] * _MEMORY_HEADROOM
    available = psutil.virtual_memory().available
    if needed > available:
        raise ModelError(
            f"“{name}” does not fit into memory: its {count(parameters, 'parameter')} need about "
            f"{bytes_in_words(needed)} as {precision}, and {bytes_in_words(available)} are free. "
            "Choose a smaller model or close other programs."
        )
