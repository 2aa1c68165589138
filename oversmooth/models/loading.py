"""From a name to a model that is ready to be measured, or to one sentence that says why not."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, AutoTokenizer, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from oversmooth.errors import ModelError
from oversmooth.models import files
from oversmooth.models.anatomy import dissect
from oversmooth.models.configuration import read_configuration
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.refusal import quiet, refusing
from oversmooth.models.sources import locate
from oversmooth.progress import Progress, Report, silent
from oversmooth.record import ModelRecord
from oversmooth.settings import Device
from oversmooth.wording import count

_LOCAL_ONLY = {"local_files_only": True, "trust_remote_code": False}
"""Passed to every transformers call; unset, it would ask on standard input whether to run foreign code."""

_TOKENIZER_FILES = ("tokenizer", "vocab", "merges", "spiece", "sentencepiece")
_FEWEST_TOKENS = 3
"""Besides the special ones: the four bases of a genome are a vocabulary."""


def load(name: str, *, revision: str | None = None, device: Device = "auto", report: Report = silent) -> LoadedModel:
    """Load a model by catalog name, local folder or hub id, in float32 and evaluation mode.

    Args:
        name: what the user typed.
        revision: branch, tag or commit on the hub.
        device: ``auto`` takes CUDA, else MPS, else the CPU.
        report: receives the progress of download and loading.

    Raises:
        ModelError: the model cannot be had, read or trusted to hold its own weights; or the device is not there.
        CancelledError: from ``report``.
    """
    place = choose_device(device)
    with quiet():
        source = locate(name, revision=revision, report=report)
        config = read_configuration(source.folder, name)
        checkpoint = files.read_checkpoint(source.folder, name)
        files.require_memory(max(checkpoint.parameters, _parameters_claimed(config, name)), name)
        report(Progress("load", detail="checking the weights"))
        hashes = files.hashes(source.folder, checkpoint.files, source.sha256, name)
        report(Progress("load", detail="reading the tokenizer"))
        tokenizer = _tokenizer(source.folder, config, name)
        report(Progress("load", detail=f"reading {count(checkpoint.parameters, 'parameter')}"))
        network = _network(source.folder, config, name)
        with refusing(f"“{name}” cannot be moved to the device “{place.type}”"):
            network.to(place)  # type: ignore[arg-type]
        with refusing(f"“{name}” cannot be measured"):
            anatomy = dissect(network)
    record = ModelRecord(
        name=name,
        source=source.kind,
        identifier=source.identifier,
        commit=source.commit,
        family=anatomy.family,
        architecture=type(network).__name__,
        layers=len(anatomy.blocks),
        hidden_size=anatomy.hidden_size,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        weights_sha256=hashes,
        checkpoint_dtype=checkpoint.dtype,
        causal=anatomy.causal,
        tokenizer=type(tokenizer).__name__,
        limits=anatomy.limits,
    )
    return LoadedModel(network=network, tokenizer=tokenizer, anatomy=anatomy, device=place, record=record)


def choose_device(device: Device) -> torch.device:
    """The device of that name, or for ``auto`` the fastest one there is.

    Raises:
        ModelError: the named device is not on this machine.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return torch.device(next(each for each, is_there in there.items() if is_there))
    if not there[device]:
        present = ", ".join(each for each, is_there in there.items() if is_there)
        raise ModelError(f"This machine has no device “{device}” that torch can use; it has: {present}.")
    return torch.device(device)


def _parameters_claimed(config: PreTrainedConfig, name: str) -> int:
    """Parameters of the network as configured, counted without memory for them.

    A configuration may claim far more than the weight files hold, and transformers would make room for all of it.
    """
    with refusing(f"“{name}” cannot be built from its configuration"), torch.device("meta"):
        hollow = AutoModel.from_config(copy.deepcopy(config), trust_remote_code=False)
    return sum(parameter.numel() for parameter in hollow.parameters())


def _network(folder: Path, config: PreTrainedConfig, name: str) -> PreTrainedModel:
    with refusing(f"The weights of “{name}” cannot be loaded"):
        network: PreTrainedModel
        network, info = AutoModel.from_pretrained(
            folder,
            config=config,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # Named and refused below, instead of an error that names none.
            **_LOCAL_ONLY,
        )
    _refuse_incomplete(info, name)
    network.train(False)
    network.requires_grad_(False)
    return network


def _refuse_incomplete(info: dict[str, Any], name: str) -> None:
    """Refuse weights that transformers filled in at random: their states would be drawn as if they were the model's.

    A pooler is no part of what is measured, and many checkpoints leave it out.
    """
    missing = sorted(key for key in info["missing_keys"] if "pooler" not in key.split("."))
    mismatched = sorted(key for key, *_ in info["mismatched_keys"] if "pooler" not in key.split("."))
    for keys, what in ((missing, "lack"), (mismatched, "have another shape for")):
        if keys:
            raise ModelError(
                f"The weight files of “{name}” {what} {count(len(keys), 'tensor')} of the configured network, such as "
                f"{' and '.join(keys[:2])}. It is refused: in their place would stand random numbers."
            )
    if info["error_msgs"]:
        raise ModelError(f"The weights of “{name}” cannot be loaded: {info['error_msgs'][0]}")


def _tokenizer(folder: Path, config: PreTrainedConfig, name: str) -> PreTrainedTokenizerBase:
    """The tokenizer, tried on one word, and compared with the vocabulary of the network."""
    has_files = any(each.name.startswith(_TOKENIZER_FILES) for each in folder.iterdir())
    failure = "The tokenizer of “{}” cannot be loaded" if has_files else "“{}” has no tokenizer's files"
    with refusing(failure.format(name)):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, config=config, **_LOCAL_ONLY)
        entries, known, special = len(tokenizer), tokenizer.vocab_size, len(set(tokenizer.all_special_ids))
    rows = getattr(config.get_text_config(), "vocab_size", None)
    if entries - special < _FEWEST_TOKENS or (isinstance(rows, int) and entries < rows / 10):
        # Without files, transformers makes one of the special tokens alone instead of failing.
        raise ModelError(
            f"“{name}” has no usable tokenizer: the one found knows {count(entries, 'token')}. "
            "Put the tokenizer's files (tokenizer.json) beside the weights."
        )
    if isinstance(rows, int) and known > rows:
        raise ModelError(
            f"The tokenizer of “{name}” belongs to another model: it knows {known:,} tokens, the network {rows:,}."
        )
    with refusing(f"The tokenizer of “{name}” fails"):
        tokenizer("smooth")
    return tokenizer
