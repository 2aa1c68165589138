"""Weights from their files into a network: all of those that it has, and no others inside it."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import PreTrainedModel

from oversmooth.core.errors import ModelError
from oversmooth.models import double
from oversmooth.models.design import Design
from oversmooth.models.files import Checkpoint
from oversmooth.models.fitting import Loading, absence_of_head, refuse_misfit
from oversmooth.models.given import Precision
from oversmooth.models.naming import naming
from oversmooth.models.refusal import refusing


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
    names = naming(checkpoint.shapes, design.network, headed=headed, name=name)
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
    shapes = {given: checkpoint.shapes[key] for key, given in names.read.items()}
    codes = {given: checkpoint.codes[key] for key, given in names.read.items() if key in checkpoint.codes}
    loading = Loading(whole, info, names.outside, shapes, headed=headed, codes=codes)
    refuse_misfit(loading, name)
    whole.train(False)
    whole.requires_grad_(False)
    return whole, absence_of_head(loading)
