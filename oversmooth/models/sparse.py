"""Networks whose attention is sparse for long texts: kept so, and which tokens attend to all others."""

import inspect
from collections.abc import Iterator
from typing import Any, Final

from torch import nn
from transformers import PreTrainedModel

from oversmooth.models import families
from oversmooth.models.families import GlobalAttention
from oversmooth.models.families.common import SPARSE_ATTENTION


def keep_sparse(network: PreTrainedModel) -> bool:
    """Have a network of BigBird's kind read each long text with sparse attention, whatever was read before.

    Its code changes to full attention at the first short text, and no later one changes it back. Gives whether the
    network is of that kind: then a short text beside a long one would be read as the long one is.
    """
    config: Any = network.config
    change: Any = getattr(network, "set_attention_type", None)
    if getattr(config, "attention_type", None) != SPARSE_ATTENTION or change is None:
        return False
    # What its code compares with: so many blocks are attended to anyway.
    fully = (5 + 2 * config.num_random_blocks) * config.block_size

    def choose(_: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        ids = arguments[0] if arguments else named["input_ids"]
        if ids.shape[1] > fully:
            change(SPARSE_ATTENTION)

    network.register_forward_pre_hook(choose, with_kwargs=True)
    return True


def global_attention(network: PreTrainedModel) -> GlobalAttention | None:
    """What the head of the checkpoint chooses, which is not loaded with the network; None where none does."""
    named = network.config.architectures or [type(network).__name__]
    chosen = families.get(str(network.config.model_type)).global_attention
    return next((chosen[name] for name in named if name in chosen), None)


_CHOSEN: Final[dict[GlobalAttention, str]] = {
    "first": "the first token has global attention",
    "question": "the first text of a pair has global attention, and a single text none",
    "choice": "the second text of a pair has global attention, and a single text none",
}


def attended_globally(
    network: PreTrainedModel, whole: PreTrainedModel, chosen: GlobalAttention | None
) -> Iterator[str]:
    """Which tokens attend to all others in a network that reads such a choice, in a sentence; nothing in others."""
    if "global_attention_mask" not in inspect.signature(network.forward).parameters:
        return
    head = (whole.config.architectures or [type(whole).__name__])[0]
    if chosen is None:
        yield f"No token has global attention, since {head} chooses none by itself: every token sees its window alone."
    else:
        yield f"As {head} has it, {_CHOSEN[chosen]}."
