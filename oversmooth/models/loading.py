"""From a name to a model that is ready to be measured, or to one sentence that says why not."""

import os

import torch
from transformers import PreTrainedModel

from oversmooth.core.errors import ModelError
from oversmooth.core.progress import Progress, Report, silent
from oversmooth.core.wording import count
from oversmooth.models import double, families, files
from oversmooth.models.allowlist import AllowedModel, AllowList
from oversmooth.models.anatomy import Anatomy, dissect
from oversmooth.models.configuration import own_code, read_configuration
from oversmooth.models.design import Head, design, unusable_head
from oversmooth.models.given import Precision, device_name, model_name
from oversmooth.models.loaded import LoadedModel, ModelRecord
from oversmooth.models.names import CONFIG
from oversmooth.models.reading import read_fields, refuse_strange_files
from oversmooth.models.refusal import quiet, refusing
from oversmooth.models.sources import locate, pinned
from oversmooth.models.tokenizer import read_tokenizer, unplaced
from oversmooth.models.weights import read_weights

_SHOWN = 40


def load(
    name: str | os.PathLike[str],
    *,
    revision: str | None = None,
    device: str | torch.device = "auto",
    precision: Precision = "float32",
    report: Report = silent,
    models: AllowList | None = None,
) -> LoadedModel:
    """Load a model by catalog name, local folder or hub id, in evaluation mode.

    Args:
        name: what the user typed, or the path of a local folder.
        revision: branch, tag or commit on the hub.
        device: ``auto`` takes CUDA, else MPS, else the CPU; ``cuda:1`` is the second of several GPUs.
        precision: in which the network runs, whatever the files hold; ``float64`` on CUDA or the CPU alone.
        report: receives the progress of download and loading.
        models: those of a hosted server, which alone are loaded then, and from its disk alone.

    Raises:
        ModelError: an argument is none of those; the model is not on the list; or it cannot be had, read or trusted to
            hold its own weights; or the device is not there.
        CancelledError: from ``report``.
    """
    try:
        name, wanted = model_name(name), device_name(device)
    except ValueError as error:
        raise ModelError(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
    if precision not in tuple(files.BYTES_PER_PARAMETER):
        raise ModelError(f"“{str(precision)[:_SHOWN]}” is no precision to run a model in: choose float32 or float64.")
    if revision is not None and not isinstance(revision, str):
        raise ModelError(f"“{str(revision)[:_SHOWN]}” is no revision: give the name of a branch, a tag or a commit.")
    place = choose_device(wanted, precision)
    with quiet():
        source = (
            locate(name, revision=revision, precision=precision, report=report)
            if models is None
            else pinned(models.require(name))
        )
        refuse_strange_files(source.folder, name)
        config = read_configuration(source.folder, name, None if models is None else families.names())
        checkpoint = files.read_checkpoint(source.folder, name)
        designed = design(config, checkpoint.tensors, name, code=own_code(source.folder, name))
        files.require_memory(max(checkpoint.parameters, designed.parameters), name, precision)
        report(Progress("load", detail="checking the weights"))
        weights = files.hashes(source.folder, checkpoint.files, source.sha256, name)
        vocabulary = files.hashes(source.folder, files.tokenizer_files(source.folder), source.sha256, name)
        report(Progress("load", detail="reading the tokenizer"))
        tokenizer = read_tokenizer(source.folder, config, name)
        report(Progress("load", detail=f"reading {count(checkpoint.parameters, 'parameter')}"))
        whole, absence = read_weights(source.folder, checkpoint, designed, name, precision)
        head = designed.head
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
        limits=tuple(filter(None, (*anatomy.limits, unplaced(tokenizer), designed.note, absence))),
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
        return unusable_head(head, whole, causal=anatomy.causal)


def choose_device(device: str, precision: Precision = "float32") -> torch.device:
    """The device of that name, or for ``auto`` the fastest; refused where it is not there, or has no such numbers."""
    if device == "mps" and precision == "float64":
        raise ModelError("The device “mps” has no float64. Choose the CPU, or the precision float32.")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if precision == "float64":
        there["mps"] = False
    if device == "auto":
        return torch.device(next(each for each, is_there in there.items() if is_there))
    kind, _, number = device.partition(":")
    if not there[kind]:
        present = ", ".join(each for each, is_there in there.items() if is_there)
        raise ModelError(f"This machine has no device “{device}” that torch can use; it has: {present}.")
    if number and int(number) >= torch.cuda.device_count():
        present = ", ".join(f"cuda:{each}" for each in range(torch.cuda.device_count()))
        raise ModelError(f"This machine has no GPU “{device}”; counted from 0, it has: {present}.")
    return torch.device(device)


def describe_allowed(name: str, *, revision: str | None = None, report: Report = silent) -> AllowedModel:
    """Fetch a model, try it, and describe it for the list; no local folder, and no architecture that is not known."""
    source = locate(name, revision=revision, report=report)
    if source.kind == "folder":
        raise ModelError(
            f"“{name}” is a local folder. A server measures models of the hub, pinned to a commit: upload it there, "
            "and allow it under its hub id."
        )
    model = load(name, revision=source.commit, device="cpu", report=report)
    # Of the whole, where only a part of it is measured: a server builds no architecture but those it is told.
    family = str(read_fields(source.folder / CONFIG, name)["model_type"])
    if family not in families.names():
        raise ModelError(
            f"“{name}” is of the architecture “{family}”, whose parts Oversmooth finds by trying alone. A server "
            "measures those that it knows."
        )
    wanted = files.wanted([each.name for each in source.folder.iterdir()])
    return AllowedModel(
        name=name,
        source=source.kind,
        identifier=source.identifier,
        commit=source.commit,
        files=files.hashes(source.folder, sorted(wanted), source.sha256, name),
        family=family,
        layers=model.record.layers,
        hidden_size=model.record.hidden_size,
        parameters=model.record.parameters,
        positions=model.anatomy.max_positions,
    )
