"""A model that is ready to be measured."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oversmooth.models.anatomy import Anatomy
from oversmooth.record import ModelRecord

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """Network, tokenizer and what is known about them. Shared between runs and threads; never changed by one."""

    network: PreTrainedModel
    """In evaluation mode, float32, on ``device``."""
    tokenizer: PreTrainedTokenizerBase
    anatomy: Anatomy
    device: torch.device
    record: ModelRecord
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Held during a forward pass with hooks: a hook of one run must not see the states of another."""
    mitigated_by: list[str] = field(default_factory=list)
    """Specifications of the mitigations that act on it at this moment; changed under ``lock`` alone."""

    @property
    def bytes(self) -> int:
        """Memory of parameters and buffers."""
        tensors = [*self.network.parameters(), *self.network.buffers()]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
