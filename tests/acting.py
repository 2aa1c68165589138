"""One mitigation, taken out of the model it attaches to, so that it can be given any states."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tiny import tiny

from oversmooth.mitigations import Mitigation
from oversmooth.mitigations.sites import Memory, Sites, StatesPlace

Array = NDArray[Any]


def attached(method: Mitigation, *, family: str = "bert", sample: Array | None = None) -> Sites:
    """What the method attaches to a tiny model; ``sample`` is what calibrated ones are given, at every block."""
    sites = Sites(tiny(family).anatomy, None if sample is None else lambda _: torch.from_numpy(sample))
    sites.attach(method)
    return sites


def acted(method: Mitigation, states: Array, *, causal: bool = False, sample: Array | None = None) -> Array:
    """The states (token, dim) of one sequence after the method acted on them at the last place where it does."""
    site = attached(method, sample=sample).found[-1]
    given = torch.from_numpy(states)
    changed = site.change(given.clone(), StatesPlace(site.layer, 0, given, causal, Memory()))
    assert isinstance(changed, torch.Tensor)
    assert (changed.dtype, changed.shape) == (given.dtype, given.shape)
    found: Array = np.asarray(changed)
    return found
