"""From a name to a model that is ready to be measured, or to one sentence that says why not."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, PreTrainedConfig, PreTrainedModel

from oversmooth.errors import ModelError
from oversmooth.hosting.allowlist import AllowList
from oversmooth.models import double, files, heads
from oversmooth.models.anatomy import Anatomy, dissect
from oversmooth.models.configuration import read_configuration
from oversmooth.models.families import PARTS
from oversmooth.models.heads import Head
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.reading import refuse_strange_files
from oversmooth.models.refusal import quiet, refusing
from oversmooth.models.sources import locate, pinned
from oversmooth.models.tokenizer import read_tokenizer
from oversmooth.progress import Progress, Report, silent
from oversmooth.record import ModelRecord
from oversmooth.settings import Device, Precision
from oversmooth.wording import count


def load(
    name: str,
    *,
    revision: str | None = None,
    device: Device = "auto",
    precision: Precision = "float32",
    report: Report = silent,
    models: AllowList | None = None,
) -> LoadedModel:
    """Load a model by catalog name, local folder or hub id, in evaluation mode.

    Args:
        name: what the user typed.
        revision: branch, tag or commit on the hub.
        device: ``auto`` takes CUDA, else MPS, else the CPU.
        precision: in which the network runs, whatever the files hold; ``float64`` on CUDA or the CPU alone.
        report: receives the progress of download and loading.
        models: those of a hosted server, which alone are loaded then, and from its disk alone.

    Raises:
        ModelError: the model is not on the list; or it cannot be had, read or trusted to hold its own weights; or the
            device is not there.
        CancelledError: from ``report``.
    """
    place = choose_device(device, precision)
    with quiet():
        source = (
            locate(name, revision=revision, precision=precision, report=report)
            if models is None
            else pinned(models.require(name))
        )
        refuse_strange_files(source.folder, name)
        config = read_configuration(source.folder, name, None if models is None else PARTS.keys())
        checkpoint = files.read_checkpoint(source.folder, name)
        head, claimed = _head_and_parameters(config, name)
        files.require_memory(max(checkpoint.parameters, claimed), name, precision)
        report(Progress("load", detail="checking the weights"))
        weights = files.hashes(source.folder, checkpoint.files, source.sha256, name)
        report(Progress("load", detail="reading the tokenizer"))
        tokenizer = read_tokenizer(source.folder, config, name)
        vocabulary = files.hashes(source.folder, files.tokenizer_files(source.folder), source.sha256, name)
        report(Progress("load", detail=f"reading {count(checkpoint.parameters, 'parameter')}"))
        whole, absence = _read_weights(source.folder, config, head, name, precision)
        network: PreTrainedModel = whole if head is None else whole.base_model  # type: ignore[assignment]
        if precision == "float64":
            double.double(whole)
        anatomy = _placed(whole, network, place, name)
        if head is not None and not absence:
            absence = _unusable(head, whole, anatomy, name)
    if absence:
        head = None
    record = ModelRecord(
        name=name,
        source=source.kind,
        identifier=source.identifier,
        revision=revision,
        commit=source.commit,
        family=anatomy.family,
        architecture=type(network).__name__,
        layers=len(anatomy.blocks),
        hidden_size=anatomy.hidden_size,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        weights_sha256=weights,
        checkpoint_dtype=checkpoint.dtype,
        causal=anatomy.causal,
        tokenizer=type(tokenizer).__name__,
        tokenizer_sha256=vocabulary,
        limits=(*anatomy.limits, absence) if absence else anatomy.limits,
    )
    return LoadedModel(
        network=network,
        tokenizer=tokenizer,
        anatomy=anatomy,
        device=place,
        record=record,
        language_model=None if head is None else whole,
        prediction=None if head is None else head.prediction,
    )


def _placed(whole: PreTrainedModel, network: PreTrainedModel, place: torch.device, name: str) -> Anatomy:
    with refusing(f"“{name}” cannot be moved to the device “{place.type}”"):
        whole.to(place)  # type: ignore[arg-type]
    with refusing(f"“{name}” cannot be measured"):
        return dissect(network)


def _unusable(head: Head, whole: PreTrainedModel, anatomy: Anatomy, name: str) -> str:
    with refusing(f"The language-model head of “{name}” cannot be run"):
        return heads.unusable(head, whole, causal=anatomy.causal)


def choose_device(device: Device, precision: Precision = "float32") -> torch.device:
    """The device of that name, or for ``auto`` the fastest one there is.

    Raises:
        ModelError: the named device is not on this machine, or has no such numbers.
    """
    if device == "mps" and precision == "float64":
        raise ModelError("The device “mps” has no float64. Choose the CPU, or the precision float32.")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if precision == "float64":
        there["mps"] = False
    if device == "auto":
        return torch.device(next(each for each, is_there in there.items() if is_there))
    if not there[device]:
        present = ", ".join(each for each, is_there in there.items() if is_there)
        raise ModelError(f"This machine has no device “{device}” that torch can use; it has: {present}.")
    return torch.device(device)


def _head_and_parameters(config: PreTrainedConfig, name: str) -> tuple[Head | None, int]:
    """The language-model head, where there is one, and the parameters of all as configured, without memory for them.

    A configuration may claim far more than the weight files hold, and transformers would make room for all of it.
    """
    head = heads.declared(config)
    hollow = _hollow(AutoModel if head is None else head.loader, config, name)
    if head is not None and not heads.stands_on_its_network(hollow):
        head, hollow = None, _hollow(AutoModel, config, name)
    return head, sum(parameter.numel() for parameter in hollow.parameters())


def _hollow(loader: Any, config: PreTrainedConfig, name: str) -> PreTrainedModel:  # noqa: ANN401
    with refusing(f"“{name}” cannot be built from its configuration"), torch.device("meta"):
        model: PreTrainedModel = loader.from_config(copy.deepcopy(config), trust_remote_code=False)
    return model


def _read_weights(
    folder: Path, config: PreTrainedConfig, head: Head | None, name: str, precision: Precision
) -> tuple[PreTrainedModel, str]:
    """The network, with its head where there is one; and, where that is not in the files, a sentence that says so."""
    if precision == "float64":
        double.prepare(config)
    with refusing(f"The weights of “{name}” cannot be loaded"):
        whole: PreTrainedModel
        whole, info = (AutoModel if head is None else head.loader).from_pretrained(
            folder,
            config=config,
            use_safetensors=True,
            dtype=torch.float64 if precision == "float64" else torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # Named and refused below, instead of an error that names none.
            local_files_only=True,
            trust_remote_code=False,  # Unset, it would ask on standard input whether to run foreign code.
        )
    missing, mismatched = list(info["missing_keys"]), [key for key, *_ in info["mismatched_keys"]]
    inside = "" if head is None else f"{whole.base_model_prefix}."
    for keys, what in ((missing, "lack"), (mismatched, "have another shape for")):
        _refuse_incomplete([key for key in keys if key.startswith(inside)], what, name)
    if info["error_msgs"]:
        raise ModelError(f"The weights of “{name}” cannot be loaded: {info['error_msgs'][0]}")
    whole.train(False)
    whole.requires_grad_(False)
    outside = [sorted(key for key in keys if not key.startswith(inside)) for keys in (missing, mismatched)]
    return whole, heads.broken(*outside)


def _refuse_incomplete(keys: list[str], what: str, name: str) -> None:
    """Refuse weights that transformers filled in at random: their states would be drawn as if they were the model's.

    A pooler is no part of what is measured, and many checkpoints leave it out.
    """
    random = sorted(key for key in keys if "pooler" not in key.split("."))
    if random:
        raise ModelError(
            f"The weight files of “{name}” {what} {count(len(random), 'tensor')} of the configured network, such as "
            f"{' and '.join(random[:2])}. It is refused: in their place would stand random numbers."
        )
