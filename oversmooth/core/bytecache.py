"""A cache bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ByteCache(Generic[Key, Value]):
    """Values by key; the least recently used go when the sum of sizes passes the limit. Not safe between threads.

    Args:
        limit: bytes; a single value larger than this is not kept.
        size: bytes of a value, or whatever the limit counts, which must not change while it is kept.
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
