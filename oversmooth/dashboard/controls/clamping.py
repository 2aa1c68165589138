"""Settings from elsewhere, of a link or a file, cut down to what this server grants."""

from __future__ import annotations

from oversmooth.core.wording import shortened
from oversmooth.dashboard.controls import limits
from oversmooth.models.allowlist import AllowList
from oversmooth.models.given import DEFAULT_MODEL
from oversmooth.results.comparison import MOST_VARIANTS
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.permalink import AnySettings
from oversmooth.results.settings import Settings

_CLAMPED = ("model", "revision", "device", "precision", "max_tokens")
"""Fields that may have to change."""


def clamped(settings: AnySettings) -> tuple[AnySettings, list[str]]:
    """The settings as this server can measure them, and a sentence for each thing that had to change.

    Texts are left alone: the control that holds them says what is wrong with them.
    """
    if not isinstance(settings, ComparisonSettings):
        return _baseline(settings)
    baseline, notices = _baseline(settings.baseline)
    sides = []
    for label, side in settings.variants[: limits.most_variants()]:
        shared = {name for name in _CLAMPED if getattr(side, name) == getattr(settings.baseline, name)}
        fit = side.model_copy(update={name: getattr(baseline, name) for name in shared})
        if "model" not in shared and (models := limits.models()) is not None:
            model = models.find(side.model)
            if model is None:
                notices.append(
                    f"The variant “{shortened(label)}” is left out: its model, “{shortened(side.model)}”, is not on "
                    "the list of this server."
                )
                continue
            fit = fit.model_copy(update={"model": model.name})
        sides.append((label, fit))
    notices += _too_many(len(settings.variants))
    return settings.model_copy(update={"baseline": baseline, "variants": tuple(sides)}), notices


def _too_many(variants: int) -> list[str]:
    most = limits.most_variants()
    if variants <= most:
        return []
    who = "the page takes" if most == MOST_VARIANTS else "the limit “variants” of this server is"
    return [f"There are {variants} variants, and {who} {most}: the first ones are shown."]


def _baseline(settings: Settings) -> tuple[Settings, list[str]]:
    fields: dict[str, object] = {}
    notices: list[str] = []
    if (models := limits.models()) is not None:
        _pin(settings, models, fields, notices)
    if settings.max_tokens > (most := limits.most_tokens()):
        fields["max_tokens"] = most
        notices.append(
            f"Texts are cut at {most:,} tokens here, the limit “tokens” of this server, instead of "
            f"{settings.max_tokens:,}."
        )
    return settings.model_copy(update=fields), notices


def _pin(settings: Settings, models: AllowList, fields: dict[str, object], notices: list[str]) -> None:
    """The model of the list, at its commit, on the device of the server."""
    model = models.find(settings.model)
    fields["model"] = DEFAULT_MODEL if model is None else model.name
    if model is None:
        notices.append(
            f"“{shortened(settings.model)}” is not on the list of models that this server measures: {DEFAULT_MODEL} "
            "takes its place."
        )
    elif settings.revision not in (None, model.commit):
        notices.append(
            f"The revision “{shortened(str(settings.revision))}” is ignored: this server measures {model.name} at the "
            "one commit of its list."
        )
    fields["revision"] = None
    if settings.device != "auto":
        fields["device"] = "auto"
        notices.append(f"The device “{settings.device}” is ignored: this server chooses it.")
