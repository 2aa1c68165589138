"""How a server is set up: ``OVERSMOOTH_*`` variables over a TOML file over the profile."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from oversmooth.core.errors import ConfigurationError
from oversmooth.core.packaged import packaged
from oversmooth.core.wording import did_you_mean
from oversmooth.models.allowlist import AllowList, read
from oversmooth.service.hosting.profiles import PROFILES, Bounds, Limits, Profile
from oversmooth.service.hosting.service_links import is_service_link

PREFIX: Final = "OVERSMOOTH_"
FILE_VARIABLE: Final = PREFIX + "CONFIG"
"""Names the file; the one key that cannot stand in it."""
NOT_SETTINGS: Final = frozenset({FILE_VARIABLE, PREFIX + "DEBUG"})

Port = Annotated[int, Field(ge=1, le=65535)]
Names = Annotated[tuple[str, ...], NoDecode]
"""In a variable separated by commas, in the file a list."""


def given() -> dict[str, str]:
    """The variables of this name that an operator has set, and not Kubernetes for a Service."""
    own = {name.upper(): value for name, value in os.environ.items() if name.upper().startswith(PREFIX)}
    return {name: value for name, value in own.items() if not is_service_link(name, value)}


class _Variables(EnvSettingsSource):
    """Those that :func:`given` gives; an empty one is as none."""

    def _load_env_vars(self) -> dict[str, str | None]:
        return {name.lower(): value for name, value in given().items() if value}


class Configuration(BaseSettings, Bounds):
    """What the operator decides. One key, ``profile``, sets everything else to what fits; each can be set by itself.

    Raises:
        ConfigurationError: through :meth:`of` and :func:`current`, with one sentence for each wrong value.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, use_attribute_docstrings=True)

    profile: Profile = "local"
    """``local``: one user, any model, this machine alone. ``hosted-…``: strangers, the models of the list alone."""
    address: str | None = None
    """Address to listen on; without it, this machine alone when local and every network when hosted."""
    port: Port | None = None
    """Port to listen on; without it, the first free one from 8501 on when local and 8501 when hosted."""
    base_path: str = ""
    """Path under which a proxy serves the dashboard, as ``oversmooth`` in https://example.org/oversmooth."""
    hosts: Names = ()
    """Names under which visitors may reach the server. On loopback it answers to them and to the names of this machine;
    elsewhere, without any, to every name."""
    proxies: Names = ("127.0.0.1", "::1")
    """Addresses of proxies whose word about the visitor's address is taken."""
    models: Path | None = None
    """The list of models besides the one that comes along: a JSON file that ``oversmooth allow`` writes."""
    metrics_port: Port | None = None
    """Port of the counters for Prometheus; without it there are none."""
    metrics_address: str = "127.0.0.1"
    """Address that the counters are served on."""
    log: Literal["text", "json"] | None = None
    """Form of the log; without it ``json`` when hosted. The JSON lines never hold a word of a visitor's text."""
    plugins: Names | None = None
    """Names of installed plug-ins that are loaded; without it all of them when local and none when hosted."""

    @field_validator("hosts", "proxies", "plugins", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("hosts")
    @classmethod
    def _named(cls, hosts: Names) -> Names:
        for host in hosts:
            if "*" in host.removeprefix("*."):
                raise ValueError(f"“{host}” is no name; give example.org, or *.example.org for every name below it")
        return hosts

    @field_validator("base_path")
    @classmethod
    def _bare(cls, path: str) -> str:
        return path.strip("/")

    @classmethod
    def settings_customise_sources(  # type: ignore[override]  # the others come by their names
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        **_: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was given in Python first, then the variables, then the file."""
        file = os.environ.get(FILE_VARIABLE)
        own = (init_settings, _Variables(settings_cls))
        return (*own, TomlConfigSettingsSource(settings_cls, Path(file))) if file else own

    @classmethod
    def of(cls, **fields: Any) -> Self:  # noqa: ANN401  of any field
        """The configuration of this process, with some fields given here; wrong ones told in a sentence."""
        _refuse_missing_file()
        try:
            found = cls(**fields)
        except ValidationError as error:
            raise ConfigurationError(_sentences(error)) from error
        except (SettingsError, ValueError, OSError) as error:
            raise ConfigurationError(f"The configuration cannot be read: {error}.") from error
        _refuse_unknown_variables()
        return found

    @property
    def hosted(self) -> bool:
        """Whether strangers use it."""
        return self.profile != "local"

    @property
    def allowed_plugins(self) -> tuple[str, ...] | None:
        """Names of those that may be loaded; None for all that are installed."""
        return () if self.plugins is None and self.hosted else self.plugins

    @property
    def limits(self) -> Limits:
        """The profile's, with those that are set by themselves in their place."""
        own = {name: value for name in Bounds.model_fields if (value := getattr(self, name)) is not None}
        return PROFILES[self.profile].model_copy(update=own)


@lru_cache(maxsize=1)
def current() -> Configuration:
    """The configuration of this process, read once; a ConfigurationError where a variable or the file is wrong."""
    return Configuration.of()


def allowed(configuration: Configuration) -> AllowList | None:
    """The models that a hosted server measures, those that come along and the operator's; None where any may be."""
    if not configuration.hosted:
        return None
    bundled = read(packaged("models.json"))
    if configuration.models is None:
        return bundled
    for model in read(configuration.models).models:
        bundled = bundled.including(model)
    return bundled


def variable(name: str) -> str:
    """The variable that sets a field."""
    return PREFIX + name.upper()


def _refuse_missing_file() -> None:
    file = os.environ.get(FILE_VARIABLE)
    if file and not Path(file).is_file():
        raise ConfigurationError(f"There is no file “{file}”, which {FILE_VARIABLE} names.")


def _refuse_unknown_variables() -> None:
    # A limit that is misspelt would not hold, and nobody would notice.
    known = {variable(name) for name in Configuration.model_fields} | NOT_SETTINGS
    for name in sorted(given()):
        if name not in known:
            raise ConfigurationError(f"There is no variable {name}{did_you_mean(name, known)}.")


def _sentences(error: ValidationError) -> str:
    parts = []
    for problem in error.errors():
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == "extra_forbidden":
            known = tuple(Configuration.model_fields)
            parts.append(f"There is no “{name}” in the configuration{did_you_mean(name, known)}.")
            continue
        message = problem["msg"].removeprefix("Value error, ")
        parts.append(f"“{name}” of the configuration ({variable(name)}): {message[0].lower()}{message[1:]}.")
    return " ".join(parts)
