"""The engine with a real worker and the embedded model."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
import xarray as xr
from workers import gone, long, running, short, wait

from oversmooth.core.errors import CancelledError, InputError, ModelError, WorkerLostError
from oversmooth.results.settings import Settings
from oversmooth.service.engine import Engine, supervisor


def test_measures_the_default_model(engine: Engine) -> None:
    handle = engine.submit(Settings.of(texts="The cat sat on the mat and looked at the rain."))
    measurement = handle.result(120)
    assert handle.done()
    assert engine.ready
    assert len(engine.worker_pids) == 1
    assert measurement.main_points == ("embedding", "0", "1", "2", "3", "4", "5")
    curve = measurement.curve("token_cosine")
    assert curve["embedding"] < 0.2 < 0.4 < curve["5"] < 0.7
    assert (handle.progress.stage, handle.progress.done, handle.progress.total) == ("measure", 7, 7)
    assert handle.position is None


def test_progress_goes_from_point_to_point(engine: Engine) -> None:
    with running(engine, "progress") as handle:
        first = handle.progress
        assert first.total == 1000 * 7
        wait(lambda: handle.progress.done > first.done)
        assert handle.progress.detail in ("embedding", "0", "1", "2", "3", "4", "5")


def test_first_in_first_out(engine: Engine) -> None:
    with running(engine, "first"):
        handles = [engine.submit(short(f"fifo {number}")) for number in range(4)]
        assert [handle.position for handle in handles] == [1, 2, 3, 4]
        assert {handle.progress.stage for handle in handles} == {"queue"}

    def in_order() -> bool:
        # The last is looked at first: what is done then must find all before it done.
        done = [handle.done() for handle in reversed(handles)]
        assert done == sorted(done)
        return all(done)

    wait(in_order)


def test_equal_requests_share_one_computation_and_its_result_is_kept(engine: Engine) -> None:
    with running(engine, "before equal ones"):
        handles = [engine.submit(short("equal")) for _ in range(3)]
        assert {handle.position for handle in handles} == {1}
    results = [handle.result(60) for handle in handles]
    assert results[0] is results[1] is results[2]
    again = engine.submit(short("equal"))
    assert again.done()
    assert again.result(0) is results[0]


def test_cancel_stops_the_run_between_points_and_keeps_the_worker(engine: Engine) -> None:
    with running(engine, "cancelled") as handle:
        pids = engine.worker_pids
        handle.cancel()
        with pytest.raises(CancelledError):
            handle.result(0)
    engine.submit(short("after cancel")).result(60)
    assert engine.worker_pids == pids


def test_cancel_by_one_of_two_leaves_the_run_going(engine: Engine) -> None:
    with running(engine, "shared") as handle:
        other = engine.submit(long("shared"))
        handle.cancel()
        before = other.progress.done
        wait(lambda: other.progress.done > before)
        other.cancel()
    engine.submit(short("after shared")).result(60)


def test_a_cancelled_run_in_the_queue_is_never_begun(engine: Engine) -> None:
    with running(engine, "before the queue") as first:
        second, third = engine.submit(long("in the queue")), engine.submit(short("behind it"))
        second.cancel()
        assert third.position == 1
        first.cancel()
        third.result(60)
    with pytest.raises(CancelledError):
        second.result(0)


def test_a_worker_that_does_not_react_to_cancel_is_replaced(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "CANCEL_SECONDS", 0.5)
    with running(engine, "stopped") as handle:
        (pid,) = engine.worker_pids
        os.kill(pid, signal.SIGSTOP)
        handle.cancel()
    engine.submit(short("after the stopped one")).result(60)
    assert gone(pid)


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGKILL, r"was killed \(SIGKILL\), most likely .* memory"), (signal.SIGSEGV, r"crashed .*\(SIGSEGV\)")],
)
def test_a_lost_worker_is_told_and_replaced(engine: Engine, number: signal.Signals, said: str) -> None:
    with running(engine, f"lost {number}") as handle:
        (pid,) = engine.worker_pids
        waiting = engine.submit(short(f"waiting behind {number}"))
        os.kill(pid, number)
        with pytest.raises(WorkerLostError, match=said):
            handle.result(30)
    waiting.result(60)
    assert gone(pid)
    assert engine.worker_pids != (pid,)


def test_a_worker_lost_while_idle_is_replaced_and_blames_no_run(engine: Engine) -> None:
    engine.submit(short("before idle")).result(60)
    (pid,) = engine.worker_pids
    os.kill(pid, signal.SIGKILL)
    wait(lambda: engine.ready and engine.worker_pids != (pid,))
    engine.submit(short("after idle")).result(60)


def test_what_the_user_did_wrong_arrives_as_it_was_said(engine: Engine) -> None:
    with pytest.raises(InputError, match="text is empty"):
        engine.submit(Settings.of(texts=" \n ")).result(60)
    with pytest.raises(ModelError, match="no-such-folder"):
        engine.submit(Settings.of(texts="A text.", model="./no-such-folder")).result(60)


def test_an_unforeseen_fault_becomes_a_sentence_and_a_fresh_worker(engine: Engine) -> None:
    engine.submit(short("before the fault")).result(60)
    pids = engine.worker_pids
    nonsense = short("fault").model_copy(update={"metrics": ("no_such_metric",)})
    with pytest.raises(WorkerLostError) as fault:
        engine.submit(nonsense).result(60)
    assert "fault inside Oversmooth" in str(fault.value)
    assert "KeyError" in str(fault.value)
    assert "Traceback" not in str(fault.value)
    engine.submit(short("after the fault")).result(60)
    assert engine.worker_pids != pids


def test_many_threads_get_what_one_would(engine: Engine) -> None:
    names = [f"thread {number}" for number in range(8)]
    with Engine(result_bytes=0) as fresh:
        alone = [fresh.submit(short(name)).result(120) for name in names]
    with ThreadPoolExecutor(len(names)) as threads:
        together = list(threads.map(lambda name: engine.submit(short(name)).result(120), names))
    for one, other in zip(alone, together, strict=True):
        assert one.settings == other.settings
        xr.testing.assert_identical(one.curves, other.curves)
        xr.testing.assert_identical(one.spectra, other.spectra)
        assert one.tokens == other.tokens
