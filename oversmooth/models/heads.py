"""Which language-model head a checkpoint declares, and whether it can be trusted."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, PreTrainedConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_MAPPING,
)

from oversmooth.core.wording import count
from oversmooth.models.loaded import Prediction
from oversmooth.models.trial import two_texts


@dataclass(frozen=True)
class Head:
    """A head that a configuration names."""

    prediction: Prediction
    loader: Any
    """The automatic class of transformers that builds it on its network."""


_KINDS: Final = (
    (Head("masked", AutoModelForMaskedLM), MODEL_FOR_MASKED_LM_MAPPING),
    (Head("causal", AutoModelForCausalLM), MODEL_FOR_CAUSAL_LM_MAPPING),
)


def declared(config: PreTrainedConfig) -> Head | None:
    """The head that the configuration's ``architectures`` name, where it stands on the network that is measured.

    None for encoder–decoders, of which only the encoder is run.
    """
    named = config.architectures
    if config.is_encoder_decoder or not isinstance(named, list):
        return None
    for head, mapping in _KINDS:
        for found in _classes(mapping.get(type(config), None)):
            if found.__name__ in named:
                return head
    return None


def stands_on_its_network(model: PreTrainedModel) -> bool:
    """Whether what is below the head is the bare network of the same configuration."""
    return type(model.base_model) in _classes(MODEL_MAPPING[type(model.config)])


@torch.inference_mode()
def _runs_its_network(model: PreTrainedModel) -> bool:
    """Whether a pass through the head goes through the network as a whole, where mitigations meet it.

    OPT's goes past it, straight to a part of it.
    """
    met: list[object] = []
    handle = model.base_model.register_forward_hook(lambda *_: met.append(None))
    try:
        model(**two_texts(model))
    finally:
        handle.remove()
    return bool(met)


def unusable(head: Head, model: PreTrainedModel, *, causal: bool) -> str:
    """Why a head that is there is not used, in a sentence; empty where it is."""
    if head.prediction == "causal" and not causal:
        return "The head predicts the next token, which its network has seen already, so its loss is not measured."
    if not _runs_its_network(model):
        return "The head passes by the network as it is measured, so its loss is not measured."
    return ""


def _classes(found: Any) -> tuple[type[PreTrainedModel], ...]:  # noqa: ANN401  as transformers maps them
    if found is None:
        return ()
    return tuple(found) if isinstance(found, Iterable) else (found,)


def broken(missing: list[str], mismatched: list[str]) -> str:
    """Why a head is not used, in a sentence, from the names of its tensors that came in at random; empty where none."""
    for keys, what in ((missing, "lacks"), (mismatched, "has another shape for")):
        if keys:
            return (
                f"The checkpoint {what} {count(len(keys), 'tensor')} of its language-model head, such as {keys[0]}, so "
                "the head's loss is not measured."
            )
    return ""
