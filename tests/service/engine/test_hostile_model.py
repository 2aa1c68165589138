"""A model folder that takes all memory, given to the real worker: that run alone fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import transformers
from families import FAMILIES
from tiny import tokenizer
from workers import gone, short, wait

from oversmooth.core.errors import WorkerLostError
from oversmooth.results.settings import Settings
from oversmooth.service.engine import Engine
from oversmooth.service.hosting import Limits

MEMORY = 1_500_000_000


@pytest.fixture
def growing(tmp_path: Path) -> Path:
    """A tokenizer that makes 32 letters of each o, twelve times over: 10^18 of “smooth”."""
    config = transformers.BertConfig(**FAMILIES["bert"].arguments | {"num_hidden_layers": 1})
    transformers.BertModel(config).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    content = json.loads((tmp_path / "tokenizer.json").read_text())
    step = {"type": "Replace", "pattern": {"String": "o"}, "content": "o" * 32}
    content["normalizer"] = {"type": "Sequence", "normalizers": [step] * 12}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    return tmp_path


@pytest.mark.slow
def test_a_folder_that_takes_all_memory_ends_its_own_run_alone(growing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUST_BACKTRACE", "0")  # Where it is set, naming every frame takes many seconds.
    with Engine(Limits(worker_bytes=MEMORY)) as engine:
        wait(lambda: engine.ready)
        (pid,) = engine.worker_pids
        with pytest.raises(WorkerLostError, match=r"The process that computed this run .+\."):
            engine.submit(Settings.of(texts="The cat sat on the mat.", model=str(growing))).result(120)
        assert gone(pid)
        assert engine.submit(short("after it")).result(120).record.model.name == "all-MiniLM-L6-v2"
