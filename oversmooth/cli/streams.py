"""Standard output and standard error as a person set them up: closed, full, or read by someone who left."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, Final, TextIO

from oversmooth.core.errors import OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LEFT: Final = 128 + 13
"""The exit code where whoever read standard output left, as shells give it to a program that SIGPIPE ended."""


class ReaderLeftError(OutputError):
    """Whoever read standard output left before everything was told."""


class _Output(io.FileIO):
    """Raises once, with a sentence, where nothing can be written, and then takes what is still in buffers."""

    _lost = False

    def write(self, content: ReadableBuffer) -> int:
        if self._lost:
            return memoryview(content).nbytes
        try:
            return super().write(content)
        except OSError as error:
            self._lost = True
            if error.errno == errno.EPIPE:
                raise ReaderLeftError(
                    "Standard output was closed by what read it, and the rest was not told."
                ) from error
            raise OutputError(
                f"Standard output cannot be written ({error.strerror or error}), and not everything was told. Make "
                "room, or send it elsewhere."
            ) from error


class _Errors(io.FileIO):
    """Drops what nobody can be told."""

    def write(self, content: ReadableBuffer) -> int:
        try:
            return super().write(content)
        except OSError:
            return memoryview(content).nbytes


def guard() -> None:
    """Have what happens to standard output told in sentences, and characters that a terminal lacks replaced."""
    sys.stderr = open(os.devnull, "w") if sys.stderr is None else _guarded(sys.stderr, _Errors)  # noqa: SIM115, PTH123
    if sys.stdout is None:
        raise OutputError("Standard output is closed, so that nothing can be told. Send it to a file, or to /dev/null.")
    sys.stdout = _guarded(sys.stdout, _Output)


def _guarded(stream: TextIO, kind: type[io.FileIO]) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.reconfigure(errors="replace")
    raw = getattr(stream.buffer, "raw", stream.buffer)
    if type(raw) is not io.FileIO:
        return stream  # A console of Windows, which is written in its own way.
    stream.flush()
    file = kind(raw.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
