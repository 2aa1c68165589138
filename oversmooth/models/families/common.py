"""What holds of every architecture: names of norms, heads, and tensors that are no weights of the network."""

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
