"""Where worker processes come from: a fork server, or a start of their own."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest
from workers import gone, running, short, wait

from oversmooth.service.engine import Engine, launching
from oversmooth.service.engine.launching import Anew, ForkServer
from oversmooth.service.hosting import Limits


def fork_server(engine: Engine) -> psutil.Process:
    parent = psutil.Process(engine.worker_pids[0]).parent()
    assert parent is not None
    assert parent.parent() == psutil.Process()
    return parent


def test_a_worker_shares_the_memory_of_what_was_imported(engine: Engine) -> None:
    engine.submit(short("to be ready")).result(60)
    memory = psutil.Process(engine.worker_pids[0]).memory_full_info()
    assert memory.uss < memory.rss / 3


def test_nothing_that_a_fork_would_break_runs_beside_it(engine: Engine) -> None:
    wait(lambda: bool(engine.worker_pids))
    tasks = Path(f"/proc/{fork_server(engine).pid}/task").iterdir()
    _, *others = sorted((int(task.name), (task / "comm").read_text().strip()) for task in tasks)
    # Arrow's allocator holds its locks while the process is forked, and starts its thread anew in the copy.
    assert {name for _, name in others} <= {"jemalloc_bg_thd"}


def test_a_lost_fork_server_takes_no_run_with_it_and_is_replaced_with_the_next_worker(engine: Engine) -> None:
    engine.submit(short("before")).result(60)
    with running(engine, "under way") as handle:
        lost, (pid,) = fork_server(engine), engine.worker_pids
        lost.kill()
        wait(lambda: gone(lost.pid))
        assert not handle.done()
    engine.submit(short("same worker")).result(60)
    assert engine.worker_pids == (pid,)
    psutil.Process(pid).kill()
    wait(lambda: engine.worker_pids not in ((), (pid,)))
    engine.submit(short("next worker")).result(60)
    assert fork_server(engine).pid != lost.pid


def test_a_fork_server_that_does_not_answer_is_replaced(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.submit(short("while it answers")).result(60)
    silent, (pid,) = fork_server(engine), engine.worker_pids
    monkeypatch.setattr(launching, "START_SECONDS", 0.5)
    silent.suspend()
    psutil.Process(pid).kill()
    wait(lambda: gone(silent.pid))
    monkeypatch.undo()
    engine.submit(short("from another")).result(60)
    assert fork_server(engine).pid != silent.pid


def test_an_engine_that_is_closed_at_once_does_not_wait_for_imports() -> None:
    programs, threads = set(psutil.Process().children()), set(threading.enumerate())
    engine = Engine()
    wait(lambda: any(runs_its_program(child) for child in set(psutil.Process().children()) - programs))
    (importing,) = set(psutil.Process().children()) - programs
    importing.suspend()  # it would never be through
    closed_in_time(engine)
    assert gone(importing.pid)
    wait(lambda: set(threading.enumerate()) <= threads)


def runs_its_program(child: psutil.Process) -> bool:
    """Whether the child is beyond the moment between its fork and its program, in which it is a copy of its parent."""
    return "oversmooth.service.engine.fork_server" in child.cmdline()


def closed_in_time(engine: Engine) -> None:
    """Close an engine that may be held up; fails instead of waiting for it."""
    closing = threading.Thread(target=engine.close, daemon=True)
    closing.start()
    closing.join(10)
    assert not closing.is_alive(), "close waits for what never comes"


@pytest.mark.parametrize("way", [ForkServer, Anew])
def test_an_engine_closes_while_the_system_does_not_let_a_program_begin(
    way: type[ForkServer | Anew], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, asked, let_go = set(threading.enumerate()), threading.Event(), threading.Event()
    started: list[subprocess.Popen[bytes]] = []

    def held_up(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        """As where the child is stopped between its fork and its program."""
        asked.set()
        assert let_go.wait(120)
        started.append(popen(*arguments, **options))
        return started[-1]

    popen = subprocess.Popen
    monkeypatch.setattr("oversmooth.service.engine.engine.launcher", way)
    monkeypatch.setattr(subprocess, "Popen", held_up)
    engine = Engine(Limits(workers=2))
    try:
        assert asked.wait(60)
        closed_in_time(engine)
    finally:
        let_go.set()
    # Who had waited for it lets go of it.
    wait(lambda: set(threading.enumerate()) <= before)
    assert started
    assert all(gone(program.pid) for program in started)


def test_an_engine_closes_though_the_fork_server_does_not_answer() -> None:
    engine = Engine()
    wait(lambda: bool(engine.worker_pids))
    silent, (pid,) = fork_server(engine), engine.worker_pids
    silent.suspend()
    closed_in_time(engine)
    wait(lambda: gone(pid))
    assert gone(silent.pid)


def test_where_the_system_forks_badly_each_worker_is_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oversmooth.service.engine.engine.launcher", Anew)
    with Engine() as engine:
        engine.submit(short("anew")).result(60)
        (pid,) = engine.worker_pids
        assert psutil.Process(pid).parent() == psutil.Process()
        psutil.Process(pid).kill()
        wait(lambda: engine.worker_pids not in ((), (pid,)))
    wait(lambda: gone(pid))
