"""What was found in the place of a model, and the way on from there."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import islice
from pathlib import Path

from oversmooth.errors import ModelError
from oversmooth.models.files import INDEX, SHARD, WEIGHTS, wanted
from oversmooth.models.kinds import kind_of
from oversmooth.models.names import CONFIG
from oversmooth.models.reading import read_fields
from oversmooth.models.refusal import tensor_name
from oversmooth.wording import enumerated

_ADAPTER = "adapter_config.json"
_BASE = "base_model_name_or_path"
_SAFETENSORS = ".safetensors"
# Read by transformers in place of the weights that are checked here.
_DISTRIBUTED = re.compile(r"shard-\d{5}-model-\d{5}-of-\d{5}\.safetensors")
_OTHER_MODULE = re.compile(r"\d+_(?!Transformer).*")
"""What sentence-transformers calls the folders of what follows a model: pooling and the like."""
_STEP = re.compile(r"checkpoint-(\d+)")
_MERGE = (
    "Merge it into its model (peft's PeftModel.from_pretrained, then merge_and_unload and save_pretrained), save the "
    "tokenizer beside it, and measure the new folder."
)
_OF_TRAINING = ("training_args", "optimizer", "scheduler", "rng_state", "scaler")
"""Pickles beside a model that hold none."""
_ONNX = "onnx"
_MOST_FOLDERS = 1000
"""Looked into: somebody may have typed “/”."""
_SHOWN = 3


def listing(folder: Path) -> list[str]:
    """The names of the files in a folder; and, of folders below, of the files that say what they hold."""
    found = list(folder.iterdir())
    below = [each for each in islice(found, _MOST_FOLDERS) if each.is_dir()]
    inner = [f"{each.name}/{file}" for each in below for file in (CONFIG, _ADAPTER) if (each / file).is_file()]
    inner += [f"{_ONNX}/{each.name}" for below_it in below if below_it.name == _ONNX for each in below_it.iterdir()]
    return [each.name for each in found if not each.is_dir()] + inner


def refuse_unreadable(names: Collection[str], name: str, folder: Path | None = None) -> None:
    """Refuse a set of files that holds no model in safetensors.

    Args:
        names: of the files; of those in folders below with their folders, as ``checkpoint-500/config.json``.
        name: what the user typed.
        folder: where they lie; None while they are on the hub.

    Raises:
        ModelError: what was found instead, and the way on.
    """
    if _ADAPTER in names:
        raise ModelError(f"“{name}” holds an adapter of peft ({_ADAPTER}), not a model{_base(folder, name)}. {_MERGE}")
    if any(_DISTRIBUTED.fullmatch(each) for each in names):
        raise ModelError(f"“{name}” holds a distributed training checkpoint. Save it once with `save_pretrained`.")
    readable = any(each.endswith(_SAFETENSORS) for each in wanted(names))
    if CONFIG in names and readable:
        return
    top = sorted(each for each in names if "/" not in each)
    if CONFIG not in names:
        _refuse_below(names, name)
    _refuse_other_kinds([*top, *sorted(set(names) - set(top))], name)
    if CONFIG not in names:
        held = f"it holds {enumerated(list(map(tensor_name, top[:_SHOWN])))}" if top else "it is empty"
        more = f" and {len(top) - _SHOWN:,} more" if len(top) > _SHOWN else ""
        raise ModelError(f"“{name}” holds no model that Oversmooth can read: it has no {CONFIG}; {held}{more}.")
    _refuse_misnamed(top, name)
    _refuse_below(names, name)
    raise ModelError(f"“{name}” has no weights: neither {WEIGHTS} nor {INDEX} is there.")


def _base(folder: Path | None, name: str) -> str:
    base = None if folder is None else read_fields(folder / _ADAPTER, name).get(_BASE)
    return f": it changes “{tensor_name(base)}”" if isinstance(base, str) and base else ""


def _refuse_below(names: Collection[str], name: str) -> None:
    """Name the folders below that hold models: a run's checkpoints, newest first, or the parts of a larger one."""
    folders = {each.removesuffix(f"/{CONFIG}") for each in names if each.endswith(f"/{CONFIG}")}
    folders = {each for each in folders if not _OTHER_MODULE.fullmatch(each)}
    adapters = {each.removesuffix(f"/{_ADAPTER}") for each in names if each.endswith(f"/{_ADAPTER}")}
    steps = sorted(filter(_STEP.fullmatch, folders | adapters), key=lambda each: -int(each.partition("-")[2]))
    if steps and steps[0] in adapters:
        raise ModelError(
            f"“{name}” is the folder of a training run, and its checkpoints are adapters: {_some(steps)}. {_MERGE}"
        )
    if steps:
        raise ModelError(
            f"“{name}” is the folder of a training run: its models are {_some(steps)}, the newest first. Give one, "
            f"such as “{name.rstrip('/')}/{steps[0]}”."
        )
    if folders:
        some = sorted(folders)
        raise ModelError(
            f"“{name}” holds no model itself, but below it there is {_some(some)}. Give that folder: "
            f"“{name.rstrip('/')}/{tensor_name(some[0])}”."
        )


def _some(folders: list[str]) -> str:
    shown = [tensor_name(each) for each in folders[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(folders) - _SHOWN:,} more" if len(folders) > _SHOWN else "")


def _refuse_other_kinds(names: list[str], name: str) -> None:
    for each in names:
        kind = kind_of(each)
        if kind is not None and not each.startswith(_OF_TRAINING):
            raise ModelError(f"“{name}” has its weights only as {tensor_name(each)}, {kind.what}. {kind.way}")


def _refuse_misnamed(top: list[str], name: str) -> None:
    """Weights under names that transformers would not look for."""
    shards = [each for each in top if SHARD.fullmatch(each)]
    if shards:
        raise ModelError(
            f"“{name}” has {tensor_name(shards[0])} without {INDEX}, which says what is in which file. Fetch the index "
            "too, or save the model once more with save_pretrained."
        )
    others = [each for each in top if each.endswith(_SAFETENSORS)]
    if others:
        raise ModelError(
            f"“{name}” has no {WEIGHTS}, but {tensor_name(others[0])}. If that is the whole model, rename it so."
        )
