"""A server that is asked to end while it is still importing its libraries, as the first process of a container too."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
import pytest
from served import free_ports
from workers import gone, wait

NAMESPACE: Final = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
ENDLESS: Final = """
import os, pathlib, threading
pathlib.Path({reached!r}).write_text(str(os.getpid()))
threading.Event().wait()
"""
"""A library whose import takes for ever."""


def process_one() -> tuple[str, ...]:
    """What makes a command process 1; nothing where this system lets nobody do so."""
    with contextlib.suppress(OSError):
        if subprocess.run([*NAMESPACE, "true"], capture_output=True, timeout=60).returncode == 0:
            return NAMESPACE
    return ()


@contextmanager
def importing(library: str, folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], psutil.Process]]:
    """The command in the middle of importing a library: the program started, and the command's own process."""
    reached, log = folder / "reached", folder / "log"
    (folder / f"{library}.py").write_text(ENDLESS.format(reached=str(reached)))
    command = [*process_one(), sys.executable, "-m", "oversmooth", *arguments]
    environment = os.environ | {"PYTHONPATH": str(folder), "OVERSMOOTH_PROFILE": "hosted-xs"}
    with log.open("w") as sink:
        program = subprocess.Popen(command, env=environment, stdout=sink, stderr=sink)
    try:
        wait(lambda: reached.exists() and bool(reached.read_text()))
        if process_one():
            assert reached.read_text() == "1"
            (inner,) = psutil.Process(program.pid).children()
            yield program, inner
        else:
            yield program, psutil.Process(program.pid)
    finally:
        program.kill()
        program.wait(60)


@pytest.mark.parametrize("library", ["typer", "pydantic_settings", "prometheus_client", "streamlit"])
def test_sigterm_ends_it_in_good_order(library: str, tmp_path: Path) -> None:
    with importing(library, tmp_path, "app", "--host", "127.0.0.1", "--port", str(free_ports(1)[0])) as (
        program,
        process,
    ):
        process.send_signal(signal.SIGTERM)
        assert program.wait(10) == 0
        assert gone(process.pid)
    assert (tmp_path / "log").read_text() == ""


def test_sigterm_ends_another_command_with_the_code_for_it(tmp_path: Path) -> None:
    with importing("typer", tmp_path, "allow", "some-model") as (program, process):
        process.send_signal(signal.SIGTERM)
        assert program.wait(10) == 128 + signal.SIGTERM
