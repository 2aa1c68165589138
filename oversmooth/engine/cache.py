"""A cache bounded in bytes, and what results and model folders are known by in it."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from oversmooth.measurement import Measurement
    from oversmooth.settings import Settings

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

BYTES_PER_TOKEN = 400
"""One ``Token`` with its text, in CPython."""


class ByteCache(Generic[Key, Value]):
    """Values by key; the least recently used go when the sum of sizes passes the limit. Not safe between threads.

    Args:
        limit: bytes; a single value larger than this is not kept.
        size: bytes of a value, which must not change while it is kept.
    """

    def __init__(self, limit: int, size: Callable[[Value], int]) -> None:
        self.limit = limit
        self.bytes = 0
        self._size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Key) -> Value | None:
        """The value, now the most recently used, or None."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key]

    def put(self, key: Key, value: Value) -> None:
        """Keep a value, in place of any other under its key."""
        self._remove(key)
        if self._size(value) > self.limit:
            return
        self._values[key] = value
        self.bytes += self._size(value)
        while self.bytes > self.limit:
            self._remove(next(iter(self._values)))

    def _remove(self, key: Key) -> None:
        if key in self._values:
            self.bytes -= self._size(self._values.pop(key))


def measurement_bytes(measurement: Measurement) -> int:
    """Memory of a result: its arrays, its texts, and a constant per token."""
    arrays = measurement.curves.nbytes + measurement.spectra.nbytes
    if measurement.similarity is not None:
        arrays += measurement.similarity.nbytes
    tokens = sum(len(tokens.items) for tokens in measurement.tokens)
    return arrays + BYTES_PER_TOKEN * tokens + sum(map(sys.getsizeof, measurement.settings.texts))


def request_key(settings: Settings) -> tuple[Hashable, ...]:
    """Equal for two requests exactly when one result serves both."""
    return settings.key(), folder_fingerprint(settings.model)


def folder_fingerprint(model: str) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of change of each file of a local model folder; empty for a model from elsewhere.

    A folder that is saved over under the same name is thus another model.
    """
    try:
        folder = Path(model).expanduser()
        if not folder.is_dir():
            return ()
        # Not below: weights, configuration and tokenizer lie at the top, and somebody may have typed "/".
        status = [(path.name, path.stat()) for path in folder.iterdir() if path.is_file()]
    except (OSError, ValueError, RuntimeError):  # no permission; a NUL in the name; "~nobody"
        return ()
    return tuple(sorted((name, file.st_size, file.st_mtime_ns) for name, file in status))
