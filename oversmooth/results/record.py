"""How a measurement came about: enough to repeat it, and to see what differs when it does not repeat."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, ValidationError

from oversmooth.core.documents import Frozen, OwnFile
from oversmooth.core.errors import SettingsError
from oversmooth.models.loaded import ModelRecord
from oversmooth.results.settings import read_document


class _Document(OwnFile):
    """A record as a file of its own."""

    @classmethod
    def from_json(cls, text: str | bytes, source: str = "The record") -> Self:
        """The record in a JSON document; ``source`` names it in the error.

        Raises:
            SettingsError: where it is not JSON, of a newer schema, or no record.
        """
        fields = read_document(text, source)
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            place = ".".join(map(str, error.errors()[0]["loc"]))
            kind = "comparison" if "measurements" in fields else "measurement"
            raise SettingsError(f"{source}: this is no record of a {kind} (see “{place}”).") from error


class Environment(Frozen):
    """What ran it."""

    oversmooth: str
    python: str
    platform: str
    libraries: dict[str, str]
    device: str
    device_name: str
    instructions: str
    """The processor's instruction set that torch uses, such as ``AVX512``."""
    dtype: str
    attention: str
    threads: int
    """Of torch; sums are taken in another order with another number of them."""
    plugins: dict[str, str] = Field(default_factory=dict)
    """Version of each plug-in that gave a metric, a mitigation or the family of the model; others took no part."""


class InputRecord(Frozen):
    """What was read of one text."""

    characters: int
    """Of a pair, of both texts."""
    text_sha256: str
    """Of a pair, of the first text."""
    pair_sha256: str | None = None
    """Of the second text of a pair."""
    tokens: int
    """Tokens the model saw, special ones included."""
    measured: int
    """Tokens that count in the metrics."""
    tokens_left_out: int
    characters_left_out: int


class Record(_Document):
    """Provenance of one measurement."""

    schema_version: Literal[1] = 1
    created: str
    """UTC time, ISO 8601."""
    model: ModelRecord
    environment: Environment
    inputs: tuple[InputRecord, ...]
    special_tokens_measured: bool
    """Whether [CLS], [SEP], BOS and their like count as tokens."""
    padding_measured: Literal[False] = False
    """Padding never counts."""
    max_tokens: int
    """Longer texts were cut to so many tokens, or to what the model's positions allow."""
    mitigations: tuple[str, ...]
    """What acted on the model, in order, with every parameter."""
    seeds: dict[str, int]
    """Seed of each mitigation that draws random numbers, by its name; nothing else does."""
    seconds: dict[str, float]
    """Wall time by phase."""
    warnings: tuple[str, ...]
    """What the user must know before printing the numbers."""


class ComparisonRecord(_Document):
    """Provenance of a comparison."""

    schema_version: Literal[1] = 1
    measurements: dict[str, Record]
    """By label, the baseline first."""
    failures: dict[str, str]
    """The reason, in a sentence, of each variant that could not be measured."""
