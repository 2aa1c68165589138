"""Files that strangers wrote: ordinary ones alone, and never more of them than a file of their kind has."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from oversmooth.core.errors import ModelError
from oversmooth.core.wording import bytes_in_words
from oversmooth.models.refusal import refusing

_JSON_LIMIT = 32 * 1024**2
"""Bytes of a configuration or an index; that of a model of a million million parameters has a third."""
_SUPPORT_LIMIT = 256 * 1024**2
"""Bytes of a tokenizer's file; the largest published ones have a quarter."""
_DEEPEST = 64
_POINTER = b"version https://git-lfs.github.com/spec/"
_POINTER_LIMIT = 1024
"""Bytes; those that git-LFS puts in the place of a file have a tenth."""
_WEIGHTS = ".safetensors"
_READ_BY_TRANSFORMERS = (".json", ".txt", ".model", ".jinja", _WEIGHTS)


def ordinary(path: Path) -> Path:
    """The path of a file that can be read to its end; an OSError for a pipe, which would never end, and the like."""
    if not path.is_file():
        raise OSError("it is missing or not an ordinary file")
    return path


def refuse_strange_files(folder: Path, name: str) -> None:
    """Refuse a folder in which a file that transformers may open by itself is none, or larger than any of its kind."""
    with refusing(f"The files of “{name}” cannot be read"):
        paths = sorted(path for path in folder.iterdir() if path.name.endswith(_READ_BY_TRANSFORMERS))
    for path in paths:
        with refusing(f"{path.name} of “{name}” cannot be read"), ordinary(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            is_pointer = size < _POINTER_LIMIT and file.read(len(_POINTER)) == _POINTER
        if is_pointer:
            raise ModelError(
                f"{path.name} of “{name}” is a pointer of git-LFS, not the file itself. Run `git lfs pull` in the "
                "repository, or download the model anew."
            )
        if size > _SUPPORT_LIMIT and path.suffix != _WEIGHTS:
            _refuse_size(path, name, _SUPPORT_LIMIT)


def read_json(path: Path, name: str) -> Any:  # noqa: ANN401  what JSON holds
    """What a JSON file of the model ``name`` holds; refused where it is larger or deeper than any of its kind."""
    with refusing(f"{path.name} of “{name}” cannot be read"), ordinary(path).open("rb") as file:
        content = file.read(_JSON_LIMIT + 1)
    if len(content) > _JSON_LIMIT:
        _refuse_size(path, name, _JSON_LIMIT)
    with refusing(f"{path.name} of “{name}” is not JSON"):
        value = json.loads(content)
    if any(depth > _DEEPEST for depth, _ in _walk(value)):
        raise ModelError(f"{path.name} of “{name}” nests more than {_DEEPEST} levels deep.")
    return value


def read_fields(path: Path, name: str) -> dict[str, Any]:
    """The fields of a JSON file, which is refused where it holds no object."""
    fields = read_json(path, name)
    if not isinstance(fields, dict):
        raise ModelError(f"{path.name} of “{name}” is not a JSON object.")
    return fields


def anywhere(value: object, key: str) -> bool:
    """Whether a key stands, not empty, at any depth: configurations nest, one for each part of a model."""
    return any(isinstance(each, dict) and bool(each.get(key)) for _, each in _walk(value))


def _walk(value: object) -> Iterator[tuple[int, object]]:
    """The value and all lists and objects in it, with their depths; without recursion, which deep ones exhaust."""
    waiting = [(0, value)]
    while waiting:
        depth, each = waiting.pop()
        yield depth, each
        inner = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        waiting += [(depth + 1, part) for part in inner if isinstance(part, dict | list)]


def _refuse_size(path: Path, name: str, limit: int) -> None:
    raise ModelError(f"{path.name} of “{name}” has more than {bytes_in_words(limit)}; no such file is that large.")
