"""The variants of a comparison as the user sets them up, before they are checked. Draws nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oversmooth import mitigations
from oversmooth.core.errors import MitigationError, OversmoothError
from oversmooth.core.pairs import Input
from oversmooth.core.texts import from_lines
from oversmooth.mitigations import Mitigation
from oversmooth.mitigations.parameters import Parameter
from oversmooth.mitigations.specification import check_together
from oversmooth.results.comparison import BASELINE
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.settings import Settings

NEWCOMER = ("softdecay", "neutreno", "attnscale")
"""What the first open compares: one method on the states, one on the values, one on the attention matrices."""
LABEL_CHARACTERS = 60
TEXT_CHARACTERS = 30
"""Of a variant's own text, in its label."""

Values = dict[str, Any]
"""What the controls of one method hold: lists as text, the rest in its own type."""


@dataclass
class Variant:
    """One variant: the baseline with methods, on another model, on another text, or several of these."""

    number: int
    """From 1, never given twice in a session: part of the keys of its controls."""
    methods: dict[str, Values] = field(default_factory=dict)
    """By name of the method, in the order in which they act."""
    model: str = ""
    """Empty for the baseline's."""
    text: str = ""
    """Blank for the baseline's."""
    each_line: bool = False
    """Whether each line of it is a text of its own."""
    pair: str = ""
    """The second text of a pair with it; blank for none."""
    name: str = ""
    """The label that the user gave; empty for the specification in short."""
    place: int = 0
    """Of its colour, dash and marker, which stay while others are removed; its number where none is given."""

    def __post_init__(self) -> None:
        self.place = self.place or self.number

    def settings(self, baseline: Settings) -> Settings:
        """The baseline's settings with what this variant has of its own.

        Raises:
            OversmoothError: where a parameter or a pair of methods is refused.
        """
        methods = [_checked(name, values) for name, values in self.methods.items()]
        check_together(methods)
        own: dict[str, object] = {"mitigations": tuple(map(str, methods))}
        if self.model:
            own["model"] = self.model
        if self.text.strip():
            own["texts"] = texts = self._texts
            own["shown"] = baseline.shown if baseline.shown < len(texts) else 0
        return Settings.of(**{**baseline.model_dump(), **own})

    @property
    def _texts(self) -> tuple[Input, ...]:
        if self.each_line:
            return from_lines(self.text).texts
        return ((self.text, self.pair) if self.pair.strip() else self.text,)

    @property
    def label(self) -> str:
        """The user's label, or what the variant has of its own: ``neutreno:strength=0.1``, a model, a text."""
        if self.name.strip():
            return _one_line(self.name, LABEL_CHARACTERS)
        parts = ["+".join(_in_short(name, values) for name, values in self.methods.items())]
        parts.append(self.model)
        what = "texts" if self.each_line else "pair" if self.pair.strip() else "text"
        text = f"{what} “{_one_line(self.text, TEXT_CHARACTERS)}”"
        parts.append(text if self.text.strip() else "")
        return _one_line(" · ".join(filter(None, parts)) or "no change", LABEL_CHARACTERS)


def _one_line(text: str, most: int) -> str:
    line = "".join(sign if sign.isprintable() else " " for sign in " ".join(text.split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def newcomers() -> list[Variant]:
    """The variants of the first open."""
    return [Variant(number, {name: defaults(name)}) for number, name in enumerate(NEWCOMER, 1)]


def free_place(variants: Sequence[Variant]) -> int:
    """The first place from 1 that no variant has."""
    taken = {variant.place for variant in variants}
    return next(place for place in range(1, len(variants) + 2) if place not in taken)


def labelled(variants: Sequence[Variant]) -> dict[str, Variant]:
    """Each under its label, no two alike and none the baseline's."""
    given: dict[str, Variant] = {}
    for variant in variants:
        label, again = variant.label, 2
        while label in (BASELINE, *given):
            label, again = f"{variant.label} ({again})", again + 1
        given[label] = variant
    return given


def compared(baseline: Settings, variants: Mapping[str, Variant]) -> tuple[ComparisonSettings, dict[str, str]]:
    """The comparison that variants ask for, and of each that cannot be measured the reason, by label."""
    sides, refused = {}, {}
    for label, variant in variants.items():
        try:
            sides[label] = variant.settings(baseline)
        except OversmoothError as error:
            refused[label] = str(error)
    return ComparisonSettings(baseline=baseline, variants=tuple(sides.items())), refused


def defaults(name: str) -> Values:
    """The values of the defaults, which are meant for frozen weights."""
    return {key: control_value(each, each.default) for key, each in mitigations.get(name).parameters().items()}


def papers(name: str) -> Values | None:
    """The values of the paper; None where they are the defaults."""
    parameters = mitigations.get(name).parameters()
    given = {key: control_value(each, each.paper) for key, each in parameters.items() if each.paper is not None}
    return {**defaults(name), **given} if given else None


def control_value(parameter: Parameter, value: Any) -> Any:  # noqa: ANN401  a parameter of any kind
    """A value as its control holds it."""
    if parameter.kind in ("indices", "numbers"):
        return parameter.write(value)
    # Sliders go astray by the last bit: 0.30000000000000004.
    return round(float(value), 10) if parameter.kind == "number" else value


def parameter_value(parameter: Parameter, value: Any) -> Any:  # noqa: ANN401  whatever the control holds
    """The value that a control asks for; one that the parameter does not take is refused."""
    return parameter.read(value) if isinstance(value, str) else parameter.check(value)


def _checked(name: str, values: Values) -> Mitigation:
    method = mitigations.get(name)
    parameters = method.parameters()
    try:
        return method(**{key: parameter_value(parameters[key], value) for key, value in values.items()})
    except MitigationError as error:
        sentence = str(error).removeprefix(f"{name}: ").removesuffix(".")
        raise MitigationError(f"{name}: {sentence}.") from error


def _in_short(name: str, values: Values) -> str:
    """The specification with what differs from the defaults alone, so that the command line reads it back."""
    parameters, usual = mitigations.get(name).parameters(), defaults(name)
    own = [
        f"{key}={value if isinstance(value, str) else parameters[key].write(value)}"
        for key, value in values.items()
        if value != usual[key]
    ]
    return f"{name}:{','.join(own)}" if own else name
