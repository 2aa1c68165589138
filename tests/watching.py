"""What a process does, heard from Python itself: an audit hook for tests of code that nobody trusts."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

_FORBIDDEN = (
    "builtins.input",
    "ctypes.dlopen",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "pickle.find_class",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.sendto",
    "subprocess.Popen",
    "urllib.Request",
)
_OPENED = (
    sys.prefix,
    sys.base_prefix,
    str(Path(__file__).resolve().parents[1]),
    os.path.join(tempfile.gettempdir(), "tmp"),  # noqa: PTH118  as tempfile names its own
    "/proc/",
    "/sys/",
    os.devnull,
)
"""Where Python opens files while a model is loaded, besides its folder."""


class Watch:
    """Hears what the process does that loading the files of ``folder`` has no business with, while one is given.

    An audit hook cannot be taken away: use it in a process of its own.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.events: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.folder is None:
            return
        if event in _FORBIDDEN:
            self.events.append(f"{event} {arguments!r}"[:200])
        elif event == "exec" and str(self.folder.parent) in str(getattr(arguments[0], "co_filename", "")):
            self.events.append(f"exec {arguments[0].co_filename}")
        elif event == "open" and isinstance(arguments[0], str | bytes):
            path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100  links are followed by no look at the disk
            if not path.startswith((f"{self.folder}/", *_OPENED)):
                self.events.append(f"open {path}")
