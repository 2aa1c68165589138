"""What was found in the place of a model, and the way on from there."""

import re
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from oversmooth.core.errors import ModelError
from oversmooth.core.wording import enumerated
from oversmooth.models.files import INDEX, SHARD, WEIGHTS, wanted
from oversmooth.models.names import CONFIG, kind_of
from oversmooth.models.reading import read_fields
from oversmooth.models.refusal import tensor_name

_ADAPTER = "adapter_config.json"
_ADAPTER_WEIGHTS = re.compile(r"adapter_model\.(safetensors|bin)")
_BASE = "base_model_name_or_path"
_SAFETENSORS = ".safetensors"
# Read by transformers in place of the weights that are checked here.
_DISTRIBUTED = re.compile(r"(.*/)?(shard-\d{5}-model-\d{5}-of-\d{5}\.safetensors|.*\.distcp)")
_DEEPSPEED = re.compile(r"zero_to_fp32\.py|(.*/)?(zero_pp_rank|mp_rank|bf16_zero_pp_rank)_.*\.pt")
_PIPELINE = "model_index.json"
"""By which diffusers knows its pipelines."""
_OTHER_MODULE = re.compile(r"[1-9]\d*_.*")
"""What sentence-transformers calls the folders of what follows a model: pooling and the like."""
_SNAPSHOTS = "snapshots"
"""Where the hub's cache keeps the commits of a repository."""
_STEP = re.compile(r"checkpoint-(\d+)")
_MERGE = (
    "Merge it into its model (peft's PeftModel.from_pretrained, then merge_and_unload and save_pretrained), save the "
    "tokenizer beside it, and measure the new folder."
)
_OF_TRAINING = ("training_args", "optimizer", "scheduler", "rng_state", "scaler")
"""Pickles beside a model that hold none."""
_MOST_FOLDERS = 1000
"""Looked into: somebody may have typed “/”."""
_SHOWN = 3


def listing(folder: Path) -> list[str]:
    """The names of the files in a folder and in those right below it, and of the folders with a stroke behind."""
    found = list(folder.iterdir())
    below = [each for each in islice(found, _MOST_FOLDERS) if each.is_dir()]
    inner = [f"{each.name}/" for each in below]
    for each in below:
        inner += [f"{each.name}/{file.name}{'/' * file.is_dir()}" for file in islice(_inside(each), _MOST_FOLDERS)]
    return [each.name for each in found if not each.is_dir()] + inner


def _inside(folder: Path) -> Iterator[Path]:
    """What lies in a folder; nothing where it may not be read."""
    try:
        yield from folder.iterdir()
    except OSError:
        return


def refuse_unreadable(names: Collection[str], name: str, folder: Path | None = None) -> None:
    """Refuse a set of files that holds no model in safetensors, with what was found instead and the way on.

    Names of files in folders below have these before them, as ``checkpoint-500/config.json``; ``folder`` is where all
    lie, None while they are on the hub.
    """
    readable = CONFIG in names and any(each.endswith(_SAFETENSORS) for each in wanted(names))
    _refuse_adapter(names, name, folder, readable=readable)
    top = sorted(each for each in names if "/" not in each)
    if any(_DISTRIBUTED.fullmatch(each) for each in (top if readable else names)):
        raise ModelError(f"“{name}” holds a distributed training checkpoint. Save it once with `save_pretrained`.")
    if readable:
        return
    if _PIPELINE in names:
        raise ModelError(
            f"“{name}” is a pipeline of diffusers ({_PIPELINE}), which makes images. Its text encoder can be measured: "
            "copy its folder text_encoder, put the files of its folder tokenizer into the copy, and give that."
        )
    if CONFIG not in names:
        _refuse_below(names, name, folder)
    _refuse_other_kinds([*top, *sorted(set(names) - set(top))], name)
    if CONFIG not in names:
        raise ModelError(f"“{name}” holds no model that Oversmooth can read: it has no {CONFIG}; {_held(names, top)}.")
    _refuse_misnamed(top, name)
    _refuse_below(names, name, folder)
    raise ModelError(f"“{name}” has no weights: neither {WEIGHTS} nor {INDEX} is there.")


