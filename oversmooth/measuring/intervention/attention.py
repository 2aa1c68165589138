"""Attention, step by step, so that a mitigation can act between the steps; registered with transformers under one name.

With nothing attached it computes what each family's own eager attention does, bit for bit.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import AttentionMaskInterface, eager_mask

from oversmooth.core.errors import MitigationError
from oversmooth.measuring.intervention.run import ACTIVE, BLOCKED
from oversmooth.models.trial import two_texts

NAME: Final = "oversmooth"
WHOLE: Final = "Mitigations act on whole sequences, not on one token after another: pass use_cache=False to the model."


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **more: Any,  # noqa: ANN401  what the families pass beside
) -> tuple[Tensor, Tensor]:
    """Eager attention with the changes of the run that is under way in this context, if any.

    Args:
        module: the family's attention module.
        query: (batch, head, token, head dim).
        key: (batch, key head, token, head dim); repeated where several heads share one.
        value: as ``key``.
        attention_mask: added to the logits; None where everything may be seen.
        scaling: of the logits; head dim^(-1/2) where the family leaves it out.
        dropout: ignored, since models are in evaluation mode.
        more: ``softcap`` and ``position_bias`` are honoured; whether a family means more is tried by :func:`faithful`.

    Returns:
        The mixed values (batch, token, head, head dim) and the attention matrices (batch, head, query, key).
    """
    del module, dropout
    run = ACTIVE.get()
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    logits = torch.matmul(query, key.transpose(2, 3)) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    if more.get("softcap") is not None:
        logits = torch.tanh(logits / more["softcap"]) * more["softcap"]
    if more.get("position_bias") is not None:
        logits = logits + more["position_bias"]
    if attention_mask is not None:
        logits = logits + attention_mask
    if run is None:
        probabilities = logits.softmax(dim=-1)
        return torch.matmul(probabilities, value).transpose(1, 2).contiguous(), probabilities
    if logits.shape[-1] != logits.shape[-2]:
        raise MitigationError(WHOLE)
    probabilities, value, mixed = run.attend(logits, value, allowed(attention_mask, logits))
    return mixed.transpose(1, 2).contiguous(), probabilities


def allowed(mask: Tensor | None, like: Tensor) -> Tensor:
    """Whether a query may see a key: bool, broadcastable to (batch, head, query, key)."""
    if mask is None:
        return torch.ones((1, 1, *like.shape[-2:]), dtype=torch.bool, device=like.device)
    return mask > BLOCKED


@torch.inference_mode()
def faithful(network: PreTrainedModel) -> bool:
    """Whether this function computes what the network's own eager attention does, bit for bit, on two short texts.

    A family may hand its attention more than every family does, such as sinks; then it must not be replaced.
    """
    texts = two_texts(network)
    texts["attention_mask"][1, -1] = 0  # Without padding, many families would pass no mask at all.
    before = network.config._attn_implementation
    try:
        network.set_attn_implementation("eager")
        theirs = network(**texts).last_hidden_state
        network.set_attn_implementation(NAME)
        ours = network(**texts).last_hidden_state
    finally:
        network.set_attn_implementation(before)
    # Weights that hold no numbers are told elsewhere.
    return torch.allclose(theirs, ours, rtol=0, atol=0, equal_nan=True)


def register() -> None:
    """Make the function known to transformers, with a mask function: without one, no mask would arrive at all."""
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, eager_mask)
