"""A file that a button of a page offers, written by the engine when somebody presses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oversmooth.service.engine.engine import shared_engine

if TYPE_CHECKING:
    from oversmooth.report.export.requests import Export
    from oversmooth.service.engine import Handle, Owner

_named: Final[ContextVar[bool]] = ContextVar("named", default=False)


class NamedError(Exception):
    """Carries what was asked for to who can wait for it without a thread."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__()
        self.wanted = wanted


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a download button is given in the place of a file."""

    make: Callable[[], Export]
    """What to write, as the page stands when the button is pressed."""
    owner: Owner | None
    """The page."""
    file_name: str
    media_type: str

    def submit(self) -> Handle[bytes]:
        """Ask the engine for it; errors as of :meth:`oversmooth.service.engine.Engine.export`."""
        return shared_engine().export(self.make(), owner=self.owner)

    def __call__(self) -> bytes:
        """The file, as Streamlit asks for it.

        Raises:
            NamedError: inside :func:`named`.
            OversmoothError: why it cannot be had.
        """
        if _named.get():
            raise NamedError(self)
        return self.submit().result()


@contextmanager
def named() -> Iterator[None]:
    """Meanwhile, files that are asked for are told by a :class:`NamedError`, and not waited for."""
    token = _named.set(True)
    try:
        yield
    finally:
        _named.reset(token)
