"""The models that a hosted server measures: each pinned to one commit and to the bytes of every file."""

import json
import tempfile
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from oversmooth.core.documents import Frozen, OwnFile
from oversmooth.core.errors import ConfigurationError, ModelError, OutputError
from oversmooth.core.wording import enumerated, shortened

SHOWN_CHARACTERS: Final = 80
"""Of a name that is not on the list, in the refusal."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class AllowedModel(Frozen):
    """One model of the list, with what must be known of it before it is loaded."""

    name: Annotated[str, Field(min_length=1, max_length=193)]
    """What visitors pick."""
    source: Literal["embedded", "hub"]
    """Whether it came with the installation or was fetched from the hub."""
    identifier: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,96}(/[A-Za-z0-9_.-]{1,96})?$")]
    """Package or hub id."""
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    """Of the hub; the package has none."""
    files: Annotated[dict[Annotated[str, Field(pattern=r"^[^/\\]+$")], Sha256], Field(min_length=1)]
    """SHA-256 of every file that is read."""
    family: str
    layers: Annotated[int, Field(ge=1)]
    hidden_size: Annotated[int, Field(ge=1)]
    parameters: Annotated[int, Field(ge=1)]
    positions: Annotated[int, Field(ge=1)] | None = None
    """Longest text in tokens, where the model has such a limit."""

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if self.source == "hub" and self.commit is None:
            raise ValueError("a model of the hub needs its commit")
        return self


class AllowList(OwnFile):
    """The models of a server."""

    schema_version: Literal[1] = 1
    models: tuple[AllowedModel, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What visitors can pick, in the order of the list."""
        return tuple(model.name for model in self.models)

    def find(self, name: str) -> AllowedModel | None:
        """The model of that name or identifier, whatever the case; None where it is not on the list."""
        wanted = name.casefold()
        return next(
            (each for each in self.models if wanted in (each.name.casefold(), each.identifier.casefold())), None
        )

    def require(self, name: str) -> AllowedModel:
        """The model of that name; a ModelError, the same for whatever was asked for, where it is not on the list."""
        model = self.find(name)
        if model is None:
            shown = shortened(name, SHOWN_CHARACTERS + 1)
            raise ModelError(
                f"This server measures the models of its list alone, and “{shown}” is not on it. "
                f"Choose {'one of ' * (len(self.names) > 1)}{enumerated(self.names)}."
            )
        return model

    def including(self, model: AllowedModel) -> "AllowList":
        """The list with that model, in place of another of its name."""
        others = [each for each in self.models if each.name.casefold() != model.name.casefold()]
        return AllowList(models=(*others, model))


def read(path: Traversable) -> AllowList:
    """The list in a file; a ConfigurationError where it is not there or no such list."""
    try:
        return AllowList.model_validate(json.loads(path.read_bytes()))
    except OSError as error:
        raise ConfigurationError(f"The list of models “{path}” cannot be read: {error.strerror or error}.") from error
    except ValidationError as error:
        told = "; ".join(_problems(error))
        raise ConfigurationError(
            f"The list of models “{path}” is not as `oversmooth allow` writes it: {told}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"The list of models “{path}” is not JSON ({error}).") from error


def write(path: Path, models: AllowList) -> None:
    """Write the list, all of it or nothing; an OutputError where it cannot be written."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".models-", delete=False) as file:
            file.write(models.to_json())
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
    except OSError as error:
        raise OutputError(f"The list of models “{path}” cannot be written: {error.strerror or error}.") from error


def _problems(error: ValidationError) -> Iterator[str]:
    for problem in error.errors()[:3]:
        place = ".".join(str(step) for step in problem["loc"])
        yield f"{place or 'the list'}: {problem['msg'].removeprefix('Value error, ')}"
