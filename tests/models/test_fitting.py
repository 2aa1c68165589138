"""Weights and their network: what is missing or left over inside it refuses, what stands beside it does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from families import FAMILIES, LAYERS, build
from safetensors.torch import load_file, save_file
from tiny import tokenizer
from torch import Tensor
from transformers import PreTrainedModel

from oversmooth.core.errors import ModelError
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load
from oversmooth.models.weights import Loading, refuse_misfit

Tensors = dict[str, Tensor]
WEIGHTS = "model.safetensors"


def save(model: PreTrainedModel, folder: Path) -> Path:
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def change(folder: Path, alter: Callable[[Tensors], Tensors]) -> Path:
    """Write the weight file anew."""
    tensors = alter(load_file(folder / WEIGHTS))
    save_file({key: each.contiguous() for key, each in tensors.items()}, folder / WEIGHTS, metadata={"format": "pt"})
    return folder


def configure(folder: Path, **fields: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def loaded(folder: Path) -> LoadedModel:
    return load(str(folder), device="cpu")


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        loaded(folder)
    return str(caught.value)


def headed(architecture: str, family: str) -> PreTrainedModel:
    """A tiny random model of that class of transformers."""
    declared = FAMILIES[family]
    torch.manual_seed(0)
    model: PreTrainedModel = getattr(transformers, architecture)(
        getattr(transformers, declared.config)(**declared.arguments)
    )
    return model


def same(model: LoadedModel, original: PreTrainedModel) -> None:
    """Every tensor of the network but a pooler's is the original's, to the bit."""
    theirs = original.base_model.state_dict()
    ours = model.network.state_dict()
    compared = [key for key in ours if not key.startswith("pooler.")]
    assert len(compared) > LAYERS
    for key in compared:
        assert torch.equal(ours[key], theirs[key]), key


# What is inside the network and not taken.

BERT_BLOCK = "bert.encoder.layer.{}"
LLAMA_BLOCK = "model.layers.{}"
LEFT_OVER: dict[str, tuple[str, str, dict[str, tuple[int, ...]], str]] = {
    "relative positions": (
        "bert",
        "BertForSequenceClassification",
        {f"{BERT_BLOCK}.attention.self.distance_embedding.weight": (127, 8)},
        "the configured network does not have (3 tensors",
    ),
    "bottleneck adapters": (
        "bert",
        "BertForMaskedLM",
        {f"{BERT_BLOCK}.output.adapters.task.adapter_up.weight": (32, 8)},
        "an adapter that is not merged",
    ),
    "low-rank updates": (
        "llama",
        "LlamaForCausalLM",
        {f"{LLAMA_BLOCK}.self_attn.q_proj.lora_A.default.weight": (8, 32)},
        "an adapter that is not merged",
    ),
    "a norm more in each block": (
        "llama",
        "LlamaForCausalLM",
        {f"{LLAMA_BLOCK}.post_feedforward_layernorm.weight": (32,)},
        "the configured network does not have (3 tensors",
    ),
    "biases of a family that has none": (
        "llama",
        "LlamaForSequenceClassification",
        {f"{LLAMA_BLOCK}.self_attn.q_proj.bias": (32,)},
        "model.layers.0.self_attn.q_proj.bias",
    ),
    "a norm on the embedding": ("gpt2", "GPT2Model", {"ln_embedding.weight": (32,)}, "ln_embedding.weight"),
    "a norm on the embedding, beneath a head": (
        "bert",
        "BertForMaskedLM",
        {"bert.embeddings_norm.weight": (32,)},
        "bert.embeddings_norm.weight",
    ),
    "a bias of another shape than a causal mask": (
        "gpt2",
        "GPT2LMHeadModel",
        {"transformer.h.{}.extra.bias": (32,)},
        "transformer.h.0.extra.bias",
    ),
}


@pytest.mark.parametrize("case", LEFT_OVER)
def test_what_the_network_does_not_take_refuses(tmp_path: Path, case: str) -> None:
    family, architecture, extra, words = LEFT_OVER[case]
    folder = save(headed(architecture, family), tmp_path)
    loaded(folder)
    added = {key.format(layer): torch.randn(shape) for key, shape in extra.items() for layer in range(LAYERS)}
    change(folder, lambda tensors: tensors | added)
    text = refusal(folder)
    assert words in text
    assert (
        "save_pretrained" in text if "adapter" in words else "It is refused: without them it is another model" in text
    )


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "t5", "modernbert", "xlnet"])
def test_more_layers_in_the_files_than_in_the_configuration_refuse(tmp_path: Path, family: str) -> None:
    folder = save(build(family), tmp_path)
    field = {"gpt2": "n_layer", "t5": "num_layers", "xlnet": "n_layer"}.get(family, "num_hidden_layers")
    configure(folder, **{field: LAYERS - 1})
    if family == "modernbert":
        configure(folder, layer_types=["full_attention", "sliding_attention"])
    assert "weights that the configured network does not have" in refusal(folder)


def test_more_experts_than_configured_refuse(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    arguments = {**FAMILIES["llama"].arguments, "num_local_experts": 4}
    save(transformers.MixtralForCausalLM(transformers.MixtralConfig(**arguments)), folder)
    loaded(folder)
    configure(folder, num_local_experts=2)
    assert "of the configured network" in refusal(folder)


def test_weights_of_an_adapter_that_was_never_merged_refuse(tmp_path: Path) -> None:
    folder = save(headed("LlamaForCausalLM", "llama"), tmp_path)

    def wrapped(tensors: Tensors) -> Tensors:
        found = {
            f"base_model.model.{key}".replace("q_proj", "q_proj.base_layer"): each for key, each in tensors.items()
        }
        place = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.default.weight"
        return found | {place.format("A"): torch.randn(4, 32), place.format("B"): torch.randn(32, 4)}

    assert "merge_and_unload" in refusal(change(folder, wrapped))


# What is beside the network.

HEADS = [
    ("bert", "BertForSequenceClassification"),
    ("bert", "BertForPreTraining"),
    ("bert", "BertForQuestionAnswering"),
    ("roberta", "RobertaForSequenceClassification"),
    ("albert", "AlbertForPreTraining"),
    ("distilbert", "DistilBertForSequenceClassification"),
    ("electra", "ElectraForPreTraining"),
    ("electra", "ElectraForMaskedLM"),
    ("deberta-v2", "DebertaV2ForSequenceClassification"),
    ("gpt2", "GPT2ForSequenceClassification"),
    ("gpt2", "GPT2DoubleHeadsModel"),
    ("llama", "LlamaForQuestionAnswering"),
    ("modernbert", "ModernBertForSequenceClassification"),
    ("nomic_bert", "NomicBertForSequenceClassification"),
    ("xlnet", "XLNetForSequenceClassification"),
    ("t5", "T5ForConditionalGeneration"),
    ("t5", "T5ForTokenClassification"),
    ("t5", "T5ForQuestionAnswering"),
    ("bart", "BartForSequenceClassification"),
    ("convbert", "ConvBertForMaskedLM"),
]


@pytest.mark.parametrize(("family", "architecture"), HEADS)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_head_is_no_reason_to_refuse(tmp_path: Path, family: str, architecture: str, prefix: str) -> None:
    original = headed(architecture, family)
    folder = save(original, tmp_path)
    change(folder, lambda tensors: {prefix + key: each for key, each in tensors.items()})
    model = loaded(folder)
    theirs = original.state_dict()
    for key, tensor in model.network.state_dict().items():
        if not key.startswith(("pooler.", "decoder.")):
            names = [each for each in theirs if each == key or each.endswith(f".{key}")]
            assert any(torch.equal(theirs[each], tensor) for each in names), key


def test_heads_beside_a_network_without_a_prefix_do_not_refuse(tmp_path: Path) -> None:
    folder = save(build("gpt2"), tmp_path)
    added = {f"{head}.weight": torch.randn(2, 32) for head in ("lm_head", "score", "v_head.summary", "qa_outputs")}
    change(folder, lambda tensors: tensors | added)
    same(loaded(folder), build("gpt2"))


OLD: dict[str, dict[str, tuple[int, ...]]] = {
    "bert": {"bert.embeddings.position_ids": (1, 64)},
    "gpt2": {"transformer.h.{}.attn.bias": (1, 1, 64, 64), "transformer.h.{}.attn.masked_bias": ()},
    "gpt_neo": {"transformer.h.{}.attn.attention.bias": (1, 1, 64, 64)},
    "gpt_neox": {"gpt_neox.layers.{}.attention.rotary_emb.inv_freq": (4,), "gpt_neox.layers.{}.attention.bias": (64,)},
    "llama": {"model.layers.{}.self_attn.rotary_emb.inv_freq": (4,), "model.layers.{}.self_attn.rotary_emb.cos": (64,)},
    "opt": {"model.decoder.version": (1,)},
}


@pytest.mark.parametrize("family", OLD)
def test_what_earlier_versions_wrote_and_every_version_computes_does_not_refuse(tmp_path: Path, family: str) -> None:
    architecture = {"bert": "BertForMaskedLM", "gpt2": "GPT2LMHeadModel", "gpt_neo": "GPTNeoForCausalLM"}
    architecture |= {"gpt_neox": "GPTNeoXForCausalLM", "llama": "LlamaForCausalLM", "opt": "OPTForCausalLM"}
    original = headed(architecture[family], family)
    folder = save(original, tmp_path)
    added = {key.format(layer): torch.ones(shape) for key, shape in OLD[family].items() for layer in range(LAYERS)}
    change(folder, lambda tensors: tensors | added)
    same(loaded(folder), original)


def test_the_first_names_of_a_norm_are_read(tmp_path: Path) -> None:
    original = headed("BertForMaskedLM", "bert")
    folder = save(original, tmp_path)

    def renamed(key: str) -> str:
        return key.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")

    change(folder, lambda tensors: {renamed(key): each for key, each in tensors.items()})
    same(loaded(folder), original)


# What is missing.


def test_a_pooler_behind_the_blocks_may_be_missing(tmp_path: Path) -> None:
    original = build("bert")
    folder = save(original, tmp_path)
    change(folder, lambda tensors: {key: each for key, each in tensors.items() if not key.startswith("pooler.")})
    same(loaded(folder), original)


@pytest.mark.parametrize("key", ["encoder.layer.0.pooler.weight", "embeddings.pooler", "attention_pooler.weight"])
def test_a_tensor_of_the_network_is_missed_though_its_name_speaks_of_a_pooler(key: str) -> None:
    info = {"missing_keys": {key}, "unexpected_keys": set(), "mismatched_keys": set()}
    network = build("bert")
    network.add_module("attention_pooler", torch.nn.Linear(2, 2))
    network.get_submodule("embeddings").register_buffer("pooler", torch.ones(2))
    network.get_submodule("encoder.layer.0").add_module("pooler", torch.nn.Linear(2, 2))
    with pytest.raises(ModelError, match="lack 1 tensor of the configured network"):
        refuse_misfit(Loading(network, info, (), {}, headed=False), "tiny")


MARIAN = {**FAMILIES["bart"].arguments, "pad_token_id": 0, "decoder_start_token_id": 0}
COMPUTED = {
    "MarianMTModel": ("MarianConfig", "encoder.embed_positions.weight"),
    "PegasusForConditionalGeneration": ("PegasusConfig", "encoder.embed_positions.weight"),
    "M2M100ForConditionalGeneration": ("M2M100Config", "encoder.embed_positions.weights"),
}


@pytest.mark.parametrize("architecture", COMPUTED)
def test_positions_that_transformers_computes_are_not_missed(tmp_path: Path, architecture: str) -> None:
    config, positions = COMPUTED[architecture]
    torch.manual_seed(0)
    original = getattr(transformers, architecture)(getattr(transformers, config)(**MARIAN))
    folder = save(original, tmp_path)
    change(folder, lambda tensors: {key: each for key, each in tensors.items() if "embed_positions" not in key})
    network = loaded(folder).network
    computed = network.get_parameter_or_buffer(positions)
    assert torch.equal(computed, original.base_model.get_parameter_or_buffer(positions))
    assert computed.std() > 0.1


def test_positions_that_were_learned_are_missed(tmp_path: Path) -> None:
    folder = save(headed("BartForConditionalGeneration", "bart"), tmp_path)
    change(folder, lambda tensors: {key: each for key, each in tensors.items() if "encoder.embed_pos" not in key})
    assert "encoder.embed_positions.weight" in refusal(folder)


@pytest.mark.parametrize("family", ["T5", "MT5", "UMT5"])
@torch.inference_mode()
def test_an_encoder_that_was_saved_by_itself_is_measured_as_that_of_the_whole(tmp_path: Path, family: str) -> None:
    torch.manual_seed(0)
    whole, alone = (
        getattr(transformers, f"{family}{kind}")(getattr(transformers, f"{family}Config")(**FAMILIES["t5"].arguments))
        for kind in ("Model", "EncoderModel")
    )
    whole.eval()
    alone.load_state_dict(whole.state_dict(), strict=False)
    first, second = loaded(save(whole, tmp_path / "whole")), loaded(save(alone, tmp_path / "alone"))
    assert second.record.architecture == f"{family}EncoderModel"
    assert second.record.parameters < first.record.parameters
    ids = torch.tensor([[2, 5, 6, 7, 8, 3]])
    states = [model.anatomy.network(ids).last_hidden_state for model in (first, second)]
    assert torch.equal(*states)
    assert torch.equal(states[0], whole.encoder(ids).last_hidden_state)


def test_a_decoder_that_lacks_a_tensor_is_not_run_and_not_missed(tmp_path: Path) -> None:
    original = headed("T5ForConditionalGeneration", "t5")
    folder = save(original, tmp_path)
    change(folder, lambda tensors: {key: each for key, each in tensors.items() if "EncDecAttention.k" not in key})
    model = loaded(folder)
    key = "block.0.layer.0.SelfAttention.q.weight"
    assert torch.equal(model.anatomy.network.state_dict()[key], original.state_dict()[f"encoder.{key}"])


# Names.

PREFIXES = [
    "module.",
    "model.",
    "_orig_mod.",
    "base_model.model.",
    "module._orig_mod.",
    "model.module.",
    "net.encoder.",
]
SAVED = [("bert", "BertModel"), ("bert", "BertForMaskedLM"), ("llama", "LlamaModel"), ("llama", "LlamaForCausalLM")]
SAVED += [("gpt2", "GPT2LMHeadModel"), ("t5", "T5EncoderModel"), ("nomic_bert", "NomicBertModel")]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(("family", "architecture"), SAVED)
def test_the_same_tensors_behind_a_wrapper_are_the_same_model(
    tmp_path: Path, family: str, architecture: str, prefix: str
) -> None:
    folder = save(headed(architecture, family), tmp_path)
    plain = loaded(folder)
    change(folder, lambda tensors: {prefix + key: each for key, each in tensors.items()})
    wrapped = loaded(folder)
    weights = wrapped.network.state_dict()
    assert all(
        torch.equal(weights[key], each) for key, each in plain.network.state_dict().items() if "pooler" not in key
    )
    assert wrapped.prediction == plain.prediction
    if plain.language_model is not None and wrapped.language_model is not None:
        heads = wrapped.language_model.state_dict()
        compared = [key for key in heads if not key.startswith(f"{plain.language_model.base_model_prefix}.")]
        assert all(torch.equal(heads[key], plain.language_model.state_dict()[key]) for key in compared)


@pytest.mark.parametrize("prefixes", [("encoder_q.", "encoder_k."), ("bert.", ""), ("student.bert.", "teacher.bert.")])
def test_two_networks_in_one_file_are_not_chosen_between(tmp_path: Path, prefixes: tuple[str, str]) -> None:
    folder = save(build("bert"), tmp_path)
    change(folder, lambda tensors: {prefix + key: each.clone() for key, each in tensors.items() for prefix in prefixes})
    assert "hold the network twice" in refusal(folder)


def test_one_tensor_under_two_names_is_not_chosen_between(tmp_path: Path) -> None:
    folder = save(headed("BertForMaskedLM", "bert"), tmp_path)
    key = "encoder.layer.0.output.dense.weight"
    change(folder, lambda tensors: tensors | {key: torch.zeros(32, 64)})
    text = refusal(folder)
    assert f"as {key} and bert.{key}" in text


def test_one_tensor_in_two_files_is_not_chosen_between(tmp_path: Path) -> None:
    folder = save(build("bert"), tmp_path)
    tensors = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()
    parts = {f"model-0000{number}-of-00002.safetensors": tensors for number in (1, 2)}
    for name, each in parts.items():
        save_file(each, folder / name, metadata={"format": "pt"})
    index = {"weight_map": dict(zip(tensors, [*parts] * len(tensors), strict=False))}
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps(index))
    assert "stands in two weight files" in refusal(folder)


# Numbers that are none of the weights.


@pytest.mark.parametrize("part", ["q_proj.weight", "weight"])
@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int32])
def test_whole_numbers_in_the_place_of_weights_are_not_measured(tmp_path: Path, part: str, dtype: torch.dtype) -> None:
    folder = save(headed("LlamaForCausalLM", "llama"), tmp_path)
    change(
        folder,
        lambda tensors: {
            key: (each * 100).to(dtype) if key.endswith(part) and "norm" not in key else each
            for key, each in tensors.items()
        },
    )
    assert "is stored quantised" in refusal(folder)


def test_scales_beside_packed_weights_are_called_a_quantisation(tmp_path: Path) -> None:
    folder = save(headed("LlamaForCausalLM", "llama"), tmp_path)

    def packed(tensors: Tensors) -> Tensors:
        kept = {key: each for key, each in tensors.items() if "q_proj" not in key}
        place = LLAMA_BLOCK + ".self_attn.q_proj.{}"
        codes = {place.format(layer, "qweight"): torch.ones(4, 32, dtype=torch.int32) for layer in range(LAYERS)}
        return kept | codes | {place.format(layer, "scales"): torch.ones(4, 32) for layer in range(LAYERS)}

    change(folder, packed)
    assert (
        "is stored quantised (3 tensors, such as model.layers.0.self_attn.q_proj.qweight, of the type I32)"
        in refusal(folder)
    )


def test_masks_and_positions_in_whole_numbers_are_no_quantisation(tmp_path: Path) -> None:
    original = headed("GPT2LMHeadModel", "gpt2")
    folder = save(original, tmp_path)
    masks = {f"transformer.h.{layer}.attn.bias": torch.ones(1, 1, 64, 64).to(torch.uint8) for layer in range(LAYERS)}
    change(folder, lambda tensors: tensors | masks)
    same(loaded(folder), original)


@pytest.mark.parametrize("kind", ["relative_key", "relative_key_query", "alibi", "rotary"])
def test_positions_that_are_not_built_are_not_replaced_by_absolute_ones(tmp_path: Path, kind: str) -> None:
    folder = save(build("bert"), tmp_path)
    configure(folder, position_embedding_type=kind)
    assert f"asks for positions of the kind “{kind}”" in refusal(folder)


def test_positions_that_are_said_to_be_absolute_are(tmp_path: Path) -> None:
    original = build("bert")
    folder = save(original, tmp_path)
    configure(folder, position_embedding_type="absolute")
    same(loaded(folder), original)


@pytest.mark.parametrize("family", ["Bart", "MBart", "Marian", "Pegasus"])
def test_a_decoder_that_was_saved_by_itself_is_called_one(tmp_path: Path, family: str) -> None:
    config = getattr(transformers, f"{family}Config")(**MARIAN)
    folder = save(getattr(transformers, f"{family}ForCausalLM")(config), tmp_path)
    assert "hold the decoder of an encoder–decoder by itself" in refusal(folder)


def test_the_decoder_half_of_a_whole_is_called_one(tmp_path: Path) -> None:
    folder = save(headed("T5ForConditionalGeneration", "t5"), tmp_path)
    change(folder, lambda tensors: {key: each for key, each in tensors.items() if not key.startswith("encoder.")})
    assert "hold the decoder of an encoder–decoder by itself" in refusal(folder)


def test_another_number_of_tokens_or_types_is_told_with_both_shapes(tmp_path: Path) -> None:
    folder = save(build("bert"), tmp_path)
    configure(folder, type_vocab_size=1)
    assert "It is (2, 32) in the files, and (1, 32) by the configuration" in refusal(folder)


@pytest.mark.parametrize("wrapped", ["layers.0.self_attn.q_proj.{}.weight", "embed_tokens.{}.weight"])
@pytest.mark.parametrize("layer", ["base_layer", "original_module", "modules_to_save.default"])
def test_what_peft_has_wrapped_is_called_an_adapter(tmp_path: Path, wrapped: str, layer: str) -> None:
    folder = save(headed("LlamaForCausalLM", "llama"), tmp_path)
    old = f"model.{wrapped}".replace("{}.", "")
    new = f"model.{wrapped}".format(layer)
    change(folder, lambda tensors: {key.replace(old, new): each for key, each in tensors.items()})
    assert "an adapter that is not merged" in refusal(folder)


@pytest.mark.parametrize("head", ["crf.transitions", "bilstm.weight_ih_l0", "fc.weight", "fc1.weight", "dense_1.bias"])
def test_heads_beside_a_bare_network_are_no_reason_to_refuse(tmp_path: Path, head: str) -> None:
    original = build("bert")
    folder = save(original, tmp_path)
    change(folder, lambda tensors: tensors | {head: torch.ones(3, 3)})
    same(loaded(folder), original)


def test_code_for_the_network_that_is_not_run_is_told(tmp_path: Path) -> None:
    folder = save(headed("LlamaForCausalLM", "llama"), tmp_path)
    configure(folder, auto_map={"AutoConfig": "own.Config"})
    assert not any("code" in each for each in loaded(folder).record.limits)
    configure(folder, auto_map={"AutoConfig": "own.Config", "AutoModel": "own.BidirectionalLlama"})
    assert "program code of its own for the network (auto_map in config.json)" in loaded(folder).record.limits[-1]
    configure(folder, num_hidden_layers=LAYERS - 1)
    text = refusal(folder)
    assert "does not have" in text
    assert "program code of its own" in text
