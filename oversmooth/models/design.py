"""Which network a configuration stands for: its class, with its head, or the part of several senses that reads text."""

import copy
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

import torch
import transformers
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM, PreTrainedConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_MAPPING,
)

from oversmooth.core.errors import ModelError
from oversmooth.models import families
from oversmooth.models.families.common import ABSOLUTE, POSITIONS
from oversmooth.models.loaded import Prediction
from oversmooth.models.names import CONFIG
from oversmooth.models.refusal import refusing
from oversmooth.models.trial import two_texts

_ENCODER_ALONE = "EncoderModel"
"""How transformers ends the names of the encoder of an encoder–decoder that was saved by itself."""

_POSITION_TABLE = ".position_embeddings.weight"
_SHOWN = 40


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


@dataclass(frozen=True, eq=False)
class Design:
    """What is built from a configuration, before any weight is read."""

    whole: PreTrainedModel
    """Without memory for its values: the network, with its head where there is one."""
    head: Head | None
    note: str = ""
    """What of the model is measured, and what of it is not run, in sentences, where that is not the whole."""

    @property
    def network(self) -> PreTrainedModel:
        """What is measured, on its own."""
        return self.whole if self.head is None else self.whole.base_model  # type: ignore[return-value]

    @property
    def parameters(self) -> int:
        """How many it has: a configuration may claim far more than the weight files hold."""
        return sum(parameter.numel() for parameter in self.whole.parameters())


def design(config: PreTrainedConfig, stored: Collection[str], name: str, *, code: str = "") -> Design:
    """The network to be built from a configuration of the model ``name``, for weights of the names ``stored``.

    ``code`` says that the configuration brings program code which is not run. Refused is what transformers cannot
    build, or not with its positions, and a text tower that cannot be measured.
    """
    text = text_configuration(config)
    if text is not None:
        whole = _hollow(_tower_class(config, text, name), text, name)
        note = f"This model is multimodal ({config.model_type}): its text tower alone is measured, without a head."
        return Design(whole, None, f"{note} {code}".strip())
    head = _declared(config)
    if head is not None:
        whole = _hollow(head.loader, config, name)
        if _stands_on_its_network(whole):
            _refuse_other_positions(whole, name)
            return Design(whole, head, code)
    network = _hollow(AutoModel, config, name)
    _refuse_other_positions(network, name)
    alone = _encoder_class(type(network))
    decoder = any("decoder" in key.split(".") for key in stored)
    if alone is not None and (alone.__name__ in (config.architectures or ()) or not decoder):
        network = _hollow(alone, config, name)
    return Design(network, None, code)


def _refuse_other_positions(network: PreTrainedModel, name: str) -> None:
    """Refuse relative positions that the configuration asks for where the network has a table of absolute ones."""
    asked = getattr(network.config, POSITIONS, None) or ABSOLUTE
    if asked != ABSOLUTE and any(key.endswith(_POSITION_TABLE) for key, _ in network.named_parameters()):
        raise ModelError(
            f"{CONFIG} of “{name}” asks for positions of the kind “{str(asked)[:_SHOWN]}” ({POSITIONS}), which "
            f"transformers {transformers.__version__} does not build for {network.config.model_type}. It is refused: "
            "with absolute positions it is another model."
        )


def _encoder_class(network: type[PreTrainedModel]) -> type[PreTrainedModel] | None:
    """The class of the encoder of an encoder–decoder by itself; None where transformers has none."""
    name = network.__name__.removesuffix("Model") + _ENCODER_ALONE
    found = getattr(sys.modules[network.__module__], name, None)
    return found if isinstance(found, type) and issubclass(found, PreTrainedModel) else None


def _hollow(built: type, config: PreTrainedConfig, name: str) -> PreTrainedModel:
    # Automatic classes alone take from_config; the others' is private, and what those call.
    build = getattr(built, "from_config", None) or built._from_config  # type: ignore[attr-defined]
    with refusing(f"“{name}” cannot be built from its configuration"), torch.device("meta"):
        model: PreTrainedModel = build(copy.deepcopy(config))
    return model


def text_configuration(config: PreTrainedConfig) -> PreTrainedConfig | None:
    """The configuration of the text tower of a model of several senses; None where the whole model reads text.

    Two language models that are put together as encoder and decoder are none: their encoder reads the text.
    """
    try:
        text = config.get_text_config()
    except ValueError:
        return None  # Several parts read text: a model that makes sound or images of it.
    if (
        text is config
        or not isinstance(text, PreTrainedConfig)
        or (config.is_encoder_decoder and not text.is_encoder_decoder)
    ):
        return None
    return text


def _tower_class(config: PreTrainedConfig, text: PreTrainedConfig, name: str) -> type[PreTrainedModel]:
    """The class of the text tower: transformers' own model of that architecture, or the part of the whole."""
    family = str(text.model_type)
    if getattr(text, families.get(family).only_with_images or "", None):
        raise ModelError(
            f"“{name}” is multimodal ({config.model_type}), and some layers of its text tower ({family}) read images "
            "alone: text passes by them, so its layers cannot be set beside each other."
        )
    found: Any = MODEL_MAPPING.get(type(text), None) or _part(config, text, name)
    if found is None:
        raise ModelError(
            f"“{name}” is multimodal ({config.model_type}), and transformers does not build its text tower ({family}) "
            "by itself. Measure a language model of that kind instead."
        )
    tower: type[PreTrainedModel] = found[0] if isinstance(found, tuple) else found
    return tower


def _part(config: PreTrainedConfig, text: PreTrainedConfig, name: str) -> type[PreTrainedModel] | None:
    whole_class: Any = MODEL_MAPPING.get(type(config), None)
    if whole_class is None:
        return None
    with refusing(f"“{name}” cannot be built from its configuration"), torch.device("meta"):
        whole: PreTrainedModel = whole_class._from_config(config)
    for module in whole.modules():
        if module is not whole and isinstance(module, PreTrainedModel) and type(module.config) is type(text):
            return type(module)
    return None


def _declared(config: PreTrainedConfig) -> Head | None:
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


def _stands_on_its_network(model: PreTrainedModel) -> bool:
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


def unusable_head(head: Head, model: PreTrainedModel, *, causal: bool) -> str:
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
