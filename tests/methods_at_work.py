"""Every mitigation, with its defaults and its paper's values, and tiny models in which each makes a difference."""

from __future__ import annotations

from functools import cache

import torch
from families import VOCABULARY, build
from tiny import loaded
from torch import Tensor

from oversmooth.measuring.mitigating import Sampler
from oversmooth.mitigations import Mitigation, all_mitigations
from oversmooth.models.loaded import LoadedModel

POST_NORM = ("bert", "albert", "roberta", "distilbert", "deberta")

AT_SOFTMAX = "in the family “{}” attention can be changed at its softmax only, not where the values are mixed."
NO_CIRCUIT = "the projections of values and outputs of the family “{}” cannot be reached."
SCALES_THE_STREAM = (
    "the family “{}” has its norms after the branches, not before them, and scaling them would scale the residual "
    "stream itself."
)
REFUSED: dict[tuple[str, str], str] = {
    **{(label, "deberta"): AT_SOFTMAX for label in ("neutreno", "neutreno (paper)")},
    **{(label, "deberta"): AT_SOFTMAX for label in ("value_residual", "value_residual (paper)")},
    **{(label, "deberta"): NO_CIRCUIT for label in ("neutreno_reprojected", "spectral_shift", "spectral_clip")},
    **{("layernorm_scaling", family): SCALES_THE_STREAM for family in POST_NORM},
    ("contranorm (paper)", "gpt_neox"): "the family “{}” has no norm after the attention.",
}
"""Every refusal that is meant, with its reason; any other fails below."""
LENGTHS = (9, 6, 7)


@cache
def model_of(family: str) -> LoadedModel:
    """A tiny random model whose attention is far from uniform: near it, most methods would do nothing."""
    network = build(family)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.mul_(8)
    return loaded(network)


@cache
def batch() -> dict[str, Tensor]:
    """Three texts of different lengths."""
    ids = torch.randint(5, VOCABULARY, (len(LENGTHS), max(LENGTHS)), generator=torch.Generator().manual_seed(1))
    mask = (torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]).long()
    return {"input_ids": ids * mask, "attention_mask": mask}


def calibrated(model: LoadedModel) -> Sampler:
    ids = torch.randint(5, VOCABULARY, (4, 20), generator=torch.Generator().manual_seed(2))
    return Sampler(model.anatomy, [{"input_ids": ids, "attention_mask": torch.ones_like(ids)}])


def presets() -> dict[str, Mitigation]:
    """Defaults and papers' values of all methods, by a label."""
    found: dict[str, Mitigation] = {}
    for method in all_mitigations():
        found[method.declaration.name] = method()
        if method.as_in_paper() != method():
            found[f"{method.declaration.name} (paper)"] = method.as_in_paper()
    return found


PRESETS = presets()
