"""The requests of one page, handed to the engine a few at a time, so that no page fills the queue for the others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final
from weakref import WeakValueDictionary

from oversmooth.core.errors import CancelledError, LimitError, OversmoothError
from oversmooth.core.progress import Progress
from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings
from oversmooth.service.engine import Handle, Owner
from oversmooth.service.engine.engine import shared_engine
from oversmooth.service.hosting import current

_FOLDERS: Final = re.compile(r"(?<![\w:/])/(?:[^\s/“”]+/)+")


@dataclass(frozen=True)
class Outcomes:
    """What became of several requests, by their labels, in order."""

    measurements: dict[str, Measurement]
    failures: dict[str, str]
    """The reason, in a sentence, of each that could not be measured."""


class PageRequests:
    """Requests in order, of which no more are in flight than the limit ``in_flight`` allows. Draws nothing.

    Args:
        requests: by label.
        owner: the page that asks; what it asked for before is given up.
    """

    def __init__(self, requests: Mapping[str, Settings], owner: Owner | str | None) -> None:
        self.failures: dict[str, str] = {}
        self._requests = requests
        self._waiting = dict(requests)
        self._handles: dict[str, Handle[Measurement]] = {}
        self._owner = owner
        self._given_up = False
        self._lock = Lock()
        if owner is not None:
            # Streamlit starts the next run of a page before the one that it replaces has noticed.
            if (before := _latest.get(owner)) is not None:
                before.give_up()
            _latest[owner] = self

    def submit(self) -> None:
        """Hand over what may be in flight now.

        Raises:
            CancelledError: the engine was shut down.
        """
        with self._lock:
            while self._waiting and not self._given_up and not self._full():
                label = next(iter(self._waiting))
                try:
                    self._handles[label] = shared_engine().submit(self._waiting[label], owner=self._owner)
                except CancelledError:
                    raise
                except OversmoothError as error:
                    if isinstance(error, LimitError) and error.limit == "in_flight":
                        return
                    self.failures[label] = _reason(error)
                del self._waiting[label]

    def pending(self) -> list[str]:
        """Labels of the requests that have no outcome yet."""
        return [label for label in self._requests if label in self._waiting or not self._ended(label)]

    def progress(self, label: str) -> Progress:
        """Where a request is that was not refused."""
        handle = self._handles.get(label)
        return Progress("queue") if handle is None else handle.progress

    def outcomes(self) -> Outcomes:
        """What became of all of them, in order, as soon as none is pending.

        Raises:
            CancelledError: the page has gone on, or the engine was shut down.
        """
        if self._given_up:
            raise CancelledError("The page has gone on to other requests.")
        measurements, failures = {}, {}
        for label in self._requests:
            try:
                if label in self.failures:
                    failures[label] = self.failures[label]
                else:
                    measurements[label] = self._handles[label].result()
            except CancelledError:
                raise
            except OversmoothError as error:
                failures[label] = _reason(error)
        return Outcomes(measurements, failures)

    def give_up(self) -> None:
        """Stop waiting for all of them."""
        with self._lock:
            self._given_up = True
            self._waiting.clear()
            for handle in self._handles.values():
                handle.cancel()

    def _full(self) -> bool:
        most = current().limits.in_flight
        return most is not None and sum(not handle.done() for handle in self._handles.values()) >= most

    def _ended(self, label: str) -> bool:
        return self._given_up or label in self.failures or self._handles[label].done()


_latest: Final[WeakValueDictionary[Owner | str, PageRequests]] = WeakValueDictionary()
"""By page; gone with the run of the page that made it."""


def _reason(error: OversmoothError) -> str:
    """What the page says of an error: to strangers, without the folders of this server."""
    return _FOLDERS.sub("", str(error)) if current().hosted else str(error)
