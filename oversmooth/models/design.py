"""Which network a configuration stands for: its class, with the language-model head where it is one's."""

from __future__ import annotations

import copy
import sys
from collections.abc import Collection
from dataclasses import dataclass

import torch
import transformers
from transformers import AutoModel, PreTrainedConfig, PreTrainedModel

from oversmooth.core.errors import ModelError
from oversmooth.models import heads
from oversmooth.models.families.common import ABSOLUTE, POSITIONS
from oversmooth.models.heads import Head
from oversmooth.models.names import CONFIG
from oversmooth.models.refusal import refusing
from oversmooth.models.towers import text_configuration, tower_class

_ENCODER_ALONE = "EncoderModel"
"""How transformers ends the names of the encoder of an encoder–decoder that was saved by itself."""

_POSITION_TABLE = ".position_embeddings.weight"
_SHOWN = 40


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

    ``code`` says that the configuration brings program code which is not run.

    Raises:
        ModelError: transformers cannot build it, or not with its positions, or it has no text tower that can be
            measured.
    """
    text = text_configuration(config)
    if text is not None:
        whole = _hollow(tower_class(config, text, name), text, name)
        note = f"This model is multimodal ({config.model_type}): its text tower alone is measured, without a head."
        return Design(whole, None, f"{note} {code}".strip())
    head = heads.declared(config)
    if head is not None:
        whole = _hollow(head.loader, config, name)
        if heads.stands_on_its_network(whole):
            _refuse_other_positions(whole, name)
            return Design(whole, head, code)
    network = _hollow(AutoModel, config, name)
    _refuse_other_positions(network, name)
    alone = _encoder_class(type(network))
    if alone is not None and (alone.__name__ in (config.architectures or ()) or not any(map(_of_decoder, stored))):
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


def _of_decoder(key: str) -> bool:
    return "decoder" in key.split(".")


def _hollow(built: type, config: PreTrainedConfig, name: str) -> PreTrainedModel:
    # Automatic classes alone take from_config; the others' is private, and what those call.
    build = getattr(built, "from_config", None) or built._from_config  # type: ignore[attr-defined]
    with refusing(f"“{name}” cannot be built from its configuration"), torch.device("meta"):
        model: PreTrainedModel = build(copy.deepcopy(config))
    return model
