"""Loading from a hub: the real client against a hub on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from families import FAMILIES
from hub_server import Hub, Repository
from huggingface_hub import constants
from transformers import BertConfig, BertForMaskedLM

from oversmooth.core.errors import CancelledError, ModelError
from oversmooth.core.progress import Progress
from oversmooth.models.loading import load

Saved = Callable[..., Path]


@pytest.fixture
def repository(hub: Hub, saved: Saved) -> Repository:
    """The model lab/tiny on the hub."""
    hub.repositories["lab/tiny"] = Repository(saved())
    return hub.repositories["lab/tiny"]


def message(name: str = "lab/tiny", **options: str) -> str:
    with pytest.raises(ModelError) as caught:
        load(name, device="cpu", **options)  # type: ignore[arg-type]
    return str(caught.value)


def test_a_model_is_downloaded_and_its_commit_recorded(hub: Hub, repository: Repository) -> None:
    model = load("lab/tiny", device="cpu")
    weights = (repository.folder / "model.safetensors").read_bytes()
    assert model.record.source == "hub"
    assert model.record.identifier == "lab/tiny"
    assert model.record.commit == repository.commit
    assert model.record.weights_sha256 == {"model.safetensors": hashlib.sha256(weights).hexdigest()}


def test_the_download_tells_its_bytes(hub: Hub, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 4096)
    hub.stall_after = 50_000
    steps: list[Progress] = []

    def report(progress: Progress) -> None:
        steps.append(progress)
        if progress.stage == "download" and progress.done >= 40_000:
            hub.go_on.set()

    load("lab/tiny", device="cpu", report=report)
    downloads = [step for step in steps if step.stage == "download"]
    total = sum(len(body) for body in repository.files().values())
    assert {step.total for step in downloads} == {total}
    assert downloads[0].done == 0
    assert any(0 < step.done < total for step in downloads)
    assert downloads[-1].done == total
    assert [step.done for step in downloads] == sorted(step.done for step in downloads)
    assert "lab/tiny" in downloads[0].detail
    assert steps[-1].stage == "load"


def test_only_what_loading_reads_is_downloaded(hub: Hub, repository: Repository) -> None:
    for extra in ("pytorch_model.bin", "consolidated.safetensors", "model.onnx", "README.md"):
        (repository.folder / extra).write_bytes(b"x" * 10)
    load("lab/tiny", device="cpu")
    assert sorted(set(hub.downloads())) == [
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip


def test_a_second_load_downloads_nothing(hub: Hub, repository: Repository) -> None:
    load("lab/tiny", device="cpu")
    hub.requests.clear()
    load("lab/tiny", device="cpu")
    assert hub.downloads() == []
    assert len(hub.requests) == 1


def test_a_moved_branch_brings_the_new_commit(hub: Hub, repository: Repository) -> None:
    load("lab/tiny", device="cpu")
    repository.commit = "f" * 40
    assert load("lab/tiny", device="cpu").record.commit == "f" * 40


def test_a_revision_is_resolved_to_its_commit(hub: Hub, repository: Repository) -> None:
    repository.branch = "refs/pr/7"
    assert load("lab/tiny", revision="refs/pr/7", device="cpu").record.commit == repository.commit


def test_an_unknown_revision_is_named(hub: Hub, repository: Repository) -> None:
    assert "no revision “nowhere”" in message(revision="nowhere")


def test_an_unknown_model_is_named_with_the_nearest_known_one(hub: Hub) -> None:
    text = message("google-bert/bert-base-uncase")
    assert "no model “google-bert/bert-base-uncase”" in text
    assert "did you mean “google-bert/bert-base-uncased”?" in text


def test_a_gated_model_says_how_to_get_in(hub: Hub, repository: Repository) -> None:
    repository.gated = True
    text = message()
    assert "gated" in text
    assert "hf auth login" in text
    assert len(hub.requests) == 2  # What is it, and may I read it?
    assert hub.downloads() == []


def test_pickles_are_refused_before_anything_is_downloaded(hub: Hub, repository: Repository) -> None:
    (repository.folder / "model.safetensors").rename(repository.folder / "pytorch_model.bin")
    text = message()
    assert "only as pytorch_model.bin" in text
    assert "safetensors" in text
    assert hub.downloads() == []


@pytest.mark.parametrize(("status", "words"), [(500, "has a fault (HTTP 500)"), (429, "too many questions")])
def test_a_hub_in_trouble_is_not_asked_again_and_again(
    hub: Hub, repository: Repository, status: int, words: str
) -> None:
    repository.status = status
    assert words in message()
    assert len(hub.requests) == 1


def test_a_refused_answer_names_its_status(hub: Hub, repository: Repository) -> None:
    repository.status = 403
    assert "HTTP 403" in message()


def test_a_model_larger_than_memory_is_refused_before_the_download(hub: Hub, repository: Repository) -> None:
    repository.parameters = 10**14
    text = message()
    assert "does not fit into memory" in text
    assert "100,000,000,000,000 parameters" in text
    assert hub.downloads() == []


def test_memory_is_compared_with_what_is_free_now(
    hub: Hub, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=12_000))
    text = message()
    assert "12.0 kB are free" in text
    assert hub.downloads() == []


def test_a_model_larger_than_the_disk_is_refused(
    hub: Hub, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    assert "does not fit on the disk" in message()
    assert hub.downloads() == []


def test_other_bytes_than_the_published_ones_are_refused(hub: Hub, repository: Repository) -> None:
    repository.corrupt = "model.safetensors"
    text = message()
    assert "model.safetensors of “lab/tiny” is not the file that was published" in text


def test_another_tokenizer_than_the_published_one_is_refused(hub: Hub, repository: Repository) -> None:
    repository.large = ("tokenizer.json",)
    assert load("lab/tiny", device="cpu").record.commit == repository.commit
    shutil.rmtree(constants.HF_HUB_CACHE)
    repository.corrupt = "tokenizer.json"
    assert "tokenizer.json of “lab/tiny” is not the file that was published" in message()


def test_a_branch_that_moves_between_question_and_download_is_not_measured(hub: Hub, repository: Repository) -> None:
    asked, moved = repository.commit, "f" * 40
    repository.moves_to = moved
    assert "“lab/tiny” was changed on the hub during the download. Load it again" in message()
    assert asked != moved
    assert load("lab/tiny", device="cpu").record.commit == moved


def test_a_cancelled_download_stops_and_can_be_taken_up_again(
    hub: Hub, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 4096)
    hub.stall_after = 50_000

    def report(progress: Progress) -> None:
        if progress.done > 20_000:
            raise CancelledError("nobody waits")

    with pytest.raises(CancelledError):
        load("lab/tiny", device="cpu", report=report)
    assert not hub.go_on.is_set()  # It came back while the hub was still silent.
    hub.go_on.set()
    wait_for_end_of_download()
    assert not list(Path(constants.HF_HUB_CACHE).glob("**/snapshots/*/model.safetensors"))
    assert load("lab/tiny", device="cpu").record.commit == repository.commit


def wait_for_end_of_download() -> None:
    until = time.monotonic() + 30
    while any(thread.name == "download" for thread in threading.enumerate()):
        assert time.monotonic() < until, "the download goes on"
        time.sleep(0.01)


@pytest.mark.usefixtures("no_hub")
def test_without_a_network_one_sentence_comes_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    text = message()
    assert "cannot be reached" in text
    assert "all-MiniLM-L6-v2" in text
    assert waits == []  # The client's own retries wait for 23 s.


def test_offline_mode_is_told(hub: Hub, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in message()
    assert hub.requests == []


@pytest.mark.parametrize("trouble", ["offline", "closed", "fault"])
def test_a_whole_local_copy_serves_when_the_hub_does_not(
    hub: Hub, repository: Repository, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    load("lab/tiny", device="cpu")
    if trouble == "offline":
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    elif trouble == "closed":
        monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    else:
        repository.status = 503
    steps: list[Progress] = []
    assert load("lab/tiny", device="cpu", report=steps.append).record.commit == repository.commit
    assert any(repository.commit[:12] in step.detail for step in steps)


@pytest.mark.parametrize("lost", ["model.safetensors", "tokenizer.json"])
def test_an_incomplete_local_copy_is_not_used(
    hub: Hub, repository: Repository, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    load("lab/tiny", device="cpu")
    next(Path(constants.HF_HUB_CACHE).glob(f"**/snapshots/*/{lost}")).unlink()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "no complete copy" in message()


def test_a_page_that_is_no_hub_is_told(hub: Hub, repository: Repository) -> None:
    repository.status = 204
    assert "cannot be reached" in message()


def test_a_download_in_a_process_of_its_own_prints_nothing(hub: Hub, repository: Repository, tmp_path: Path) -> None:
    # A missing pooler and a head too many are worth a table to transformers, and a hub to warn about its token.
    BertForMaskedLM(BertConfig(**FAMILIES["bert"].arguments)).save_pretrained(repository.folder)
    code = "from oversmooth.models.loading import load; load('lab/tiny', device='cpu')"
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "other"), "HF_TOKEN": ""}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)
    config = next((tmp_path / "other").glob(f"**/{repository.commit}/config.json"))
    assert json.loads(config.read_text())["model_type"] == "bert"
