"""What this server makes of settings of a link or a file that ask for more than it grants, control by control."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oversmooth.core.wording import shortened
from oversmooth.dashboard.controls import limits
from oversmooth.models.given import DEFAULT_MODEL
from oversmooth.results.comparison import MOST_VARIANTS
from oversmooth.results.settings import Settings

Cut = Callable[[Settings], tuple[dict[str, Any], list[str]]]
"""Gives the fields as they are granted, and a sentence for each thing that had to change."""


def listed_model(settings: Settings) -> tuple[dict[str, Any], list[str]]:
    """A model of the list, where the server has one, at its one commit."""
    if (models := limits.models()) is None:
        return {}, []
    asked, model = shortened(settings.model), models.find(settings.model)
    if model is None:
        sentence = f"“{asked}” is not on the list of models that this server measures: {DEFAULT_MODEL} takes its place."
        return {"model": DEFAULT_MODEL, "revision": None}, [sentence]
    notices = []
    if settings.revision not in (None, model.commit):
        notices.append(
            f"The revision “{shortened(str(settings.revision))}” is ignored: this server measures {model.name} at the "
            "one commit of its list."
        )
    return {"model": model.name, "revision": None}, notices


def servers_device(settings: Settings) -> tuple[dict[str, Any], list[str]]:
    """The device that the server chooses, where it has a list of models."""
    if limits.models() is None or settings.device == "auto":
        return {}, []
    return {"device": "auto"}, [f"The device “{settings.device}” is ignored: this server chooses it."]


def fewer_tokens(settings: Settings) -> tuple[dict[str, Any], list[str]]:
    """Texts of no more tokens than the limit."""
    if settings.max_tokens <= (most := limits.most_tokens()):
        return {}, []
    sentence = (
        f"Texts are cut at {most:,} tokens here, the limit “tokens” of this server, instead of {settings.max_tokens:,}."
    )
    return {"max_tokens": most}, [sentence]


def too_many_variants(variants: int) -> list[str]:
    """The sentence that says so, where these are more than a page or this server takes."""
    most = limits.most_variants()
    if variants <= most:
        return []
    who = "the page takes" if most == MOST_VARIANTS else "the limit “variants” of this server is"
    return [f"There are {variants} variants, and {who} {most}: the first ones are shown."]
