"""Weights from their files into a network, and whether they fit: here alone is judged what is missing or left over."""

import re
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import PreTrainedModel

from oversmooth.core.errors import ModelError
from oversmooth.core.wording import count
from oversmooth.models import double
from oversmooth.models.design import Design
from oversmooth.models.families.common import ADAPTERS, BOTTLENECKS, COMPUTED, HEADS_INSIDE
from oversmooth.models.files import Checkpoint, Stored
from oversmooth.models.given import Precision
from oversmooth.models.naming import naming
from oversmooth.models.refusal import refusing, tensor_name

_MAKES_POSITIONS = "create_weight"
"""What transformers calls the method by which a module fills its weight from a formula."""
_POOLER = "pooler"


@dataclass(frozen=True, eq=False)
class Loading:
    """How transformers read a checkpoint into a network."""

    whole: PreTrainedModel
    info: Mapping[str, Any]
    """What it says of keys: ``missing_keys``, ``unexpected_keys``, ``mismatched_keys``."""
    outside: Collection[str]
    """Names in the checkpoint of tensors outside the network."""
    stored: Mapping[str, Stored]
    """The tensors in the checkpoint, by the names that were given to transformers."""
    headed: bool

    @property
    def network(self) -> PreTrainedModel:
        """What is measured, on its own."""
        return self.whole.base_model if self.headed else self.whole  # type: ignore[return-value]

    @property
    def missing(self) -> list[str]:
        """Names of tensors that came in at random, of network and head."""
        return sorted(self.info["missing_keys"])

    @property
    def mismatched(self) -> list[str]:
        """Names of tensors that have another shape in the files."""
        return sorted(key for key, *_ in self.info["mismatched_keys"])

    def inner(self, key: str) -> str | None:
        """The network's own name of one of its tensors; None for one of the head."""
        usual = f"{self.whole.base_model_prefix}."
        if not self.headed:
            return key
        return key.removeprefix(usual) if key.startswith(usual) else None


def read_weights(
    folder: Path, checkpoint: Checkpoint, design: Design, name: str, precision: Precision
) -> tuple[PreTrainedModel, str]:
    """The network as designed, with its weights; and, where its head is not in the files, a sentence that says so."""
    try:
        return _read(folder, checkpoint, design, name, precision)
    except ModelError as error:
        raise ModelError(f"{error} {design.note}".strip()) from error


def _read(
    folder: Path, checkpoint: Checkpoint, design: Design, name: str, precision: Precision
) -> tuple[PreTrainedModel, str]:
    if precision == "float64":
        double.prepare(design.whole.config)
    headed = design.head is not None
    names = naming(checkpoint.tensors, design.network, headed=headed, name=name)
    with refusing(f"The weights of “{name}” cannot be loaded"), ExitStack() as stack:
        tensors: dict[str, Any] = {}
        for each in checkpoint.files:
            file = stack.enter_context(safe_open(str(folder / each), framework="pt"))
            tensors |= {names.read[key]: file.get_slice(key) for key in names.read.keys() & set(file.keys())}
        # From the tensors, not from the folder: nothing else there is looked at.
        loaded: Any = type(design.whole).from_pretrained(
            None,
            config=design.whole.config,
            state_dict=tensors,
            dtype=torch.float64 if precision == "float64" else torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # Named and refused below, instead of an error that names none.
            local_files_only=True,
            trust_remote_code=False,
        )
        whole, info = loaded
    if info["error_msgs"]:
        raise ModelError(f"The weights of “{name}” cannot be loaded: {info['error_msgs'][0]}")
    stored = {given: checkpoint.tensors[key] for key, given in names.read.items()}
    loading = Loading(whole, info, names.outside, stored, headed=headed)
    refuse_misfit(loading, name)
    whole.train(False)
    whole.requires_grad_(False)
    return whole, absence_of_head(loading)


def refuse_misfit(loading: Loading, name: str) -> None:
    """Refuse weights that do not fit: what was measured would be drawn as if it were the model's.

    A pooler is no part of what is measured, and many checkpoints leave it out; a decoder is never run.
    """
    _refuse_codes(loading, name)
    _refuse_left_over(loading, name)
    for keys, what in ((loading.missing, "lack"), (loading.mismatched, "have another shape for")):
        random = [key for key in keys if _counts(loading, key)]
        if random and _is_decoder_alone(loading):
            raise ModelError(
                f"The weight files of “{name}” hold the decoder of an encoder–decoder by itself, and of such models "
                "Oversmooth measures the encoder. Save the whole model, or measure a causal language model."
            )
        if random:
            raise ModelError(
                f"The weight files of “{name}” {what} {count(len(random), 'tensor')} of the configured network, such "
                f"as {' and '.join(random[:2])}. It is refused: in their place would stand random numbers."
                f"{_shapes(loading, random[0])}"
            )


