"""What is measured and what is drawn of it as the query of an address, and back.

An address holds what differs from the usual: ``?text=A+cat+sat.&layer=3``, with several texts one entry each, a pair as
JSON, ``text=["A man sat.","He rested."]``, and the sentences that come along by name, ``texts=bundled``; a variant as
its specification, ``variant=softdecay:blend=0.5``, or with what else it has of its own as JSON. Whatever cannot be read
falls back to the usual value and is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, get_args, get_origin
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError

from oversmooth.core import pairs
from oversmooth.core.errors import MitigationError, SettingsError
from oversmooth.core.texts import bundled
from oversmooth.core.wording import count, shortened
from oversmooth.mitigations import parse
from oversmooth.mitigations.parameters import SWITCH
from oversmooth.results.comparison import MOST_VARIANTS, check_labels
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.settings import Settings
from oversmooth.results.view import View

LONGEST: Final = 8_000
"""Characters of a query that any server and browser takes."""
LONGEST_ENTRY: Final = 1_500
"""Characters of one setting in it: a text of this length stands there as a whole, or not at all."""
MOST_NOTICES: Final = 8
LONGEST_NOTICE: Final = 400

Query = Mapping[str, Sequence[str]]
"""Values by name, a name possibly several times."""
AnySettings = Settings | ComparisonSettings
Model = TypeVar("Model", bound=BaseModel)

_VARIANT, _NO_VARIANT, _LEFT_OUT = "variant", "none", "left_out"
_SET, _BUNDLED = "texts", "bundled"
_DECIMAL: Final = re.compile(r"-?[0-9]{1,4}(\.[0-9]{1,6})?")


def _holds_several(annotation: object) -> bool:
    return get_origin(annotation) is tuple or any(map(_holds_several, get_args(annotation)))


_LISTS: Final = frozenset(
    name for name, field in (Settings.model_fields | View.model_fields).items() if _holds_several(field.annotation)
)


def _name(field_name: str) -> str:
    """That of a field in the address, where a list is one entry after the other."""
    return field_name.removesuffix("s") if field_name in _LISTS else field_name


_TEXT: Final = _name("texts")


@dataclass(frozen=True)
class Address:
    """A query, and what it does not hold."""

    query: dict[str, list[str]]
    left_out: tuple[str, ...] = ()
    """Names of settings and labels of variants that are too long for an address."""


@dataclass(frozen=True)
class Link:
    """What an address asks for."""

    settings: AnySettings
    view: View
    notices: tuple[str, ...] = ()
    """A sentence for each part that could not be read, or that the link leaves out."""


def to_query(settings: AnySettings, view: View, usual: AnySettings) -> Address:
    """The query that :func:`from_query` reads back; equal arguments give equal queries.

    Args:
        settings: what is measured; of the same kind as ``usual``.
        view: what is drawn.
        usual: what an address without a query stands for; what equals it is left out.
    """
    baseline, variants = _sides(settings)
    usual_baseline, usual_variants = _sides(usual)
    query = _differing(baseline, usual_baseline) | _differing(view, View())
    if _TEXT in query and baseline.texts == _bundled():
        del query[_TEXT]
        query[_SET] = [_BUNDLED]
    left_out = [name for name, values in query.items() if _length({name: values}) > LONGEST_ENTRY]
    for name in left_out:
        del query[name]
    if _TEXT in left_out:
        # The number of a text, of which there may be fewer.
        query.pop("shown", None)
    entries = {label: _variant(label, each, baseline) for label, each in variants}
    if list(entries.values()) != [_variant(label, each, usual_baseline) for label, each in usual_variants]:
        long = [label for label, entry in entries.items() if _length({_VARIANT: [entry]}) > LONGEST_ENTRY]
        short = [label for label in entries if label not in long]
        while short and _length({**query, _VARIANT: [entries[label] for label in short]}) > LONGEST - LONGEST_ENTRY:
            long.append(short.pop())
        query[_VARIANT] = [entries[label] for label in short] or [_NO_VARIANT]
        left_out += long
        if long and view.places is not None:
            places = dict(zip(entries, view.places, strict=True))
            query[_name("places")] = [str(places[label]) for label in short]
    if left_out:
        query[_LEFT_OUT] = [shortened(name) for name in left_out]
    return Address(query, tuple(left_out))


def from_query(query: Query, usual: AnySettings) -> Link:
    """What an address asks for; never raises, whatever it holds.

    Args:
        query: by name, as ``urllib.parse.parse_qs`` gives it.
        usual: what an address without a query stands for.
    """
    reading = _Reading(query)
    usual_baseline, usual_variants = _sides(usual)
    baseline = reading.fields(reading.with_set(usual_baseline), lambda own: Settings.of(**own))
    settings: AnySettings = baseline
    known = {_LEFT_OUT, _SET, *map(_name, Settings.model_fields), *map(_name, View.model_fields)}
    labels: list[str] = []
    if isinstance(usual, ComparisonSettings):
        known.add(_VARIANT)
        entries = query.get(_VARIANT) or [_variant(label, each, usual_baseline) for label, each in usual_variants]
        variants = reading.variants([] if list(entries) == [_NO_VARIANT] else entries, baseline)
        settings = ComparisonSettings(baseline=baseline, variants=tuple(variants.items()))
        labels = list(variants)
    view = reading.view(labels)
    reading.notices += [
        f"The link names “{shortened(name)}”, which is no control." for name in query if name not in known
    ]
    reading.notices += [
        f"The link leaves out {named(name)}: it is too long for an address." for name in query.get(_LEFT_OUT, ())
    ]
    if (more := len(reading.notices) - MOST_NOTICES) > 0:
        reading.notices[MOST_NOTICES:] = [f"And {count(more, 'more part')} of the link could not be read."]
    return Link(settings, view, tuple(shortened(notice, LONGEST_NOTICE) for notice in reading.notices))


@dataclass
class _Reading:
    """One query as it is read, with what has been found wrong so far."""

    query: Query
    notices: list[str] = field(default_factory=list)

    def fields(self, usual: Model, build: Callable[[dict[str, Any]], Model]) -> Model:
        """A model with what the query has of its fields; a wrong one keeps its usual value."""
        found = usual
        for name in type(usual).model_fields:
            given = self.query.get(_name(name))
            if not given or name == "schema_version":
                continue
            try:
                found = build({**found.model_dump(), name: _read(name, given, getattr(usual, name))})
            except (SettingsError, ValueError) as error:
                self.notices.append(f"{_why(error, _name(name), given)} Its usual value stands.")
        return found

    def with_set(self, usual: Settings) -> Settings:
        """The usual settings with the set of texts that the query names."""
        given = self.query.get(_SET)
        if not given:
            return usual
        if given[-1] != _BUNDLED:
            self.notices.append(f"{_why(ValueError(), _SET, given)} Its usual value stands.")
            return usual
        return usual.model_copy(update={"texts": _bundled()})

    def variants(self, entries: Sequence[str], baseline: Settings) -> dict[str, Settings]:
        """Variants by label; one that is wrong is left out."""
        found: dict[str, Settings] = {}
        for place, entry in enumerate(entries[:MOST_VARIANTS], 1):
            try:
                label, settings = _read_variant(entry, baseline)
                check_labels([*found, label])
                found[label] = settings
            except (SettingsError, MitigationError) as error:
                self.notices.append(f"Variant {place} of the link is left out: {error}")
        if len(entries) > MOST_VARIANTS:
            self.notices.append(f"The link has {len(entries)} variants; the first {MOST_VARIANTS} are taken.")
        return found

    def view(self, labels: Sequence[str]) -> View:
        """What is drawn, with the sides that there are."""
        view = self.fields(View(), View.model_validate)
        if view.mapped and view.mapped not in labels:
            self.notices.append(f"The link maps “{shortened(view.mapped)}”, which is no variant: the first is mapped.")
            view = view.model_copy(update={"mapped": ""})
        if view.edited != 1 and not 0 <= view.edited <= len(labels):
            self.notices.append(f"The link shows the controls of variant {view.edited}, which is not there.")
            view = view.model_copy(update={"edited": 1})
        if view.places is not None and len(view.places) != len(labels):
            self.notices.append("The link has other variants than places for them: they look as they stand in order.")
            view = view.model_copy(update={"places": None})
        return view


def named(left_out: str) -> str:
    """What an address leaves out, in a sentence."""
    return "the text" if left_out == _TEXT else f"“{shortened(left_out)}”"


def _bundled() -> tuple[str, ...]:
    return tuple(sentence.text for sentence in bundled())


def _sides(settings: AnySettings) -> tuple[Settings, tuple[tuple[str, Settings], ...]]:
    if isinstance(settings, ComparisonSettings):
        return settings.baseline, settings.variants
    return settings, ()


def _length(query: Query) -> int:
    return len(urlencode(query, doseq=True))


def _differing(given: BaseModel, usual: BaseModel) -> dict[str, list[str]]:
    return {
        _name(name): _written(name, getattr(given, name))
        for name in type(given).model_fields
        if getattr(given, name) != getattr(usual, name)
    }


def _written(name: str, value: Any) -> list[str]:  # noqa: ANN401  a field of any type
    if name == "texts":
        return [pairs.written(each) for each in value]
    if isinstance(value, tuple):
        return [str(each) for each in value] or [""]
    if isinstance(value, bool):
        return [next(word for word, meant in SWITCH.items() if meant is value)]
    return [str(value)]


def _read(name: str, given: Sequence[str], usual: object) -> object:
    """The value in its own type; what cannot be read stays text, and is refused as such."""
    if name == "texts":
        return tuple(map(pairs.read, given))
    if name in _LISTS:
        return () if list(given) == [""] else tuple(given)
    text = given[-1]
    if isinstance(usual, bool):
        return SWITCH.get(text, text)
    if isinstance(usual, int):
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text
    if isinstance(usual, float):
        return float(text) if _DECIMAL.fullmatch(text) else text
    return text


def _why(error: Exception, name: str, given: Sequence[str]) -> str:
    if isinstance(error, SettingsError):
        return str(error)
    if isinstance(error, ValidationError) and error.errors()[0]["type"] == "value_error":
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        return f"“{name}” in the link: {message}."
    return f"“{name}” in the link cannot be “{shortened(given[-1])}”."


def _variant(label: str, settings: Settings, baseline: Settings) -> str:
    """One variant: its specification where that is its label too, else JSON of what it has of its own."""
    own = {
        name: getattr(settings, name)
        for name in Settings.model_fields
        if getattr(settings, name) != getattr(baseline, name)
    }
    if list(own) == ["mitigations"] and _specifies(label, settings):
        return label
    return json.dumps({"label": label, **own}, ensure_ascii=False, separators=(",", ":"))


def _specifies(label: str, settings: Settings) -> bool:
    try:
        return not label.startswith("{") and tuple(map(str, parse(label))) == settings.mitigations
    except MitigationError:
        return False


def _read_variant(entry: str, baseline: Settings) -> tuple[str, Settings]:
    if not entry.startswith("{"):
        return entry, Settings.of(**{**baseline.model_dump(), "mitigations": (entry,)})
    try:
        own = json.loads(entry)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"“{shortened(entry)}” is no JSON.") from error
    label = own.pop("label", "")
    if not isinstance(label, str):
        raise SettingsError("its label is no text.")
    return label, Settings.of(**{**baseline.model_dump(), **own})
