"""Tiny random models of every family that Oversmooth supports, made from configurations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import transformers
from transformers import PreTrainedModel

# A second thread brings nothing to models this small, and beside a busy neighbour it costs many times the work.
torch.set_num_threads(1)

VOCABULARY = 99
LAYERS = 3
WIDTH = 32

COMMON: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}
GROUPED: dict[str, Any] = {**COMMON, "num_key_value_heads": 2, "pad_token_id": 0}
IMAGE: dict[str, Any] = {
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "image_size": 16,
    "patch_size": 4,
}


@dataclass(frozen=True)
class Family:
    """What is expected of one family."""

    config: str
    arguments: dict[str, Any]
    attention_reachable: bool = True
    final_norm: str | None = None
    hidden_states: str = "all"
    """Which of transformers' own hidden states are block outputs: ``all``, or ``all but last`` (it is normed)."""
    causal: bool = False
    sub_layers: tuple[str, ...] = ("attention", "attention_norm", "mlp")
    model: Callable[[Any], PreTrainedModel] = field(default=transformers.AutoModel.from_config)
    image: bool = False
    branches: tuple[str, str] | None = None
    """The last module of the attention and of the MLP branch, whose output is added to the stream; empty where that is
    none. None where there are no points inside a block."""


PRE = ("attention", "attention_norm")

