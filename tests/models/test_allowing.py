"""Models of a hosted server: fetched and pinned by the operator, loaded from its disk alone, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hub_server import Hub, Repository

from oversmooth import Settings, measure
from oversmooth.cli.main import run
from oversmooth.core.errors import ConfigurationError, ModelError
from oversmooth.models.allowlist import AllowedModel, AllowList, read
from oversmooth.models.given import DEFAULT_MODEL
from oversmooth.models.loading import load
from oversmooth.service.hosting import Configuration, allowed, current

Saved = Callable[..., Path]


@pytest.fixture
def repository(hub: Hub, saved: Saved) -> Repository:
    hub.repositories["lab/tiny"] = Repository(saved())
    return hub.repositories["lab/tiny"]


@pytest.fixture
def models(repository: Repository, tmp_path: Path) -> AllowList:
    """The list with lab/tiny, as the command writes it."""
    assert run(["allow", "lab/tiny", "--file", str(tmp_path / "models.json")]) == 0
    return read(tmp_path / "models.json")


def cached(model: AllowedModel, name: str) -> Path:
    """A file of the model in the local cache, as it is on the disk."""
    from oversmooth.models.sources import pinned

    return pinned(model).folder / name


def refusal(models: AllowList, name: str = "lab/tiny") -> str:
    with pytest.raises(ModelError) as caught:
        load(name, device="cpu", models=models)
    return str(caught.value)


def test_the_default_model_is_always_on_the_list_and_loads() -> None:
    models = allowed(Configuration.of(profile="hosted-xs"))
    assert models is not None
    assert models.names == (DEFAULT_MODEL,)
    (entry,) = models.models
    model = load(DEFAULT_MODEL, device="cpu", models=models)
    assert entry.files["model.safetensors"] == model.record.weights_sha256["model.safetensors"]
    assert (entry.layers, entry.hidden_size) == (model.record.layers, model.record.hidden_size)
    assert entry.parameters == model.record.parameters


def test_one_user_has_no_list() -> None:
    assert allowed(Configuration.of(profile="local")) is None


def test_an_allowed_model_is_measured_without_asking_the_hub(
    models: AllowList, hub: Hub, repository: Repository
) -> None:
    (entry,) = models.models
    assert entry.commit == repository.commit
    # README and the like are not read, so they are not on the list either.
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(entry.files)
    hub.requests.clear()
    settings = Settings.of(texts="moon sun cat", model="lab/tiny", device="cpu")
    result = measure(settings, model=load("lab/tiny", device="cpu", models=models))
    assert result.record.model.commit == repository.commit
    assert hub.requests == []


def test_a_later_commit_on_the_hub_changes_nothing(models: AllowList, repository: Repository) -> None:
    repository.commit = "f" * 40
    assert load("lab/tiny", device="cpu", models=models).record.commit != repository.commit


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_file_with_other_bytes_is_refused(models: AllowList, name: str) -> None:
    path = cached(models.models[0], name)
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1] + b" ")
    told = refusal(models)
    assert f"not those of its list ({name})" in told
    assert str(path.parent) not in told


def test_a_file_that_is_not_on_the_list_is_refused(models: AllowList) -> None:
    cached(models.models[0], "added_tokens.json").write_text("{}")
    assert "not those of its list (added_tokens.json)" in refusal(models)


def test_a_file_that_is_gone_is_refused(models: AllowList) -> None:
    cached(models.models[0], "tokenizer.json").unlink()
    assert "not those of its list (tokenizer.json)" in refusal(models)


def test_a_listed_model_that_was_never_fetched_is_told(models: AllowList) -> None:
    elsewhere = models.models[0].model_copy(update={"commit": "e" * 40})
    assert "its files are not there" in refusal(AllowList(models=(elsewhere,)))


def test_any_other_name_is_refused_in_one_way(models: AllowList) -> None:
    told = {name: refusal(models, name) for name in ("gpt2", "/etc", "http://127.0.0.1/x", "x" * 5000)}
    assert {each.replace(f"“{name}”", "“…”") for name, each in told.items() if len(name) < 80} == {
        "This server measures the models of its list alone, and “…” is not on it. Choose lab/tiny."
    }
    assert len(told["x" * 5000]) < 250


def test_local_folders_cannot_be_allowed(saved: Saved, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["allow", str(saved()), "--file", str(tmp_path / "models.json")]) == 2
    assert "is a local folder" in capsys.readouterr().err
    assert not (tmp_path / "models.json").exists()


def test_the_server_reads_the_list_that_its_variable_names(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OVERSMOOTH_PROFILE", "hosted-xs")
    monkeypatch.setenv("OVERSMOOTH_PARAMETERS", "1000")
    monkeypatch.setenv("OVERSMOOTH_MODELS", str(tmp_path / "models.json"))
    for _ in range(2):  # A second time in its own place.
        assert run(["allow", "lab/tiny"]) == 0
    told = capsys.readouterr()
    assert f"commit {repository.commit}" in told.out
    assert "measures models of at most 1,000 parameters" in told.err
    models = allowed(current())
    assert models is not None
    assert models.names == (DEFAULT_MODEL, "lab/tiny")


def test_without_a_file_the_command_says_how_to_name_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["allow", DEFAULT_MODEL]) == 2
    assert "OVERSMOOTH_MODELS" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"commit": None}, "needs its commit"),
        ({"commit": "main"}, "commit"),
        ({"files": {"../model.safetensors": "0" * 64}}, "files"),
        ({"files": {"config.json": "abc"}}, "files"),
        ({"identifier": "../../etc"}, "identifier"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_list_with_a_strange_entry_is_refused(
    change: dict[str, object], told: str, models: AllowList, tmp_path: Path
) -> None:
    entry = models.models[0].model_dump() | change
    (tmp_path / "strange.json").write_text(json.dumps({"models": [entry]}))
    with pytest.raises(ConfigurationError, match=told):
        read(tmp_path / "strange.json")


def test_a_list_that_is_no_json_or_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ConfigurationError, match="is not JSON"):
        read(tmp_path / "bad.json")
