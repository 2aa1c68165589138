"""The part of a multimodal model that reads text."""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_MAPPING

from oversmooth.core.errors import ModelError
from oversmooth.models import families
from oversmooth.models.refusal import refusing


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


def tower_class(config: PreTrainedConfig, text: PreTrainedConfig, name: str) -> type[PreTrainedModel]:
    """The class of the text tower: transformers' own model of that architecture, or the part of the whole.

    Raises:
        ModelError: it is neither, or some of its layers read images alone.
    """
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
