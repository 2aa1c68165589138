"""Two short texts through a network: what its code does where its configuration does not say."""

import math
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from oversmooth.core.errors import ModelError

PADDING = 3
TOLERANCE = 1e-4
"""Relative; another width alone changes float32 states by about a hundredth of this."""


@torch.inference_mode()
def is_causal(network: PreTrainedModel) -> bool:
    """Whether the first token's state ignores the last token."""
    states = _outputs(network, two_texts(network)).last_hidden_state
    return bool(torch.equal(states[0, 0], states[1, 0]))


@torch.inference_mode()
def padding_is_safe(network: PreTrainedModel) -> bool:
    """Whether masked padding at the end leaves the states of the tokens alone; convolutions over tokens read it."""
    alone = {name: tensor[:1] for name, tensor in two_texts(network).items()}
    padded = {name: nn.functional.pad(tensor, (0, PADDING)) for name, tensor in alone.items()}
    states = _outputs(network, alone).last_hidden_state
    beside = _outputs(network, padded).last_hidden_state[:, : states.shape[1]]
    scale = float(states.abs().mean())
    return math.isfinite(scale) and torch.allclose(states, beside, rtol=TOLERANCE, atol=TOLERANCE * scale)


@torch.inference_mode()
def compare(network: PreTrainedModel, blocks: tuple[nn.Module, ...]) -> tuple[bool, bool]:
    """How the blocks found in a network of an unknown family compare with transformers' own hidden states.

    Whether each block's output is one of these (the last may be missing, for it may be normed there), and whether the
    last one's is the network's last hidden state, so that nothing follows it.
    """
    seen: list[Tensor] = []

    def keep(_: nn.Module, __: tuple[Any, ...], output: object) -> None:
        states = output[0] if isinstance(output, tuple) else output
        if isinstance(states, Tensor):
            seen.append(states)

    texts = two_texts(network)
    with ExitStack() as stack:
        for block in dict.fromkeys(blocks):
            stack.callback(block.register_forward_hook(keep).remove)
        outputs = _outputs(network, texts, output_hidden_states=True)
    reported = outputs.hidden_states or ()
    # Some families pad the text inside, to a multiple of a window.
    seen = [states[:, : texts["input_ids"].shape[1]] for states in seen]
    known = [any(_same(states, each) for each in reported) for states in seen[:-1]]
    # Reversible networks carry two streams: what a block puts out first is half of what follows the last one.
    whole = bool(seen) and _is_stream(seen[-1], outputs.last_hidden_state)
    agree = len(seen) == len(blocks) and whole and all(known)
    return agree, agree and _same(seen[-1], outputs.last_hidden_state)


def _is_stream(states: Tensor, last: Tensor) -> bool:
    """Whether these are states of the tokens, in one stream; what follows them may have another width."""
    same_tokens = states.ndim == last.ndim and states.shape[:2] == last.shape[:2]
    return same_tokens and 2 * states.shape[2] != last.shape[2]


def _outputs(network: PreTrainedModel, texts: dict[str, Tensor], **more: bool) -> Any:  # noqa: ANN401  each its own
    try:
        return network(**texts, **more)
    except Exception as error:  # whatever a network's own code may raise
        family, length = network.config.model_type, texts["input_ids"].shape[1]
        raise ModelError(
            f"A network of the architecture “{family}” does not run on a text of {length} tokens as transformers "
            f"builds it, so it cannot be measured ({type(error).__name__})."
        ) from error


def two_texts(network: PreTrainedModel) -> dict[str, Tensor]:
    """Three tokens, and the same with another one at the end."""
    middle = int(network.config.vocab_size) // 2
    ids = torch.tensor([[middle, middle + 1, middle + 2], [middle, middle + 1, middle + 3]], device=network.device)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def _same(first: Tensor, second: Tensor) -> bool:
    return first.shape == second.shape and torch.allclose(first, second, rtol=0, atol=0, equal_nan=True)
