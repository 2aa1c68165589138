"""What each architecture calls its parts. A new architecture is one entry here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GlobalAttention = Literal["first", "question", "choice"]
"""Which tokens of a sparse attention see all others and are seen by them: the first one; of a pair, the first text with
what stands before it; of a pair, the second text with what stands behind it."""
Layout = Literal["own", "thirds", "per_head"]
"""How the values leave the projection: on their own, as the last third beside queries and keys, or beside the queries
and keys of each head in turn."""


@dataclass(frozen=True)
class Parts:
    """Names inside a block."""

    middle_norm: str | None
    """The norm between attention and MLP: its input is the stream after attention, its output what the MLP reads. None
    where attention and MLP run in parallel."""
    end_norm: str | None = None
    """Post-norm families: the norm after the MLP was added. Pre-norm families have none; there the block ends."""
    start_norm: str | None = None
    """Pre-norm families: the norm before attention."""
    mlp_norm: str | None = None
    """Parallel families: the norm before the MLP, where attention and MLP do not share one."""
    attention: str | None = None
    """The module whose output is the attention branch, just before it is added to the residual stream."""
    mlp: str | None = None
    """The same of the MLP branch."""
    mlp_first: str | None = None
    """Post-norm families: the MLP's first matrix, where it has two with an activation between them. ``mlp`` is the
    second."""
    value: str | None = None
    """The projection that gives the values; its input is what attention reads. None where attention is not reached."""
    layout: Layout = "own"
    projection: str | None = None
    """The projection that the mixed values go through, where it is not ``attention`` itself."""


_BERT = Parts(
    "attention.output.LayerNorm",
    "output.LayerNorm",
    attention="attention.output.dense",
    mlp="output.dense",
    mlp_first="intermediate.dense",
    value="attention.self.value",
)
_DEBERTA = Parts(
    "attention.output.LayerNorm", "output.LayerNorm", attention="attention.output.dense", mlp="output.dense"
)
_BART = Parts(
    "self_attn_layer_norm",
    "final_layer_norm",
    attention="self_attn.out_proj",
    mlp="fc2",
    mlp_first="fc1",
    value="self_attn.v_proj",
)
_LLAMA = Parts(
    "post_attention_layernorm",
    start_norm="input_layernorm",
    attention="self_attn.o_proj",
    mlp="mlp.down_proj",
    value="self_attn.v_proj",
)
_GEMMA = Parts(
    "pre_feedforward_layernorm",
    start_norm="input_layernorm",
    attention="post_attention_layernorm",
    mlp="post_feedforward_layernorm",
    value="self_attn.v_proj",
    projection="self_attn.o_proj",
)
_VIT = Parts("layernorm_after", start_norm="layernorm_before")
_DINO = Parts("norm2", start_norm="norm1")
_CLIP = Parts("layer_norm2", start_norm="layer_norm1")
_NEOX = Parts(
    None,
    start_norm="input_layernorm",
    mlp_norm="post_attention_layernorm",
    attention="attention.dense",
    mlp="mlp.dense_4h_to_h",
    value="attention.query_key_value",
    layout="per_head",
)

PARTS = {
    "albert": Parts(
        "albert_layers.0.attention.LayerNorm",
        "albert_layers.0.full_layer_layer_norm",
        attention="albert_layers.0.attention.dense",
        mlp="albert_layers.0.ffn_output",
        mlp_first="albert_layers.0.ffn",
        value="albert_layers.0.attention.value",
    ),
    "bart": _BART,
    "beit": _VIT,
    "bert": _BERT,
    "bloom": Parts(
        "post_attention_layernorm",
        start_norm="input_layernorm",
        attention="self_attention.dense",
        mlp="mlp.dense_4h_to_h",
    ),
    "camembert": _BERT,
    "clip_vision_model": _CLIP,
    "convbert": _DEBERTA,
    "deberta": _DEBERTA,
    "deberta-v2": _DEBERTA,
    "deit": _VIT,
    "dinov2": _DINO,
    "dinov3_vit": _DINO,
    "distilbert": Parts(
        "sa_layer_norm",
        "output_layer_norm",
        attention="attention.out_lin",
        mlp="ffn.lin2",
        mlp_first="ffn.lin1",
        value="attention.v_lin",
    ),
    "electra": _BERT,
    "falcon": Parts(None, start_norm="input_layernorm", attention="self_attention.dense", mlp="mlp.dense_4h_to_h"),
    "gemma": _LLAMA,
    "gemma2": _GEMMA,
    "gemma3_text": _GEMMA,
    "gpt2": Parts(
        "ln_2",
        start_norm="ln_1",
        attention="attn.c_proj",
        mlp="mlp.c_proj",
        value="attn.c_attn",
        layout="thirds",
    ),
    "gpt_neo": Parts("ln_2", start_norm="ln_1", attention="attn.attention.out_proj", mlp="mlp.c_proj"),
    "gpt_neox": _NEOX,
    "ijepa": _VIT,
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "modernbert": Parts(
        "mlp_norm",
        start_norm="attn_norm",
        attention="attn.Wo",
        mlp="mlp.Wo",
        value="attn.Wqkv",
        layout="thirds",
    ),
    "mpnet": Parts("attention.LayerNorm", "output.LayerNorm", attention="attention.attn.o", mlp="output.dense"),
    "nomic_bert": Parts(
        "post_attention_layernorm",
        "post_mlp_layernorm",
        attention="self_attn.o_proj",
        mlp="mlp.down_proj",
        value="self_attn.v_proj",
    ),
    "opt": Parts(
        "final_layer_norm",
        start_norm="self_attn_layer_norm",
        attention="self_attn.out_proj",
        mlp="fc2",
        value="self_attn.v_proj",
    ),
    "phi": Parts(
        None, start_norm="input_layernorm", attention="self_attn.dense", mlp="mlp.fc2", value="self_attn.v_proj"
    ),
    "qwen2": _LLAMA,
    "qwen3": _LLAMA,
    "roberta": _BERT,
    "siglip_vision_model": _CLIP,
    "t5": Parts(
        "layer.1.layer_norm",
        start_norm="layer.0.layer_norm",
        attention="layer.0.SelfAttention.o",
        mlp="layer.1.DenseReluDense.wo",
        value="layer.0.SelfAttention.v",
    ),
    "vit": _VIT,
    "xlm-roberta": _BERT,
    # The output projection of its attention is a product of tensors, not a module.
    "xlnet": Parts("rel_attn.layer_norm", "ff.layer_norm", mlp="ff.layer_2"),
}
POST_NORM_OPT = _BART
"""OPT's 350M model alone is post-norm, and built like BART."""
PARALLEL_SWITCH = {"falcon": "parallel_attn", "gpt_neox": "use_parallel_residual", "phi": None}
"""Attention and MLP read the same input and are added together: there is no stream between them. With the name of the
configuration's switch where a family knows both forms; the sequential one is built like Llama's."""
SEQUENTIAL_NORM = "post_attention_layernorm"
"""The norm between attention and MLP in their sequential forms."""
FALCON_NORMS = ("ln_attn", "ln_mlp")
"""The norms before attention and before the MLP in those parallel Falcons where each has its own."""
SHIFTED_RESIDUAL = {"bloom": "apply_residual_connection_post_layernorm"}
"""Switches that make the norm's output, not the stream, what a branch is added to."""
NESTED_BLOCKS = "inner_group_num"
"""ALBERT's number of attentions within one of its layers; one in every published model, and all that is known here."""
HEAD_RATIO = {"convbert": "head_ratio"}
"""Switches that make the heads fewer by this factor: convolutions do their part."""
FINAL_NORM_NAMES = (
    "ln_f",
    "norm",
    "norm_f",
    "final_norm",
    "final_layer_norm",
    "final_layernorm",
    "layer_norm",
    "layernorm",
    "post_layernorm",
)
FINAL_NORM_ON_POOLED = {"clip_vision_model"}
"""The last norm sees only the pooled vector, so it is no point of the tokens."""
DOWNSAMPLED = {"canine"}
"""Blocks see groups of tokens, of which none is a token of the text."""
TIME_FIRST = {"xlnet"}
"""Blocks see (token, batch, dim) instead of (batch, token, dim)."""
GLOBAL_ATTENTION: dict[str, GlobalAttention] = {
    "LongformerForMultipleChoice": "choice",
    "LongformerForQuestionAnswering": "question",
    "LongformerForSequenceClassification": "first",
}
"""Heads of transformers that choose tokens for global attention where nobody does. The others choose none."""
SPARSE_ATTENTION = "block_sparse"
"""BigBird's kind of attention for long texts. Of a short one, its code changes to full attention and stays there."""
HEAD_NAMES = (
    r"^(?!.*norm).*(head|classif|cls|predict|score|logit|output|pool|project|loss|summary|vocab|value|reward|generator"
    r"|discriminator|answer|qa|crf|lstm|gru)|^(bias|decoder|dense|linear|proj|fc)_?\d*$"
)
"""Of parts that stand beside a network and read its states, where a checkpoint puts nothing before the names of both.
Whatever else stands there is taken for a part of the network."""
COMPUTED = (
    r"(^|\.)(position_ids|token_type_ids|(original_)?inv_freq|masked_bias|causal_mask|(cos|sin)_cached|version)$"
    r"|(^|\.)rotary_emb\.(cos|sin)$|\.relative_position_index$"
)
"""Tensors that earlier versions of transformers wrote down and every version computes."""
ADAPTERS = r"(^|[._])(lora|ia3|hada|oft|vera|dora|prefix_encoder|prompt_encoder|prompt_embeddings)([._]|$)"
"""What peft calls the parts that it puts into a network, or beside it."""
BOTTLENECKS = r"adapter|\.(base_layer|original_module|modules_to_save)\."
"""What other methods of fine-tuning call theirs, and peft what it wraps; some architectures have parts of the first
name themselves."""
HEADS_INSIDE = r"\.unembed(_tokens)?\."
"""Heads that a checkpoint keeps under the names of the network."""
POSITIONS = "position_embedding_type"
"""The switch for relative positions in families of BERT's kind, which transformers no longer reads there: where a
network has a table of absolute positions, it uses that."""
ABSOLUTE = "absolute"
ONLY_WITH_IMAGES = {"mllama_text_model": "cross_attention_layers"}
"""Layers that text alone passes by."""
