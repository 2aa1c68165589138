"""How a measurement came about: enough to repeat it, and to see what differs when it does not repeat."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelRecord(_Frozen):
    """Which weights were measured."""

    name: str
    """As asked for in the settings."""
    source: Literal["embedded", "hub", "folder", "memory"]
    identifier: str
    """The package, hub id or folder name the files came from."""
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
    limits: tuple[str, ...]
    """What cannot be measured in this family, in sentences."""


class Environment(_Frozen):
    """What ran it."""

    oversmooth: str
    python: str
    platform: str
    libraries: dict[str, str]
    device: str
    device_name: str
    dtype: str
    attention: str
    threads: int


class InputRecord(_Frozen):
    """What was read of one text."""

    characters: int
    text_sha256: str
    tokens: int
    """Tokens the model saw, special ones included."""
    measured: int
    """Tokens that count in the metrics."""
    tokens_left_out: int
    characters_left_out: int


class Record(_Frozen):
    """Provenance of one measurement."""

    schema_version: Literal[1] = 1
    created: str
    """UTC time, ISO 8601."""
    model: ModelRecord
    environment: Environment
    inputs: tuple[InputRecord, ...]
    special_tokens_measured: bool
    mitigations: tuple[str, ...]
    """What acted on the model, in order, with every parameter."""
    seconds: dict[str, float]
    """Wall time by phase."""
    warnings: tuple[str, ...]
    """What the user must know before printing the numbers."""

    def to_json(self) -> str:
        """The record as a JSON document."""
        return self.model_dump_json(indent=2) + "\n"
