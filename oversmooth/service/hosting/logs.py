"""What is logged and how; a server's log never holds a word of a visitor's text.

Oversmooth's own records have a constant event for a message and chosen fields. What a library logs may quote a text,
and so may the message of an exception and whatever is printed: in the form ``json``, of these are kept the place in the
code, the level, and the types and frames of exceptions.
"""

import io
import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal

from oversmooth.service.hosting.configuration import Configuration

_OWN: Final = "oversmooth"
_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_OF_A_VISITOR: Final = frozenset({"deserialize", "get_serialized"})
"""Functions of Streamlit that fail on what a page sends for a control and its control cannot hold: no fault of ours."""
_MOST_FRAMES: Final = 20
"""The innermost of each exception, so that a line stays short enough to be written whole."""


def form(configuration: Configuration) -> Literal["text", "json"]:
    """The form that the configuration names: without a name, ``json`` for a server that strangers use."""
    return configuration.log or ("json" if configuration.hosted else "text")


def configure(configuration: Configuration) -> None:
    """Send every logger of this process to standard error, in the form that the configuration names.

    To be called before other libraries are imported, which add ways of their own to log.
    """
    as_json = form(configuration) == "json"
    logging.setLoggerClass(_OneWay)
    # A way of its own, which stays when standard error is closed to everything else.
    own = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="backslashreplace")
    handler = logging.StreamHandler(own)
    handler.setFormatter(JsonForm() if as_json else TextForm())
    handler.addFilter(lambda record: _own(record) or record.levelno >= logging.WARNING)
    handler.addFilter(_told_apart)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    # At a terminal, trouble alone.
    logging.getLogger(_OWN).setLevel(logging.INFO if as_json else logging.WARNING)
    if as_json:
        logging.captureWarnings(True)
        _catch_exceptions()
        sys.stdout = sys.stderr = Unsaid()


def silence_file_descriptors() -> None:
    """After :func:`configure`: what libraries below Python print goes nowhere where the log is ``json``."""
    if isinstance(sys.stderr, Unsaid):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for standard in (1, 2):
            os.dup2(nowhere, standard)
        os.close(nowhere)


class JsonForm(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if _own(record):
            line |= {"event": str(record.msg), **_fields(record)}
        else:
            line["at"] = f"{record.filename}:{record.lineno}"
        if record.exc_info and record.exc_info[1] is not None:
            line["exceptions"] = [_described(error) for error in _chain(record.exc_info[1])]
        return json.dumps(line)


class TextForm(logging.Formatter):
    """For a person at a terminal, with everything."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        """Level, logger, message, and the fields of an own record."""
        fields = [f"{name}={value}" for name, value in _fields(record).items()] if _own(record) else []
        return " ".join((super().formatMessage(record), *fields))


class Unsaid(io.TextIOBase):
    """In the place of standard output and error: tells once that something was printed, never what."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self._told = False

    def writable(self) -> bool:
        """As for any stream that is written to."""
        return True

    def write(self, text: str) -> int:
        """Take a text and forget it."""
        if not self._told:
            self._told = True
            logging.getLogger(__name__).warning("output kept from the log")
        return len(text)


class _OneWay(logging.Logger):
    """Ignores handlers that libraries give to their loggers: all records go through the one of :func:`configure`."""

    def callHandlers(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        logging.getLogger().callHandlers(record)


def _catch_exceptions() -> None:
    log = logging.getLogger("uncaught")

    def told(kind: type[BaseException], error: BaseException | None, place: TracebackType | None) -> None:
        if error is not None and not isinstance(error, SystemExit):
            log.error("", exc_info=(kind, error, place))

    sys.excepthook = told
    threading.excepthook = lambda each: told(each.exc_type, each.exc_value, each.exc_traceback)
    sys.unraisablehook = lambda each: told(each.exc_type, each.exc_value, each.exc_traceback)


def _told_apart(record: logging.LogRecord) -> bool:
    """Take a page's error for a warning where a visitor has sent what no page sends; whoever likes could ring it."""
    error = record.exc_info[1] if record.exc_info and record.name.startswith("streamlit") else None
    frames = traceback.walk_tb(None if error is None else error.__traceback__)
    if any(frame.f_code.co_name in _OF_A_VISITOR for frame, _ in frames):
        record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
    return True


def _own(record: logging.LogRecord) -> bool:
    return record.name == _OWN or record.name.startswith(f"{_OWN}.")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in record.__dict__.items() if name not in _STANDARD}


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it came from, and so on; each once."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _described(error: BaseException) -> dict[str, Any]:
    places = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    frames = [f"{code.co_filename}:{line} {code.co_name}" for code, line in places]
    return {"type": type(error).__name__, "frames": frames[-_MOST_FRAMES:]}
