"""Model folders made to do harm: none runs code, reaches the network or files elsewhere, hangs or ends the process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from families import FAMILIES
from hostile_folders import ANY, CANARY, CASES, SECRET, Hostile, code
from tiny import tokenizer

from oversmooth.core.errors import ModelError
from oversmooth.models import families
from oversmooth.models.configuration import read_configuration

SECONDS = 10
"""A hundred times what loading the good folder takes."""
PROMISED = "hunter2"
SAME = ("family", "parameters", "attention", "ids")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good") / "model"
    torch.manual_seed(0)
    config = transformers.BertConfig(**FAMILIES["bert"].arguments | {"num_hidden_layers": 1})
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def watched(folders: list[Path]) -> dict[Path, dict[str, Any]]:
    """What became of each, loaded one after another in one process under an audit hook."""
    place = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(place), "OMP_NUM_THREADS": "1"}
    child = subprocess.run(
        [sys.executable, "-P", str(Path(__file__).parents[1] / "hostile_child.py")],
        input="\n".join(map(str, folders)),
        capture_output=True,
        text=True,
        env=environment | {"TOKENIZERS_PARALLELISM": "false", "RUST_BACKTRACE": "0"},
        timeout=300,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    found = [json.loads(line) for line in child.stdout.splitlines()]
    return {Path(each["folder"]): each for each in found}


@pytest.fixture(scope="module")
def outcomes(good: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of each case, by its name; and of the good folder, by “good”."""
    folders = {"good": good}
    root = tmp_path_factory.mktemp("hostile")
    for number, each in enumerate(CASES):
        place = root / str(number)
        folders[each.name] = shutil.copytree(good, place / "model")
        away = place / "away"
        away.mkdir()
        (away / SECRET).write_text(PROMISED)
        each.build(folders[each.name], away)
    found = watched(list(folders.values()))
    return {name: found[folder] for name, folder in folders.items()}


def test_the_good_folder_loads(outcomes: dict[str, dict[str, Any]]) -> None:
    found = outcomes["good"]
    assert found["family"] == "bert"
    assert found["attention"] == "sdpa"
    assert found["ids"] == tokenizer()("the cat sat on secret mat")["input_ids"]
    assert found["events"] == []


def test_each_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("hostile", CASES, ids=lambda hostile: hostile.name)
def test_a_hostile_folder_does_no_harm(hostile: Hostile, outcomes: dict[str, dict[str, Any]]) -> None:
    found = outcomes[hostile.name]
    folder = Path(found["folder"])
    assert found["events"] == []
    assert not (folder.parent / "away" / CANARY).exists()
    assert found["seconds"] < SECONDS
    if "error" not in found:
        assert hostile.words in (None, ANY), "it was loaded"
        good = outcomes["good"]
        assert hostile.words == ANY or [found[key] for key in SAME] == [good[key] for key in SAME]
        return
    assert hostile.words is not None, found["text"]
    assert found["error"] == "ModelError", found["text"]
    assert hostile.words.format(name=folder) in found["text"]
    assert PROMISED not in found["text"]
    assert found["text"].endswith(".")
    assert "\n" not in found["text"]


# The watch itself: what it does not hear would pass.

MISDEEDS = {
    "exec": "import processing",
    "pickle.find_class": "import pickle; pickle.loads(pickle.dumps(Path))",
    "os.system": "os.system('true')",
    "subprocess.Popen": "import subprocess; subprocess.run(['true'])",
    "socket.connect": "import socket; socket.socket().connect_ex(('127.0.0.1', 9))",
    "socket.getaddrinfo": "import socket; socket.getaddrinfo('127.0.0.1', 9)",
    "open": "open('/etc/hostname').close()",
    "builtins.input": "sys.stdin = open(os.devnull); input()",
}

WATCHED = """
import contextlib, json, os, sys
from pathlib import Path
from watching import Watch
watch, heard = Watch(), {}
sys.path.insert(0, sys.argv[1])
for event, misdeed in json.loads(sys.argv[2]).items():
    watch.folder, watch.events = Path(sys.argv[1]), []
    with contextlib.suppress(EOFError):
        exec(misdeed)
    watch.folder = None
    heard[event] = [each.split()[0] for each in watch.events]
print(json.dumps(heard))
"""


def test_the_watch_hears_what_it_is_there_for(tmp_path: Path) -> None:
    (tmp_path / "processing.py").write_text(code(tmp_path / CANARY))
    child = subprocess.run(
        [sys.executable, "-c", WATCHED, str(tmp_path), json.dumps(MISDEEDS)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert child.returncode == 0, child.stderr
    heard = json.loads(child.stdout)
    assert (tmp_path / CANARY).exists()
    assert [event for event in MISDEEDS if event not in heard[event]] == []


# Architectures on a server.


def test_a_server_builds_no_architecture_but_those_it_is_told(good: Path) -> None:
    assert read_configuration(good, "good", families.names()).model_type == "bert"
    with pytest.raises(ModelError, match="“good” is of the architecture “bert”, which this server does not load"):
        read_configuration(good, "good", {"gpt2"})
