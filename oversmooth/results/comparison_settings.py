"""The settings of a whole comparison as one document, so that it can be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import ValidationError

from oversmooth.core.documents import OwnFile
from oversmooth.core.errors import SettingsError
from oversmooth.results.settings import SCHEMA_VERSION, Settings, read_document, read_file

if TYPE_CHECKING:
    from oversmooth.results.comparison import Comparison


class ComparisonSettings(OwnFile):
    """What a comparison measured: enough to repeat it.

    Raises:
        SettingsError: through :meth:`from_json`, with the side whose settings are wrong.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    baseline: Settings
    variants: tuple[tuple[str, Settings], ...]
    """Label and settings of each, in order."""

    @classmethod
    def of(cls, comparison: Comparison) -> Self:
        """The settings of all that was measured; variants that failed are in the record."""
        variants = tuple((label, each.settings) for label, each in comparison.variants.items())
        return cls(baseline=comparison.baseline.settings, variants=variants)

    @classmethod
    def from_json(cls, text: str | bytes, source: str = "The settings") -> Self:
        """Settings from a JSON document; ``source`` names it in the error."""
        fields = read_document(text, source)
        try:
            baseline = _settings(fields.get("baseline"), "the baseline")
            sides = fields.get("variants", ())
            variants = tuple((label, _settings(side, f"the variant “{label}”")) for label, side in sides)
            return cls(**{**fields, "baseline": baseline, "variants": variants})
        except SettingsError as error:
            raise SettingsError(f"{source}: {error}") from error
        except (TypeError, ValueError, ValidationError) as error:
            raise SettingsError(
                f"{source}: these are no settings of a comparison, which are a baseline and a list of variants, each "
                "a label with settings."
            ) from error

    def changed(self, fields: Mapping[str, Any]) -> Self:
        """The same with other values of some fields, in every side that has the baseline's there.

        Raises:
            SettingsError: where a value is wrong.
        """

        def side(settings: Settings) -> Settings:
            shared = {name for name in fields if getattr(settings, name) == getattr(self.baseline, name)}
            return Settings.of(**{**settings.model_dump(), **{name: fields[name] for name in shared}})

        variants = tuple((label, side(settings)) for label, settings in self.variants)
        return self.model_copy(update={"baseline": side(self.baseline), "variants": variants})


def from_file(path: Path) -> Settings | ComparisonSettings:
    """What a settings file holds: the settings of one measurement, or those of a comparison.

    Raises:
        SettingsError: where it cannot be read or holds neither.
    """
    return from_json(read_file(path), str(path))


def from_json(text: str | bytes, source: str = "The settings") -> Settings | ComparisonSettings:
    """The settings in a JSON document, of one measurement or of a comparison; ``source`` names it in the error.

    Raises:
        SettingsError: where it holds neither.
    """
    kind = ComparisonSettings if "baseline" in read_document(text, source) else Settings
    return kind.from_json(text, source=source)


def _settings(fields: Any, place: str) -> Settings:  # noqa: ANN401  whatever the document holds
    if not isinstance(fields, dict):
        raise SettingsError(f"{place} has no settings.")
    try:
        return Settings.of(**fields)
    except SettingsError as error:
        raise SettingsError(f"{place}: {error}") from error
