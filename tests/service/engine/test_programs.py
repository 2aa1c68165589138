"""Whole programs that use the engine: what they import, and what is left when they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import IO, cast

import pytest
from workers import gone, wait

Program = subprocess.Popen[str]


@pytest.fixture
def start() -> Iterator[Callable[[str], Program]]:
    """Starts Python code as a program of its own, which is gone after the test."""
    started: list[Program] = []

    def run(code: str) -> Program:
        pipe = subprocess.PIPE
        program = subprocess.Popen(
            [sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
        started.append(program)
        return program

    yield run
    for program in started:
        program.kill()
        program.communicate()


def line(program: Program) -> str:
    """What it prints next; nothing, where it says nothing for a minute and is ended."""
    end = threading.Timer(60, program.kill)
    end.start()
    try:
        return cast(IO[str], program.stdout).readline().strip()
    finally:
        end.cancel()


MEASURE = """
import sys
from oversmooth.service.engine import Engine
from workers import short
engine = Engine()
engine.submit(short("first")).result(120)
print(*(name for name in ("torch", "transformers", "streamlit", "plotly") if name in sys.modules))
try:
    print(*engine.worker_pids, flush=True)
    input()
except KeyboardInterrupt:
    engine.submit(short("second")).result(120)
    print(*engine.worker_pids, flush=True)
input()
"""


def test_the_program_imports_no_torch_and_its_worker_outlives_an_interrupt_but_not_the_program(
    start: Callable[[str], Program],
) -> None:
    program = start(f"import sys; sys.path[:0] = {sys.path!r}\n{MEASURE}")
    assert line(program) == ""
    pid = line(program)
    os.killpg(program.pid, signal.SIGINT)
    assert line(program) == pid
    program.kill()
    wait(lambda: gone(int(pid)))
    assert program.communicate(timeout=60)[1] == ""


UNCLOSED = """
from oversmooth.service.engine import Engine
engine = Engine()
while not engine.worker_pids:
    pass
print(*engine.worker_pids, flush=True)
"""


def test_an_engine_that_nobody_closed_ends_with_the_program(start: Callable[[str], Program]) -> None:
    program = start(UNCLOSED)
    said, complaints = program.communicate(timeout=60)
    assert complaints == ""
    assert program.returncode == 0
    assert gone(int(said))


PIPES = """
import os
from oversmooth.service.engine.worker import private_pipes
requests, answers = private_pipes()
print("printed", flush=True)
os.write(1, b"written")
answers.write(b"the answer to " + requests.read())
answers.flush()
try:
    input()
except EOFError:
    pass
"""


def test_what_libraries_print_stays_out_of_the_answers(start: Callable[[str], Program]) -> None:
    said, complaints = start(PIPES).communicate("the request", timeout=60)
    assert said == "the answer to the request"
    assert complaints == "printed\nwritten"
