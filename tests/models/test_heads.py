"""Language-model heads of checkpoints: which are taken along, and that the network below stays what it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
import transformers
from families import FAMILIES
from safetensors.torch import load_file, save_file
from tiny import head, tokenizer
from transformers import AutoModel, BertConfig, BertLMHeadModel, PreTrainedModel

from oversmooth.core.errors import ModelError
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load

IDS = torch.tensor([[2, 5, 6, 7, 8, 3]])
HEADS = {"bert": "masked", "albert": "masked", "deberta": "masked", "gpt2": "causal", "llama": "causal"}
TENSORS = "model.safetensors"


def save(model: PreTrainedModel, folder: Path) -> Path:
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def edit(folder: Path, **fields: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def change(folder: Path, alter: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    save_file(alter(load_file(folder / TENSORS)), folder / TENSORS, metadata={"format": "pt"})


def loaded(folder: Path) -> LoadedModel:
    return load(str(folder), device="cpu")


@torch.inference_mode()
def logits(model: PreTrainedModel) -> torch.Tensor:
    found: torch.Tensor = model(IDS).logits
    return found


@pytest.mark.parametrize(("family", "prediction"), HEADS.items())
def test_a_declared_head_comes_along_and_shares_the_network(tmp_path: Path, family: str, prediction: str) -> None:
    original = head(family)
    model = loaded(save(original, tmp_path))
    assert model.prediction == prediction
    assert model.language_model is not None
    assert model.language_model.base_model is model.network is model.anatomy.network
    assert torch.equal(logits(model.language_model), logits(original))
    assert not model.language_model.training
    assert not any(each.requires_grad for each in model.language_model.parameters())
    assert model.record.limits == model.anatomy.limits
    assert model.record.parameters == sum(each.numel() for each in original.base_model.parameters())
    # Tied or not, every number counts once.
    storages = {each.data_ptr(): each.nbytes for each in [*original.parameters(), *original.buffers()]}
    assert model.bytes == sum(storages.values())


@pytest.mark.parametrize("family", HEADS)
def test_the_states_are_those_of_the_bare_network(tmp_path: Path, family: str) -> None:
    model = loaded(save(head(family), tmp_path))
    bare = AutoModel.from_pretrained(tmp_path, dtype=torch.float32).eval()
    assert type(model.network) is type(bare)
    with torch.inference_mode():
        ours, theirs = (each(IDS, output_hidden_states=True) for each in (model.network, bare))
    for mine, other in zip(ours.hidden_states, theirs.hidden_states, strict=True):
        assert torch.equal(mine, other)
    assert torch.equal(ours.last_hidden_state, theirs.last_hidden_state)


def without(*names: str) -> Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]:
    return lambda tensors: {key: each for key, each in tensors.items() if not any(name in key for name in names)}


def test_a_head_that_is_not_in_the_files_is_left_out_and_told(tmp_path: Path) -> None:
    save(head("bert"), tmp_path)
    change(tmp_path, without("cls."))
    model = loaded(tmp_path)
    assert (model.language_model, model.prediction) == (None, None)
    (limit,) = model.record.limits
    assert limit.startswith("The checkpoint lacks ")
    assert "of its language-model head, such as cls.predictions." in limit
    with torch.inference_mode():
        assert torch.equal(model.network(IDS).last_hidden_state, head("bert").base_model(IDS).last_hidden_state)


def test_a_head_of_another_vocabulary_is_left_out_and_told(tmp_path: Path) -> None:
    save(head("bert"), tmp_path)
    change(tmp_path, lambda tensors: tensors | {"cls.predictions.bias": torch.zeros(50)})
    model = loaded(tmp_path)
    assert model.language_model is None
    assert "has another shape for" in model.record.limits[0]


@pytest.mark.parametrize("damage", [without("layer.1.output"), without("word_embeddings")])
def test_a_network_that_is_not_in_the_files_is_refused_as_ever(tmp_path: Path, damage: Any) -> None:
    save(head("bert"), tmp_path)
    change(tmp_path, damage)
    with pytest.raises(ModelError, match="lack"):
        loaded(tmp_path)


def test_a_network_of_another_shape_is_refused_as_ever(tmp_path: Path) -> None:
    save(head("bert"), tmp_path)
    edit(tmp_path, intermediate_size=48)
    with pytest.raises(ModelError, match="another shape for 9 tensors"):
        loaded(tmp_path)


@pytest.mark.parametrize("architectures", [["BertModel"], ["Nobody"], [], None, [{}], [["x"]]])
def test_without_a_declared_head_the_network_comes_alone(tmp_path: Path, architectures: object) -> None:
    save(head("bert"), tmp_path)
    edit(tmp_path, architectures=architectures)
    model = loaded(tmp_path)
    assert model.language_model is None
    assert model.record.limits == ()


def test_encoder_decoders_have_none(tmp_path: Path) -> None:
    declared = FAMILIES["bart"]
    config = getattr(transformers, declared.config)(**declared.arguments)
    model = loaded(save(transformers.BartForConditionalGeneration(config), tmp_path))
    assert model.language_model is None
    assert model.record.architecture == "BartModel"


def test_a_head_that_would_predict_what_its_network_has_seen_is_left_out(tmp_path: Path) -> None:
    model = loaded(save(BertLMHeadModel(BertConfig(**FAMILIES["bert"].arguments)), tmp_path))
    assert model.language_model is None
    assert "predicts the next token, which its network has seen already" in model.record.limits[0]
    causal = tmp_path / "causal"
    model = loaded(save(BertLMHeadModel(BertConfig(**FAMILIES["bert"].arguments, is_decoder=True)), causal))
    assert model.prediction == "causal"


def test_a_head_that_passes_by_the_network_is_left_out(tmp_path: Path) -> None:
    # OPT's calls the decoder inside: what is attached to the network would not be met.
    model = loaded(save(head("opt"), tmp_path))
    assert model.language_model is None
    assert "passes by the network" in model.record.limits[-1]


def test_the_head_counts_in_the_memory_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = head("llama")
    save(whole, tmp_path)
    change(tmp_path, without("lm_head"))
    needed = sum(each.numel() for each in whole.parameters()) * 4 * 1.2

    def free(amount: float) -> Callable[[], Any]:
        return lambda: type("Memory", (), {"available": amount, "total": amount})()

    monkeypatch.setattr(psutil, "virtual_memory", free(needed - 1))
    with pytest.raises(ModelError, match=f"its {sum(each.numel() for each in whole.parameters()):,} parameters"):
        loaded(tmp_path)
    monkeypatch.setattr(psutil, "virtual_memory", free(needed + 1))
    assert loaded(tmp_path).record.architecture == "LlamaModel"
