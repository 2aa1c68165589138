"""The one object that says what is measured: the same from URL, JSON, command line and notebook."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from oversmooth import metrics as metric_registry
from oversmooth.core.documents import OwnFile
from oversmooth.core.errors import MitigationError, SettingsError
from oversmooth.core.pairs import Input
from oversmooth.core.points import PointSet
from oversmooth.core.wording import count, did_you_mean
from oversmooth.mitigations import Mitigation, parse
from oversmooth.models.given import DEFAULT_MODEL, Device, Precision, model_name

SCHEMA_VERSION: Final = 1
DEFAULT_MAX_TOKENS = 512


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _whole_characters(value: object) -> object:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError("it holds half a character (a lone surrogate): save it as UTF-8 again") from error
    return value


def _one_or_two(value: object) -> object:
    """A text as it is, and a list of two texts as a pair."""
    if isinstance(value, list | tuple):
        if len(value) != 2 or not all(isinstance(each, str) for each in value):
            raise ValueError("a pair is a list of two texts")
        return tuple(map(_whole_characters, value))
    if not isinstance(value, str):
        raise ValueError("input should be a valid string, or a list of two for a pair")
    return _whole_characters(value)


Text = Annotated[str, BeforeValidator(_whole_characters)]
"""Text that every file format can hold."""


class Settings(OwnFile):
    """What to measure, on which model and text, and how.

    Frozen and hashable; two equal settings give the same numbers on the same machine.

    Raises:
        SettingsError: through :meth:`of` and :meth:`from_json`, with one sentence for each wrong field.
    """

    model_config = ConfigDict(strict=True)

    schema_version: Literal[1] = SCHEMA_VERSION
    model: Annotated[str, Field(min_length=1), BeforeValidator(_whole_characters), BeforeValidator(model_name)] = (
        DEFAULT_MODEL
    )
    """A catalog name, a hub id (``owner/name``) or a local folder."""
    revision: Text | None = None
    """Branch, tag or commit on the hub; the commit it resolves to goes into the record."""
    texts: Annotated[
        tuple[Annotated[Input, BeforeValidator(_one_or_two)], ...],
        BeforeValidator(_several),
        Field(min_length=1, strict=False),
    ]
    """Each text is one input, measured on its own. A list of two is a pair, which the model reads together as one input
    in its tokenizer's form for pairs."""
    special_tokens: bool = False
    """Whether [CLS], [SEP], BOS and their like count as tokens. Padding never does."""
    metrics: Annotated[tuple[Text, ...], BeforeValidator(_several), Field(min_length=1, strict=False)] = Field(
        default_factory=metric_registry.usual_names
    )
    """Names of metrics; without it all, but those that are measured only where they are asked for."""
    points: PointSet = "blocks"
    """``blocks``: embedding, block outputs, final norm. ``all``: the points inside each block as well. ``branches``:
    what each branch reads and adds as well."""
    similarity: bool = True
    """Whether the token × token cosine maps of one text are kept."""
    shown: Annotated[int, Field(ge=0)] = 0
    """Number of that text, from 0; charts of spectra and tokens show it too. Means are over all texts whichever it
    is."""
    centred_spectra: bool = False
    """Whether the singular values of the centred tokens are kept too, at one more decomposition a point."""
    mitigations: Annotated[tuple[Text, ...], BeforeValidator(_several), Field(strict=False)] = ()
    """Specifications of methods that act on the model, in their order, as ``neutreno:strength=0.05``; kept with every
    parameter written out."""
    fidelity: bool = False
    """Whether this is one side of a comparison: measured with eager attention, with the retrieval of token identity
    and, where there are mitigations, with what they leave of the unmitigated states."""
    language_model: bool = False
    """Whether the loss of the checkpoint's language-model head is measured too, where it has one. A masked model takes
    one more pass a token for it."""
    explanation: bool = False
    """Whether mechanisms are measured too: attention matrices, norms, circuits, texts beside each other. With eager
    attention, and at the points ``branches``."""
    device: Device = "auto"
    """``auto`` takes a GPU where there is one; ``cuda:1`` is the second of several."""
    precision: Precision = "float32"
    """Type of the numbers in which the model runs; metrics are float64 in any case. ``float64`` takes twice the memory
    and resolves what is left of the differences between tokens after a collapse."""
    max_tokens: Annotated[int, Field(ge=1, le=8192)] = DEFAULT_MAX_TOKENS
    """Longer texts are cut to this many tokens (special ones included), or to what the model's positions allow."""

    @model_validator(mode="before")
    @classmethod
    def _explained_at_branches(cls, fields: object) -> object:
        if isinstance(fields, dict) and fields.get("explanation") is True:
            if fields.get("points", "branches") != "branches":
                raise ValueError("an explanation is measured at the points “branches”: leave “points” out")
            return {**fields, "points": "branches"}
        return fields

    @field_validator("metrics")
    @classmethod
    def _known_metrics(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = metric_registry.names()
        for name in names:
            if name in metric_registry.fidelity_names():
                raise ValueError(f"“{name}” cannot be asked for: every comparison measures it by itself")
            if name not in known:
                raise ValueError(
                    f"there is no metric named “{name}”{did_you_mean(name, known)}; `oversmooth metrics` lists them"
                )
        # Registry order, each once: the order of the request must not change the result.
        return tuple(name for name in known if name in names)

    @field_validator("shown")
    @classmethod
    def _shown_text(cls, shown: int, info: ValidationInfo) -> int:
        texts = info.data.get("texts", ())
        if texts and shown >= len(texts):
            raise ValueError(f"text {shown}, counted from 0, is not among {count(len(texts), 'text')}")
        return shown

    @field_validator("mitigations")
    @classmethod
    def _known_mitigations(cls, specifications: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(map(str, parse("+".join(specifications)))) if specifications else ()
        except MitigationError as error:
            raise ValueError(str(error).removesuffix(".")) from error

    @property
    def methods(self) -> tuple[Mitigation, ...]:
        """The mitigations as objects."""
        return parse("+".join(self.mitigations)) if self.mitigations else ()

    def baseline(self) -> Self:
        """The same without mitigations: what their effect is measured against."""
        return self.model_copy(update={"mitigations": ()})

    @classmethod
    def of(cls, /, **fields: object) -> Self:
        """Settings from keyword arguments, with wrong ones told in a sentence."""
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise SettingsError(_sentences(error)) from error

    @classmethod
    def from_json(cls, text: str | bytes, source: str = "The settings") -> Self:
        """Settings from a JSON document; ``source`` names it in the error."""
        fields = read_document(text, source)
        try:
            return cls.of(**fields)
        except SettingsError as error:
            raise SettingsError(f"{source}: {error}") from error

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Settings from a JSON file."""
        return cls.from_json(read_file(path), source=str(path))

    def key(self) -> str:
        """Hash over every field: equal exactly when the settings are."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def states_key(self) -> Hashable:
        """Equal for two settings of one model exactly when their baselines have the same states at the same points."""
        return self.texts, self.special_tokens, self.max_tokens, self.points, self.precision

    def __hash__(self) -> int:
        return hash(self.key())


def read_file(path: Path) -> bytes:
    """The content of a settings file.

    Raises:
        SettingsError: where it cannot be read.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"Cannot read the settings file {path}: {reason}.") from error


def read_document(text: str | bytes, source: str) -> dict[str, Any]:
    """The JSON object of a settings file, of a schema that this version reads; ``source`` names it in the error.

    Raises:
        SettingsError: where it is not JSON, not an object, or of a newer schema.
    """
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{source}: this is not JSON ({error}).") from error
    if not isinstance(fields, dict):
        raise SettingsError(f"{source}: expected a JSON object with named settings.")
    version = fields.get("schema_version", SCHEMA_VERSION)
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise SettingsError(
            f"{source}: written by a newer Oversmooth (schema {version}; this one reads up to {SCHEMA_VERSION}). "
            "Update Oversmooth to read it."
        )
    return fields


PLAIN_WORDS = {"tuple_type": "expected a list", "too_short": "give at least one"}
"""By type of problem, where pydantic's own words speak of Python."""


def _sentences(error: ValidationError) -> str:
    known = tuple(Settings.model_fields)
    parts = []
    for problem in error.errors():
        name = ".".join(str(step) for step in problem["loc"])
        if not name and problem["type"] == "value_error":
            message = problem["msg"].removeprefix("Value error, ")
            parts.append(f"{message[0].upper()}{message[1:]}.")
        elif not name:
            parts.append("One setting has an empty or unreadable name.")
        elif problem["type"] == "extra_forbidden":
            parts.append(f"There is no setting named “{name}”{did_you_mean(name, known)}.")
        elif problem["type"] == "missing":
            parts.append(f"The setting “{name}” is missing.")
        else:
            message = PLAIN_WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
            parts.append(f"The setting “{name}”: {message[0].lower()}{message[1:]}.")
    return " ".join(parts)
