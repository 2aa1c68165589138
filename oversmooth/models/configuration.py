"""A model's configuration, read so that it decides the numbers of the architecture and nothing else."""

import json
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import transformers
from transformers import AutoConfig, PreTrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_MAPPING

from oversmooth.core.errors import ModelError
from oversmooth.core.wording import did_you_mean
from oversmooth.models.design import text_configuration
from oversmooth.models.names import CONFIG
from oversmooth.models.reading import anywhere, read_fields
from oversmooth.models.refusal import refusing

_MOST_LAYERS = 1000
_SHOWN = 80
_SENSES = {"pixel_values": "images", "input_values": "sound", "input_features": "sound"}
TOKENIZER_CONFIG = "tokenizer_config.json"

# Keys of a configuration that reach code. Refused is what the model cannot be measured without: a quantisation, another
# weight file than the checked ones, code for an architecture that transformers does not know by itself. Taken out is
# what transformers can do without: a name there is looked up on the hub, even with `trust_remote_code=False`.
_OWN_CODE = "auto_map"
_OWN_NETWORK = "AutoModel"
_REFUSED = {
    "quantization_config": "“{name}” is stored quantised. Measure the model that it was made from.",
    "transformers_weights": "“{name}” names a weight file of its own in {file} ({key}), which is not read.",
}
_TAKEN_OUT = ("_implementation", "trust_remote_code", _OWN_CODE)
"""Parts of keys."""
_LABELS = ("id2label", "label2id")
"""Names of the classes of a head that is not read; a hundred thousand of them take seconds."""


def read_configuration(folder: Path, name: str, families: Collection[str] | None = None) -> PreTrainedConfig:
    """The configuration of a model that reads text.

    ``families`` are the architectures (``model_type``) that are allowed; None for all that transformers knows. Refused
    are an architecture that is unknown or not allowed or reads something else, remote code, and quantised weights.
    """
    fields = _fields(folder / CONFIG, name)
    family = _family(folder, fields, name)
    # Before anything is built: a class of transformers may itself have looked up code (CVE-2026-5241).
    if families is not None and family not in families:
        raise ModelError(f"“{name}” is of the architecture “{family}”, which this server does not load.")
    with refusing(f"{CONFIG} of “{name}” describes no “{family}” model"), tempfile.TemporaryDirectory() as clean:
        (Path(clean) / CONFIG).write_text(json.dumps(_without_switches(fields)))
        config: PreTrainedConfig = AutoConfig.from_pretrained(clean, local_files_only=True, trust_remote_code=False)
    # Where it was read from would stay in it, and transformers looks at it when it chooses a tokenizer.
    config.name_or_path = name
    named = config.architectures
    config.architectures = [each for each in named if isinstance(each, str)] if isinstance(named, list) else None
    _refuse_other_senses(config, name)
    _refuse_endless(config, name)
    return config


def _fields(path: Path, name: str) -> dict[str, Any]:
    fields = read_fields(path, name)
    for key, sentence in _REFUSED.items():
        if anywhere(fields, key):
            raise ModelError(sentence.format(name=name, file=path.name, key=key))
    return fields


def _family(folder: Path, fields: dict[str, Any], name: str) -> str:
    """The architecture, one that transformers knows by itself."""
    family = fields.get("model_type")
    known = isinstance(family, str) and family in CONFIG_MAPPING
    _refuse_own_code(folder, fields, known, name)
    if not isinstance(family, str):
        raise ModelError(f"{CONFIG} of “{name}” names no architecture (model_type).")
    if not known:
        raise ModelError(
            f"The architecture “{family[:_SHOWN]}” of “{name}” is not known to transformers {transformers.__version__}"
            f"{did_you_mean(family[:_SHOWN], CONFIG_MAPPING.keys())}."
        )
    return family


def _refuse_own_code(folder: Path, fields: dict[str, Any], known: bool, name: str) -> None:
    """Refuse what cannot be had without foreign code: an architecture unknown to transformers, an own tokenizer."""
    needing = [] if known or not anywhere(fields, _OWN_CODE) else [CONFIG]
    tokenizer = folder / TOKENIZER_CONFIG
    if tokenizer.is_file() and anywhere(_fields(tokenizer, name), _OWN_CODE):
        needing.append(TOKENIZER_CONFIG)
    if needing:
        raise ModelError(
            f"“{name}” brings its own program code ({_OWN_CODE} in {needing[0]}), which Oversmooth never runs. "
            "Models that transformers knows by itself can be measured."
        )


def own_code(folder: Path, name: str) -> str:
    """That a model which transformers knows brings its own network as program code, in a sentence; empty if not."""
    fields = read_fields(folder / CONFIG, name)
    named = fields.get(_OWN_CODE)
    if not isinstance(named, dict) or not any(each.startswith(_OWN_NETWORK) for each in named):
        return ""
    return (
        f"It brings program code of its own for the network ({_OWN_CODE} in {CONFIG}), which is never run: in its "
        f"place stands the network “{fields.get('model_type')}” of transformers, which may be another."
    )


def _without_switches(value: object) -> object:
    if isinstance(value, list):
        return [_without_switches(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _without_switches(each)
        for key, each in value.items()
        if key not in _LABELS and not any(part in key for part in _TAKEN_OUT)
    }


def _refuse_other_senses(config: PreTrainedConfig, name: str) -> None:
    if text_configuration(config) is not None:
        return
    try:
        model_class = MODEL_MAPPING[type(config)]
    except KeyError:
        raise ModelError(
            f"“{name}” is of the architecture “{config.model_type}”, of which transformers has no bare network to "
            "measure. Where one of its parts reads text, save that by itself with save_pretrained, its tokenizer "
            "beside it, and measure the folder."
        ) from None
    sense = _SENSES.get(getattr(model_class, "main_input_name", ""))
    if sense is not None:
        raise ModelError(f"“{name}” reads {sense}; Oversmooth reads text. Choose a language model.")


def _refuse_endless(config: PreTrainedConfig, name: str) -> None:
    layers = getattr(text_configuration(config) or config, "num_hidden_layers", None)
    if isinstance(layers, int) and layers < 1:
        raise ModelError(f"{CONFIG} of “{name}” does not say how many layers the model has: it claims {layers:,}.")
    if isinstance(layers, int) and layers > _MOST_LAYERS:
        raise ModelError(f"{CONFIG} of “{name}” claims {layers:,} layers; Oversmooth measures up to {_MOST_LAYERS:,}.")
