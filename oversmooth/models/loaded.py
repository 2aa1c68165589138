"""A model that is ready to be measured, and the record of its weights."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

from oversmooth.core.bytecache import ByteCache
from oversmooth.core.documents import Frozen

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from oversmooth.models.anatomy import Anatomy
    from oversmooth.models.encodings import Encoded

Prediction = Literal["masked", "causal"]
"""What a language-model head predicts: tokens that are masked, or the next one."""

REFERENCE_BYTES: Final = 2**27
"""What a model may keep of its baselines, all together."""
ENCODED_TOKENS: Final = 2**15
"""Tokens of texts that a model keeps as it reads them: about 10 MB."""


class ModelRecord(Frozen):
    """Which weights were measured."""

    name: str
    """As asked for in the settings."""
    source: Literal["embedded", "hub", "folder", "memory"]
    identifier: str
    """The package, hub id or folder name the files came from."""
    revision: str | None
    """Branch, tag or commit as asked for."""
    commit: str | None
    """The hub commit that the revision resolved to."""
    family: str
    architecture: str
    layers: int
    hidden_size: int
    parameters: int
    weights_sha256: dict[str, str]
    """Hash of each weight file."""
    checkpoint_dtype: str
    causal: bool
    tokenizer: str
    """Its class."""
    tokenizer_sha256: dict[str, str]
    """Hash of each file that may hold a part of it."""
    limits: tuple[str, ...]
    """What cannot be measured in this family, in sentences."""


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """Network, tokenizer and what is known about them. Shared between runs and threads; never changed by one."""

    network: PreTrainedModel
    """In evaluation mode, in one precision throughout, on ``device``."""
    tokenizer: PreTrainedTokenizerBase
    anatomy: Anatomy
    device: torch.device
    record: ModelRecord
    language_model: PreTrainedModel | None = None
    """The network with its language-model head, sharing the very modules of ``network``; None without a head."""
    prediction: Prediction | None = None
    """What the head predicts; None without one."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Held during a forward pass with hooks: a hook of one run must not see the states of another."""
    mitigated_by: list[str] = field(default_factory=list)
    """Specifications of the mitigations that act on it at this moment; changed under ``lock`` alone."""
    references: ByteCache[Hashable, Any] = field(
        default_factory=lambda: ByteCache(REFERENCE_BYTES, lambda value: int(value.nbytes)), init=False
    )
    """What variants are set against: states and predictions of baselines; used under ``lock`` alone."""

    encoded: ByteCache[Hashable, Encoded] = field(
        default_factory=lambda: ByteCache(ENCODED_TOKENS, lambda value: len(value.ids)), init=False
    )
    """Texts as the network reads them: all sides of a comparison read the same; used under ``lock`` alone."""

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids that the tokenizer declares as special, whether or not it adds them by itself."""
        declared = (number for number, token in self.tokenizer.added_tokens_decoder.items() if token.special)
        return frozenset(number for number in (*self.tokenizer.all_special_ids, *declared) if number is not None)

    @property
    def precision(self) -> str:
        """The type of the numbers in which it runs, as settings name it."""
        return str(self.network.dtype).removeprefix("torch.")

    @property
    def bytes(self) -> int:
        """Memory of parameters and buffers; what is shared counts once."""
        whole = self.language_model or self.network
        tensors = [*whole.parameters(), *whole.buffers()]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