FAMILIES: dict[str, Family] = {
    "bert": Family("BertConfig", COMMON, branches=("attention.output.dense", "output.dense")),
    "roberta": Family("RobertaConfig", COMMON, branches=("attention.output.dense", "output.dense")),
    "xlm-roberta": Family("XLMRobertaConfig", COMMON, branches=("attention.output.dense", "output.dense")),
    "albert": Family(
        "AlbertConfig",
        {**COMMON, "embedding_size": 16},
        branches=("albert_layers.0.attention.dense", "albert_layers.0.ffn_output"),
    ),
    "distilbert": Family(
        "DistilBertConfig",
        {
            "vocab_size": VOCABULARY,
            "dim": WIDTH,
            "n_layers": LAYERS,
            "n_heads": 4,
            "hidden_dim": 64,
            "max_position_embeddings": 64,
        },
        branches=("attention.out_lin", "ffn.lin2"),
    ),
    "electra": Family(
        "ElectraConfig", {**COMMON, "embedding_size": 16}, branches=("attention.output.dense", "output.dense")
    ),
    "deberta": Family(
        "DebertaConfig",
        {**COMMON, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
        False,
        branches=("attention.output.dense", "output.dense"),
    ),
    "deberta-v2": Family(
        "DebertaV2Config",
        {**COMMON, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
        False,
        branches=("attention.output.dense", "output.dense"),
    ),
    "mpnet": Family("MPNetConfig", COMMON, False, branches=("attention.attn.o", "output.dense")),
    "modernbert": Family(
        "ModernBertConfig",
        {**COMMON, "pad_token_id": 0, "global_attn_every_n_layers": 2, "local_attention": 16},
        final_norm="final_norm",
        hidden_states="all but last",
        sub_layers=PRE,
        branches=("attn.Wo", "mlp.Wo"),
    ),
    "gpt2": Family(
        "GPT2Config",
        {"vocab_size": VOCABULARY, "n_embd": WIDTH, "n_layer": LAYERS, "n_head": 4, "n_positions": 64},
        final_norm="ln_f",
        hidden_states="all but last",
        causal=True,
        sub_layers=PRE,
        branches=("attn.c_proj", "mlp.c_proj"),
    ),
    "gpt_neox": Family(
        "GPTNeoXConfig",
        COMMON,
        final_norm="final_layer_norm",
        hidden_states="all but last",
        causal=True,
        sub_layers=(),
    ),
    "opt": Family(
        "OPTConfig",
        {**COMMON, "ffn_dim": 64, "word_embed_proj_dim": WIDTH},
        final_norm="decoder.final_layer_norm",
        hidden_states="all but last",
        causal=True,
        sub_layers=PRE,
        branches=("self_attn.out_proj", "fc2"),
    ),
    "llama": Family(
        "LlamaConfig",
        GROUPED,
        final_norm="norm",
        hidden_states="all but last",
        causal=True,
        sub_layers=PRE,
        branches=("self_attn.o_proj", "mlp.down_proj"),
    ),
    "qwen2": Family(
        "Qwen2Config",
        GROUPED,
        final_norm="norm",
        hidden_states="all but last",
        causal=True,
        sub_layers=PRE,
        branches=("self_attn.o_proj", "mlp.down_proj"),
    ),
    "qwen3": Family(
        "Qwen3Config",
        {**GROUPED, "head_dim": 8},
        final_norm="norm",
        hidden_states="all but last",
        causal=True,
        sub_layers=PRE,
        branches=("self_attn.o_proj", "mlp.down_proj"),
    ),
    "gemma": Family(
        "GemmaConfig",
        {**GROUPED, "head_dim": 8},
        final_norm="norm",
        hidden_states="all but last",
        causal=True,
        sub_layers=PRE,
        branches=("self_attn.o_proj", "mlp.down_proj"),
    ),
    "gemma2": Family(
        "Gemma2Config",
        {**GROUPED, "head_dim": 8},
        final_norm="norm",
        hidden_states="all but last",
        causal=True,
        sub_layers=PRE,
        branches=("post_attention_layernorm", "post_feedforward_layernorm"),
    ),
    "gemma3_text": Family(
        "Gemma3TextConfig",
        {**GROUPED, "head_dim": 8},
        final_norm="norm",
        hidden_states="all but last",
        causal=True,
        sub_layers=PRE,
        branches=("post_attention_layernorm", "post_feedforward_layernorm"),
    ),
    **{
        name: Family(
            config,
            GROUPED,
            final_norm="norm",
            hidden_states="all but last",
            causal=True,
            sub_layers=("attention",),
            branches=("post_attention_layernorm", "post_feedforward_layernorm"),
        )
        for name, config in (("olmo2", "Olmo2Config"), ("olmo3", "Olmo3Config"))
    },
    "mistral": Family(
        "MistralConfig",
        GROUPED,
        final_norm="norm",
        hidden_states="all but last",
        causal=True,
        sub_layers=PRE,
        branches=("self_attn.o_proj", "mlp.down_proj"),
    ),
    "t5": Family(
        "T5Config",
        {
            "vocab_size": VOCABULARY,
            "d_model": WIDTH,
            "d_ff": 64,
            "num_layers": LAYERS,
            "num_heads": 4,
            "d_kv": 8,
            "decoder_start_token_id": 0,
        },
        final_norm="final_layer_norm",
        hidden_states="all but last",
        sub_layers=PRE,
        branches=("layer.0.SelfAttention.o", "layer.1.DenseReluDense.wo"),
    ),
    "bart": Family(
        "BartConfig",
        {
            "vocab_size": VOCABULARY,
            "d_model": WIDTH,
            "encoder_layers": LAYERS,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 64,
            "decoder_ffn_dim": 64,
            "max_position_embeddings": 64,
        },
        branches=("self_attn.out_proj", "fc2"),
    ),
    "gpt_neo": Family(
        "GPTNeoConfig",
        {
            "vocab_size": VOCABULARY,
            "hidden_size": WIDTH,
            "num_layers": LAYERS,
            "num_heads": 4,
            "attention_types": [[["global"], LAYERS]],
            "max_position_embeddings": 64,
            "intermediate_size": 64,
        },
        False,
        "ln_f",
        "all but last",
        True,
        PRE,
        branches=("attn.attention.out_proj", "mlp.c_proj"),
    ),
    "bloom": Family(
        "BloomConfig",
        {"vocab_size": VOCABULARY, "hidden_size": WIDTH, "n_layer": LAYERS, "n_head": 4},
        False,
        "ln_f",
        "all but last",
        True,
        PRE,
        branches=("self_attention.dense", "mlp.dense_4h_to_h"),
    ),
    "falcon": Family(
        "FalconConfig",
        {"vocab_size": VOCABULARY, "hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": 4},
        False,
        "ln_f",
        "all but last",
        True,
        (),
    ),
    "phi": Family(
        "PhiConfig", COMMON, final_norm="final_layernorm", hidden_states="all but last", causal=True, sub_layers=()
    ),
    "xlnet": Family(
        "XLNetConfig",
        {"vocab_size": VOCABULARY, "d_model": WIDTH, "n_layer": LAYERS, "n_head": 4, "d_inner": 64},
        False,
        branches=("", "ff.layer_2"),
    ),
    "nomic_bert": Family("NomicBertConfig", COMMON, branches=("self_attn.o_proj", "mlp.down_proj")),
    "convbert": Family(
        "ConvBertConfig",
        {**COMMON, "embedding_size": 16, "head_ratio": 2},
        False,
        branches=("attention.output.dense", "output.dense"),
    ),
    "vit": Family(
        "ViTConfig", IMAGE, final_norm="layernorm", sub_layers=PRE, image=True, branches=("attention.o_proj", "mlp.fc2")
    ),
    "deit": Family(
        "DeiTConfig",
        IMAGE,
        final_norm="layernorm",
        sub_layers=PRE,
        image=True,
        branches=("attention.o_proj", "mlp.fc2"),
    ),
    "dinov2": Family(
        "Dinov2Config",
        IMAGE,
        final_norm="layernorm",
        sub_layers=PRE,
        image=True,
        branches=("layer_scale1", "layer_scale2"),
    ),
    "beit": Family("BeitConfig", IMAGE, sub_layers=PRE, image=True, branches=("attention.o_proj", "mlp.fc2")),
    "dinov3_vit": Family(
        "DINOv3ViTConfig",
        IMAGE,
        final_norm="norm",
        sub_layers=PRE,
        image=True,
        branches=("layer_scale1", "layer_scale2"),
    ),
    "clip_vision_model": Family(
        "CLIPVisionConfig", IMAGE, sub_layers=PRE, image=True, branches=("self_attn.out_proj", "mlp.fc2")
    ),
    "siglip_vision_model": Family(
        "SiglipVisionConfig",
        IMAGE,
        final_norm="post_layernorm",
        sub_layers=PRE,
        image=True,
        branches=("self_attn.out_proj", "mlp.fc2"),
    ),
    "ijepa": Family(
        "IJepaConfig",
        IMAGE,
        final_norm="layernorm",
        sub_layers=PRE,
        image=True,
        branches=("attention.o_proj", "mlp.fc2"),
    ),
}


def build(name: str, seed: int = 0) -> PreTrainedModel:
    """The tiny random model of that family, in evaluation mode."""
    family = FAMILIES[name]
    torch.manual_seed(seed)
    config = getattr(transformers, family.config)(**family.arguments)
    network = family.model(config)
    for parameter in network.parameters():
        # Fresh biases and gains are zeros and ones, which would hide a point read at the wrong side of a norm.
        if parameter.ndim == 1:
            torch.nn.init.normal_(parameter, mean=0.5, std=0.2)
    network.eval()
    return network
