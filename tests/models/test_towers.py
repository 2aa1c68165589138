"""Models of several senses: their text tower is measured as transformers' own text model is, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from families import COMMON, GROUPED, IMAGE, VOCABULARY, build
from hub_server import Hub, Repository
from safetensors.torch import load_file, save_file
from tiny import TEXT, tokenizer
from transformers import PreTrainedModel

from oversmooth.core.errors import ModelError
from oversmooth.measuring.measuring import measure
from oversmooth.models.loading import describe_allowed, load
from oversmooth.results.settings import Settings

SPECIAL = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
TEXTUAL: dict[str, Any] = {**COMMON, **SPECIAL}
LAYERED: dict[str, Any] = {**GROUPED, "head_dim": 8}
SECTIONS = {"rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}}
PATCHES = {**IMAGE, "depth": 2, "embed_dim": 32, "num_heads": 4, "out_hidden_size": 32}
CLIP = {"model_type": "clip_vision_model", **IMAGE}
SOUND = {"encoder_layers": 2, "d_model": 32, "encoder_attention_heads": 4, "encoder_ffn_dim": 64, "num_mel_bins": 8}
OPT = {"model_type": "opt", **COMMON, "ffn_dim": 64, "word_embed_proj_dim": 32}
READER = {**TEXTUAL, "encoder_hidden_size": 32}

MODELS: dict[str, tuple[dict[str, Any], str]] = {
    "Gemma3ForConditionalGeneration": (
        {"text_config": LAYERED, "vision_config": IMAGE, "mm_tokens_per_image": 4},
        "Gemma3TextModel",
    ),
    "LlavaForConditionalGeneration": (
        {"text_config": {"model_type": "llama", **LAYERED}, "vision_config": CLIP},
        "LlamaModel",
    ),
    "PaliGemmaForConditionalGeneration": (
        {"text_config": {"model_type": "gemma", **LAYERED}, "vision_config": IMAGE, "projection_dim": 32},
        "GemmaModel",
    ),
    "Qwen2VLForConditionalGeneration": (
        {"text_config": LAYERED | SECTIONS, "vision_config": PATCHES},
        "Qwen2VLTextModel",
    ),
    "Qwen2_5_VLForConditionalGeneration": (
        {"text_config": LAYERED | SECTIONS, "vision_config": PATCHES},
        "Qwen2_5_VLTextModel",
    ),
    "Qwen3VLForConditionalGeneration": (
        {"text_config": LAYERED | SECTIONS, "vision_config": {**PATCHES, "deepstack_visual_indexes": [0]}},
        "Qwen3VLTextModel",
    ),
    "CLIPModel": ({"text_config": TEXTUAL, "vision_config": IMAGE, "projection_dim": 16}, "CLIPTextModel"),
    "SiglipModel": (
        {"text_config": {**TEXTUAL, "projection_size": 32}, "vision_config": IMAGE},
        "SiglipTextModel",
    ),
    "Idefics3ForConditionalGeneration": (
        {"text_config": {"model_type": "llama", **LAYERED}, "vision_config": IMAGE, "scale_factor": 2},
        "LlamaModel",
    ),
    "Blip2ForConditionalGeneration": (
        {"text_config": OPT, "vision_config": IMAGE, "qformer_config": READER, "num_query_tokens": 4},
        "OPTModel",
    ),
    "Qwen2AudioForConditionalGeneration": (
        {"text_config": {"model_type": "qwen2", **LAYERED}, "audio_config": SOUND},
        "Qwen2Model",
    ),
}
IDS = torch.tensor([[2, 5, 6, 7, 8, 3]])


def make(architecture: str, folder: Path) -> PreTrainedModel:
    arguments, _ = MODELS[architecture]
    torch.manual_seed(0)
    model_class = getattr(transformers, architecture)
    model: PreTrainedModel = model_class(model_class.config_class(**arguments))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    model.eval()
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return model


def text_part(model: PreTrainedModel, name: str) -> PreTrainedModel:
    (found,) = (each for each in model.modules() if type(each).__name__ == name)
    assert isinstance(found, PreTrainedModel)
    return found


@pytest.mark.parametrize("architecture", MODELS)
@torch.inference_mode()
def test_the_text_tower_is_what_it_is_inside_the_whole(tmp_path: Path, architecture: str) -> None:
    tower = text_part(make(architecture, tmp_path), MODELS[architecture][1])
    model = load(str(tmp_path), device="cpu")
    assert model.record.architecture == type(tower).__name__
    assert model.record.layers == COMMON["num_hidden_layers"]
    assert torch.equal(model.network(IDS).last_hidden_state, tower(IDS).last_hidden_state)
    assert "text tower alone is measured" in model.record.limits[-1]
    measured = measure(Settings.of(texts=TEXT, model=str(tmp_path), metrics=["token_cosine"]), model=model)
    states = tower(**tokenizer()(TEXT, return_tensors="pt").to("cpu")).last_hidden_state[0, 1:-1].double()
    units = states / states.norm(dim=1, keepdim=True)
    number = len(units)
    expected = float(((units @ units.T).sum() - number) / (number * (number - 1)))
    assert measured.curves["token_cosine"].values[0, -1] == pytest.approx(expected, abs=2e-6)


FORMER: dict[str, Callable[[str], str]] = {
    "language_model.model.": lambda key: f"language_model.model.{key}",
    "model.language_model.": lambda key: f"model.language_model.{key}",
    "model.": lambda key: f"model.{key}",
}


@pytest.mark.parametrize("prefix", FORMER)
def test_the_tower_is_found_under_its_former_names(tmp_path: Path, prefix: str) -> None:
    tower = text_part(make("LlavaForConditionalGeneration", tmp_path), "LlamaModel")
    tensors = {prefix + key: each.clone() for key, each in tower.state_dict().items()}
    others = {"vision_tower.embeddings.weight": torch.ones(2), "language_model.lm_head.weight": torch.ones(2)}
    save_file(tensors | others, tmp_path / "model.safetensors", metadata={"format": "pt"})
    weights = load(str(tmp_path), device="cpu").network.state_dict()
    assert all(torch.equal(weights[key], each) for key, each in tower.state_dict().items())


def test_what_the_tower_does_not_take_refuses_and_says_that_the_model_is_multimodal(tmp_path: Path) -> None:
    make("LlavaForConditionalGeneration", tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    place = next(key for key in tensors if key.endswith("layers.0.self_attn.q_proj.weight"))
    tensors[place.replace("q_proj", "q_norm")] = torch.ones(8)
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"layers\.0\.self_attn\.q_norm.*This model is multimodal \(llava\)"):
        load(str(tmp_path), device="cpu")


def test_layers_that_read_images_alone_are_told(tmp_path: Path) -> None:
    text = {**LAYERED, "cross_attention_layers": [1]}
    images = {"attention_heads": 4, "num_global_layers": 1, "intermediate_layers_indices": [0], "vision_output_dim": 64}
    config = transformers.MllamaConfig(text_config=text, vision_config={**IMAGE, **images})
    transformers.MllamaForConditionalGeneration(config).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"multimodal \(mllama\).*read images alone"):
        load(str(tmp_path), device="cpu")


def test_a_sub_configuration_that_is_none_changes_nothing(tmp_path: Path) -> None:
    network = build("bert")
    network.config.text_config = {"vocab_size": VOCABULARY, "model_type": "llama"}
    network.save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    assert load(str(tmp_path), device="cpu").record.architecture == "BertModel"


def test_a_server_is_not_told_to_build_the_whole_for_its_tower(tmp_path: Path, hub: Hub) -> None:
    make("LlavaForConditionalGeneration", tmp_path / "model")
    hub.repositories["lab/tiny"] = Repository(tmp_path / "model")
    with pytest.raises(ModelError, match="is of the architecture “llava”"):
        describe_allowed("lab/tiny")
