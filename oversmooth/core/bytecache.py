"""A cache bounded in bytes."""

from collections.abc import Hashable
from typing import TypeVar

from cachetools import LRUCache

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ByteCache(LRUCache[Key, Value]):
    """Values by key; the least recently used go when the sum of sizes passes the limit. Not safe between threads.

    Args:
        maxsize: bytes, or whatever ``getsizeof`` counts.
        getsizeof: bytes of a value, which must not change while it is kept.
    """

    def put(self, key: Key, value: Value) -> None:
        """Keep a value, in place of any other under its key; one that is larger than all bytes is not kept."""
        self.pop(key, None)
        if self.getsizeof(value) <= self.maxsize:
            self[key] = value