def _held(names: Collection[str], top: list[str]) -> str:
    """What lies in a folder, its files before the folders below, after a semicolon."""
    found = [*top, *sorted({f"{each.partition('/')[0]}/" for each in names if "/" in each})]
    if not found:
        return "it is empty"
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    return f"it holds {enumerated(list(map(tensor_name, found[:_SHOWN])))}{more}"


def _refuse_adapter(names: Collection[str], name: str, folder: Path | None, *, readable: bool) -> None:
    """Refuse an adapter, with or without its model; a description that was left beside a merged model is none."""
    weights = [each for each in names if _ADAPTER_WEIGHTS.fullmatch(each)]
    if readable and weights:
        raise ModelError(
            f"“{name}” holds a model and an adapter of peft that is not merged into it ({weights[0]}). {_MERGE} To "
            "measure the model without it, move the adapter's files away."
        )
    if _ADAPTER in names and not readable:
        raise ModelError(f"“{name}” holds an adapter of peft ({_ADAPTER}), not a model{_base(folder, name)}. {_MERGE}")


def _base(folder: Path | None, name: str) -> str:
    base = None if folder is None else read_fields(folder / _ADAPTER, name).get(_BASE)
    return f": it changes “{tensor_name(base)}”" if isinstance(base, str) and base else ""


def _refuse_below(names: Collection[str], name: str, folder: Path | None) -> None:
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
            f"“{name}” is the folder of a training run: its models are {_some(steps)}, the newest first. "
            f"{_give(steps, name, folder)}"
        )
    if folders:
        some = sorted(folders)
        raise ModelError(
            f"“{name}” holds no model itself, but below it there is {_some(some)}. {_give(some, name, folder)}"
        )
    if adapters:
        raise ModelError(
            f"“{name}” holds no model itself, but below it adapters of peft: {_some(sorted(adapters))}. {_MERGE}"
        )
    if folder is not None and f"{_SNAPSHOTS}/" in names:
        commits = sorted(each.name for each in _inside(folder / _SNAPSHOTS) if (each / CONFIG).is_file())
        if commits:
            raise ModelError(
                f"“{name}” is a repository in the hub's cache. Give its id on the hub, or the folder of a commit: "
                f"“{name.rstrip('/')}/{_SNAPSHOTS}/{commits[0]}”."
            )


def _give(folders: list[str], name: str, folder: Path | None) -> str:
    """The way on to one of the folders below."""
    if folder is None:
        return f"Download it, and give that folder, such as {tensor_name(folders[0])}, by its path."
    first = f"“{name.rstrip('/')}/{tensor_name(folders[0])}”"
    return f"Give that folder: {first}." if len(folders) == 1 else f"Give one of them, such as {first}."


def _some(folders: list[str]) -> str:
    shown = [tensor_name(each) for each in folders[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(folders) - _SHOWN:,} more" if len(folders) > _SHOWN else "")


def _refuse_other_kinds(names: list[str], name: str) -> None:
    if any(map(_DEEPSPEED.fullmatch, names)):
        raise ModelError(
            f"“{name}” holds a training checkpoint of DeepSpeed, in parts. Put them together with its zero_to_fp32.py "
            "(with --safe_serialization), save the model with save_pretrained, and measure that."
        )
    for each in names:
        kind = kind_of(each.rpartition("/")[2])
        if kind is not None and not each.rpartition("/")[2].startswith(_OF_TRAINING):
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
    if others and others[0].startswith("diffusion_"):
        raise ModelError(f"“{name}” is a part of a pipeline of diffusers ({others[0]}), which reads no text.")
    if others:
        raise ModelError(
            f"“{name}” has no {WEIGHTS}, but {tensor_name(others[0])}. If that is the whole model, rename it so."
        )
