"""Which weights were measured, as the record tells it."""

from __future__ import annotations

from typing import Literal

from oversmooth.core.documents import Frozen


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