def _shapes(loading: Loading, key: str) -> str:
    """Both shapes of a tensor that has another one in the files, in a sentence; empty where it has not."""
    for each, stored, built in loading.info["mismatched_keys"]:
        if each == key:
            return f" It is {tuple(stored)} in the files, and {tuple(built)} by the configuration: correct the latter."
    return ""


def _is_decoder_alone(loading: Loading) -> bool:
    built, stored = (
        {part for key in keys for part in key.split(".")} & {"encoder", "decoder"}
        for keys in (loading.network.state_dict(), loading.stored)
    )
    return len(built) > 1 and stored == {"decoder"}


def _refuse_codes(loading: Loading, name: str) -> None:
    """Refuse whole numbers in the place of weights: taken for these, they are a model that does not exist."""
    codes = sorted(
        key
        for key, tensor in loading.stored.items()
        if tensor.coded and key not in loading.outside and not _is_computed(loading, key)
    )
    if codes:
        kind = loading.stored[codes[0]].dtype
        raise ModelError(
            f"“{name}” is stored quantised ({_some(codes[:1], len(codes))}, of the type {kind}). "
            "Measure the model that it was made from."
        )


def absence_of_head(loading: Loading) -> str:
    """Why a head is not used, in a sentence; empty where all of it is there."""
    for random, what in ((loading.missing, "lacks"), (loading.mismatched, "has another shape for")):
        keys = [key for key in random if loading.inner(key) is None]
        if keys:
            return (
                f"The checkpoint {what} {count(len(keys), 'tensor')} of its language-model head, such as {keys[0]}, so "
                "the head's loss is not measured."
            )
    return ""


def _counts(loading: Loading, key: str) -> bool:
    """Whether what is measured depends on a tensor that came in at random."""
    inner = loading.inner(key)
    return inner is not None and not _is_idle(loading.network, inner) and not _computed(loading.whole, key)


def _computed(whole: PreTrainedModel, key: str) -> bool:
    """Whether the module filled it by its formula, as sinusoidal positions are."""
    owner, _, tensor = key.rpartition(".")
    module = whole.get_submodule(owner)
    make = getattr(module, _MAKES_POSITIONS, None)
    if make is None or tensor != "weight":
        return False
    filled: torch.Tensor = module.get_parameter(tensor)
    return torch.equal(make().to(filled.dtype), filled)


def _is_idle(network: PreTrainedModel, inner: str) -> bool:
    """Whether it belongs to a part on which no state of a token depends.

    The pooler behind the last block, and the decoder of an encoder–decoder, of which the encoder alone is run.
    """
    if inner.partition(".")[0] == _POOLER:
        return True
    if not network.config.is_encoder_decoder:
        return False
    decoder = network.get_decoder()
    place = next((each for each, module in network.named_modules() if module is decoder), "")
    return bool(place) and inner.startswith(f"{place}.")


def _refuse_left_over(loading: Loading, name: str) -> None:
    """Refuse tensors inside the network that it does not take: a network without them is another model."""
    left = [key for key in sorted(loading.info["unexpected_keys"]) if _is_inside(loading, key)]
    left = [key for key in left if not _is_computed(loading, key) and not re.search(HEADS_INSIDE, key)]
    adapters = [key for key in (*left, *sorted(loading.outside)) if re.search(ADAPTERS, key)]
    adapters += [key for key in left if re.search(BOTTLENECKS, key) and key not in adapters]
    if adapters:
        raise ModelError(
            f"The weight files of “{name}” hold an adapter that is not merged ({_some(adapters[:1], len(adapters))}). "
            "Merge it into its model (in peft: merge_and_unload), save that with save_pretrained, and measure it."
        )
    if left:
        raise ModelError(
            f"The weight files of “{name}” hold weights that the configured network does not have "
            f"({_some(left[:2], len(left))}). It is refused: without them it is another model. See whether its "
            "configuration belongs to the weights, and whether transformers builds such a network at all."
        )


def _some(keys: list[str], number: int) -> str:
    return f"{count(number, 'tensor')}, such as {' and '.join(map(tensor_name, keys))}"


def _is_inside(loading: Loading, key: str) -> bool:
    """Whether a tensor that was not taken stands inside the network, and in a part that runs."""
    if key in loading.outside:
        return False
    network, usual = loading.network, f"{loading.whole.base_model_prefix}."
    inner = key.removeprefix(usual)
    if _is_idle(network, inner):
        return False
    # Of a head too, transformers may have changed the name.
    return inner != key or not loading.headed or hasattr(network, key.partition(".")[0])


def _is_computed(loading: Loading, key: str) -> bool:
    inner = key.removeprefix(f"{loading.whole.base_model_prefix}.")
    if re.search(COMPUTED, key) or any(inner == buffer for buffer, _ in loading.network.named_buffers()):
        return True
    shape = loading.stored[key].shape if key in loading.stored else ()
    # A causal mask, once kept beside each attention.
    return key.endswith(".bias") and len(shape) == 4 and shape[:2] == (1, 1) and shape[2] == shape[3]
