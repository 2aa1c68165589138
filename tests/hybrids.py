"""Tiny random models whose attention is there in some blocks only, or out of reach: not as families.py has them."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import torch
import transformers
from families import VOCABULARY
from tiny import loaded
from transformers import PreTrainedModel

from oversmooth.models.loaded import LoadedModel

_COMMON: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
}
_GROUPED: dict[str, Any] = {**_COMMON, "num_key_value_heads": 2}
_MAMBA2: dict[str, Any] = {"mamba_d_state": 8, "mamba_expand": 2}
CONFIGS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "jamba": (
        "JambaConfig",
        {
            **_GROUPED,
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "expert_layer_period": 2,
            "num_experts": 2,
            "mamba_d_state": 8,
        },
    ),
    "bamba": (
        "BambaConfig",
        {
            **_GROUPED,
            **_MAMBA2,
            "attn_layer_indices": [1],
            "mamba_n_heads": 4,
            "mamba_d_head": 16,
            "mamba_n_groups": 1,
            "mamba_chunk_size": 8,
        },
    ),
    "zamba2": (
        "Zamba2Config",
        {
            **_COMMON,
            "num_key_value_heads": 4,
            "layers_block_type": ["mamba", "hybrid", "mamba", "hybrid"],
            "mamba_d_state": 8,
            "mamba_ngroups": 1,
            "n_mamba_heads": 4,
            "chunk_size": 8,
            "num_mem_blocks": 1,
            "adapter_rank": 4,
        },
    ),
    "lfm2": (
        "Lfm2Config",
        {**_GROUPED, "layer_types": ["conv", "full_attention"] * 2, "block_multiple_of": 8},
    ),
    "longformer": ("LongformerConfig", {**_COMMON, "attention_window": 8}),
    "big_bird": (
        "BigBirdConfig",
        {**_COMMON, "attention_type": "block_sparse", "block_size": 2, "num_random_blocks": 1},
    ),
    "reformer": (
        "ReformerConfig",
        {
            "vocab_size": VOCABULARY,
            "hidden_size": 32,
            "attention_head_size": 8,
            "num_attention_heads": 4,
            "attn_layers": ["local", "local"],
            "feed_forward_size": 64,
            "axial_pos_embds": False,
            "max_position_embeddings": 64,
            "local_attn_chunk_length": 4,
            "is_decoder": False,
            "pad_token_id": 0,
        },
    ),
    "nystromformer": ("NystromformerConfig", {**_COMMON, "segment_means_seq_len": 8, "num_landmarks": 4}),
}
ATTENDED: Final = {"jamba": (1, 3), "bamba": (1,), "zamba2": (1, 3), "lfm2": (1, 3), "longformer": ()}
"""Blocks whose attention can be seen."""


def network(name: str) -> PreTrainedModel:
    """The tiny random model, far from uniform attention, in evaluation mode."""
    kind, arguments = CONFIGS[name]
    torch.manual_seed(0)
    made: PreTrainedModel = transformers.AutoModel.from_config(getattr(transformers, kind)(**arguments))
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.ndim == 1:
                torch.nn.init.normal_(parameter, mean=0.5, std=0.2)
            else:
                parameter.mul_(4)
    made.train(False)
    return made


@cache
def hybrid(name: str) -> LoadedModel:
    """That model with the word-level tokenizer."""
    return loaded(network(name))
