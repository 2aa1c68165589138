"""What a worker does with one request, seen from inside its process."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import psutil
import pytest
import torch
from families import build
from tiny import loaded, tokenizer
from workers import short, wait

from oversmooth.core.errors import CancelledError, InputError, WorkerLostError
from oversmooth.core.progress import Report
from oversmooth.models import inputs
from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings
from oversmooth.service.engine import Engine, service
from oversmooth.service.engine.launching import Anew, ForkServer
from oversmooth.service.engine.messages import Finished, Run, Start, Step, receive
from oversmooth.service.engine.service import Models, Service
from oversmooth.service.engine.serving import Inbox
from oversmooth.service.hosting import Limits


class Desk:
    """An inbox in which one run may be marked as cancelled."""

    def __init__(self, cancelled: int | None = None) -> None:
        self.number = cancelled

    def cancelled(self, run: Run) -> bool:
        return run.number == self.number


def serve(settings: Settings, desk: Desk | None = None) -> tuple[Finished, list[str]]:
    """How the run ends, and the points it reported."""
    answers = io.BytesIO()
    finished = Service(cast(Inbox, desk or Desk()), answers, Start(10**9, None, None)).serve(Run(7, settings))
    answers.seek(0)
    points = []
    while isinstance(answer := receive(answers), Step):
        if answer.progress.stage == "measure":
            points.append(answer.progress.detail)
    return finished, points


def test_a_run_reports_every_point_and_keeps_the_worker() -> None:
    finished, points = serve(short("whole"))
    assert isinstance(finished.outcome, Measurement)
    assert not finished.leaving
    assert list(dict.fromkeys(points)) == ["embedding", "0", "1", "2", "3", "4", "5"]


def test_a_cancelled_run_stops_at_its_next_step() -> None:
    finished, points = serve(short("cancelled"), Desk(cancelled=7))
    assert isinstance(finished.outcome, CancelledError)
    assert points == []
    assert not finished.leaving


def test_a_worker_with_a_tokenizer_that_never_came_back_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not serve(Settings.of(texts=" "))[0].leaving
    monkeypatch.setattr(inputs, "stuck", lambda: True)
    finished, _ = serve(Settings.of(texts=" "))
    assert isinstance(finished.outcome, InputError)
    assert finished.leaving


def test_a_panic_below_python_becomes_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicError(BaseException):
        """As Rust's panics arrive: not an Exception."""

    def panic(*_: object, **__: object) -> None:
        raise PanicError("called `Option::unwrap()` on a `None` value")

    monkeypatch.setattr(service, "measure", panic)
    finished, _ = serve(short("panic"))
    assert isinstance(finished.outcome, WorkerLostError)
    assert "PanicError" in str(finished.outcome)
    assert "unwrap" not in str(finished.outcome)
    assert finished.leaving


def allocate_on_the_cpu() -> None:
    torch.empty(2**61, dtype=torch.uint8)


def allocate_in_python() -> None:
    bytearray(2**61)


@pytest.mark.parametrize("allocate", [allocate_on_the_cpu, allocate_in_python])
def test_running_out_of_memory_is_told_as_that(allocate: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "measure", lambda *_, **__: allocate())
    finished, _ = serve(short("large"))
    assert "needs more memory than there is" in str(finished.outcome)
    assert finished.leaving


def data_limit(pid: int) -> str:
    """The most that a process may reserve of what is written to, in bytes, as the system has it."""
    (line,) = [one for one in Path(f"/proc/{pid}/limits").read_text().splitlines() if one.startswith("Max data size")]
    soft, hard = line.split()[3:5]
    assert soft == hard, "it could raise it again"
    return soft


@pytest.mark.parametrize("way", [ForkServer, Anew])
def test_a_worker_runs_under_the_limit_of_its_engine(
    way: type[ForkServer | Anew], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oversmooth.service.engine.engine.launcher", way)
    with Engine(Limits(worker_bytes=3_000_000_000)) as engine:

        def limited(earlier: tuple[int, ...]) -> bool:
            """Before it has imported anything of weight, too."""
            pids = engine.worker_pids
            return pids not in ((), earlier) and {data_limit(pid) for pid in pids} == {"3000000000"}

        wait(lambda: limited(()))
        first = engine.worker_pids
        psutil.Process(first[0]).kill()
        wait(lambda: limited(first))


def test_the_system_holds_a_worker_to_its_memory() -> None:
    program = "from oversmooth.service.engine.worker import limit_memory; limit_memory({0}); bytearray({1})"
    # Other systems know no such limit.
    for most, asked, fits in ((2**30, 2**31, sys.platform != "linux"), (2**30, 2**20, True)):
        command = [sys.executable, "-c", program.format(most, asked)]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert (ended.returncode == 0) is fits
        assert ("MemoryError" in ended.stderr) is not fits


def test_a_model_folder_that_is_saved_over_is_loaded_again(tmp_path: Path) -> None:
    build("bert").save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    models = Models(10**9)
    first = models.get(str(tmp_path))
    assert models.get(str(tmp_path)) is first
    shutil.copy(tmp_path / "config.json", tmp_path / "config.copy")
    assert models.get(str(tmp_path)) is not first


def test_each_revision_device_and_precision_is_a_model_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[tuple[str, str | None, str, str]] = []
    models = {revision: loaded(build("bert", seed)) for seed, revision in enumerate((None, "a", "b"))}

    def fake(name: str, *, revision: str | None, device: str, precision: str, report: Report, models: object) -> object:
        loads.append((name, revision, device, precision))
        return of_revision[revision]

    of_revision = models
    monkeypatch.setattr(service, "load", fake)
    kept = Models(10**12)
    for _ in range(2):
        for revision in models:
            assert kept.get("lab/tiny", revision) is models[revision]
    kept.get("lab/tiny", "a", "cpu")
    kept.get("lab/tiny", "a", "auto", "float64")
    assert loads == [
        ("lab/tiny", None, "auto", "float32"),
        ("lab/tiny", "a", "auto", "float32"),
        ("lab/tiny", "b", "auto", "float32"),
        ("lab/tiny", "a", "cpu", "float32"),
        ("lab/tiny", "a", "auto", "float64"),
    ]


def test_a_folder_saved_over_at_equal_size_is_loaded_anew(tmp_path: Path) -> None:
    def save(seed: int) -> torch.Tensor:
        network = build("bert", seed)
        network.save_pretrained(tmp_path)
        tokenizer().save_pretrained(tmp_path)
        weight: torch.Tensor = network.state_dict()["embeddings.word_embeddings.weight"]
        return weight.clone()

    kept = Models(10**12)
    first = save(0)
    size = (tmp_path / "model.safetensors").stat().st_size
    one = kept.get(str(tmp_path), device="cpu")
    assert kept.get(str(tmp_path), device="cpu") is one
    second = save(1)
    assert (tmp_path / "model.safetensors").stat().st_size == size
    two = kept.get(str(tmp_path), device="cpu")
    for model, weight in ((one, first), (two, second)):
        assert torch.equal(model.network.state_dict()["embeddings.word_embeddings.weight"], weight)
