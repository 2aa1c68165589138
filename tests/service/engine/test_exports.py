"""Files are written by processes that can be killed, behind a queue of their own."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from slow_files import Crash, Hung, Slow
from synthetic import measurement
from workers import wait

from oversmooth.core.errors import CancelledError, DeadlineError, LimitError, QueueFullError, WorkerLostError
from oversmooth.report.export.requests import NumbersFile
from oversmooth.results.files.data import data
from oversmooth.service.engine import Engine, Handle, Owner
from oversmooth.service.engine.counters import REGISTRY
from oversmooth.service.hosting import Limits

DEADLINE = 20.0
LONG = 100_000
QUICK = Slow(0)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(Limits(exports_waiting=1, export_deadline=DEADLINE)) as engine:
        engine.export(QUICK).result(60)
        yield engine


@contextmanager
def writing(engine: Engine, *, heavy: bool = False, owner: str | None = None) -> Iterator[Handle[bytes]]:
    """A long export in the middle of its steps; given up at the end, and its slot free again."""
    others = being_written()
    handle = engine.export(Slow(LONG, heavy), owner)
    try:
        wait(lambda: handle.done() or handle.progress.done > 0)
        assert not handle.done()
        yield handle
    finally:
        handle.cancel()
        wait(lambda: being_written() <= others)


def being_written() -> float:
    return REGISTRY.get_sample_value("oversmooth_exports_running") or 0.0


def test_what_is_written_is_what_was_asked_for(engine: Engine) -> None:
    result = measurement()
    assert engine.export(NumbersFile(result, "json")).result(60) == data(result, ["json"])["data.json"]


def test_one_page_has_one_file_written_at_a_time_and_others_are_not_held_up(engine: Engine) -> None:
    with writing(engine, owner="greedy"):
        with pytest.raises(LimitError, match="This page has a file written already") as refusal:
            engine.export(QUICK, "greedy")
        assert refusal.value.limit == "exports_in_flight"
        assert engine.export(QUICK, "modest").result(60) == b"slow"
    assert engine.export(QUICK, "greedy").result(60) == b"slow"


def test_zips_of_many_figures_leave_a_place_for_what_is_quick(engine: Engine) -> None:
    with writing(engine, heavy=True):
        second = engine.export(Slow(0, heavy=True))
        assert engine.export(QUICK).result(60) == b"slow"
        assert not second.done()
        assert second.position == 1
    assert second.result(60) == b"slow"


def test_who_comes_when_too_many_wait_is_told_so(engine: Engine) -> None:
    with writing(engine, heavy=True), writing(engine):
        waiting = engine.export(QUICK)
        with pytest.raises(QueueFullError) as refusal:
            engine.export(QUICK)
        assert refusal.value.limit == "exports_waiting"
        assert "1 file wait" in str(refusal.value) or "1 file waits" in str(refusal.value)
        waiting.cancel()


def test_progress_is_told_to_its_owner_who_can_give_it_up(engine: Engine) -> None:
    page = Owner("page", "198.51.100.1")
    assert engine.exporting(page) is None
    handle = engine.export(Slow(LONG), page)
    wait(lambda: (step := engine.exporting(page)) is not None and step.done > 0)
    assert engine.exporting(Owner("other")) is None
    engine.stop_exporting(Owner("page"))
    with pytest.raises(CancelledError):
        handle.result(0)
    assert engine.exporting(page) is None


def test_a_file_that_hangs_is_killed_as_soon_as_nobody_waits(engine: Engine) -> None:
    hung = [engine.export(Hung()), engine.export(Hung())]
    time_out = time.monotonic() + 10
    wait(lambda: all(each.position is None for each in hung))
    for each in hung:
        each.cancel()
    assert engine.export(QUICK).result(60) == b"slow"
    assert time.monotonic() < time_out


@pytest.mark.parametrize(
    ("crash", "told"),
    [
        (Crash(), r"The run stopped on a fault .* \(ZeroDivisionError\)"),
        (Crash(signal.SIGKILL), r"The process that wrote this file was killed \(SIGKILL\)"),
    ],
)
def test_a_writer_that_is_lost_is_told_and_replaced(engine: Engine, crash: Crash, told: str) -> None:
    with pytest.raises(WorkerLostError) as lost:
        engine.export(crash).result(60)
    assert re.match(told, str(lost.value))
    assert "quetzal" not in str(lost.value)
    assert engine.export(QUICK).result(60) == b"slow"


def test_a_file_that_takes_too_long_is_given_up() -> None:
    with Engine(Limits(export_deadline=1.0)) as engine:
        with pytest.raises(DeadlineError, match=r"1 seconds allowed here \(the limit “export_deadline”\)"):
            engine.export(Slow(LONG)).result(60)
        assert engine.export(QUICK).result(60) == b"slow"


def test_closing_ends_what_is_written() -> None:
    with Engine() as engine:
        handle = engine.export(Hung())
        wait(lambda: handle.position is None)
        began = time.monotonic()
    assert time.monotonic() - began < 3
    with pytest.raises(CancelledError, match="shut down"):
        handle.result(0)
