"""Who sees the attention of a pass: one observer, for the one pass that was announced to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

See = Callable[[int, "Tensor"], None]
"""Is shown the attention matrices of a layer: (batch, head, query, key)."""


class Announcement:
    """Holds the observer of the next pass, which takes it away: no later pass finds it."""

    def __init__(self) -> None:
        self._next: _Observer | None = None

    @contextmanager
    def of_one_pass(self, see: See) -> Iterator[None]:
        """Have the one pass that is run inside the block seen.

        Raises:
            RuntimeError: where another pass is announced already, or the block ran none.
        """
        if self._next is not None:
            raise RuntimeError("a pass is announced already: its observer would be lost")
        observer = self._next = _Observer(see)
        try:
            yield
            if self._next is not None:
                raise RuntimeError("the pass that was announced was not run")
        finally:
            self._next = None
            observer.close()

    def take(self) -> See | None:
        """The observer of the pass that begins now; None where nobody announced it."""
        observer, self._next = self._next, None
        return observer


class _Observer:
    """Sees until it is closed."""

    def __init__(self, see: See) -> None:
        self._see: See | None = see

    def __call__(self, layer: int, attention: Tensor) -> None:
        if self._see is None:
            raise RuntimeError("attention was seen of a pass that nobody announced")
        self._see(layer, attention)

    def close(self) -> None:
        self._see = None
