"""Parameters of a mitigation: range, default, the paper's value and what each means, declared beside the formula."""

import dataclasses
import math
import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from oversmooth.core.errors import MitigationError
from oversmooth.core.wording import did_you_mean, shortened

Kind = Literal["number", "integer", "switch", "choice", "indices", "numbers"]
Indices = tuple[int, ...] | None
"""Layers or heads, counted from 0; None for the method's own default."""

SEPARATOR = "/"
"""Between the entries of a list: a comma ends the parameter."""
SWITCH = {"yes": True, "no": False}
MOST = 2**63
"""Beyond any whole number that means something here."""
LONGEST = 41
"""Characters of a wrong value that its error repeats, with the ellipsis."""


@dataclass(frozen=True)
class Parameter:
    """One value that the user sets."""

    kind: Kind
    meaning: str
    """What it does, in one sentence."""
    default: Any
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    """Whether the end of the range itself is excluded."""
    choices: tuple[str, ...] = ()
    paper: Any = None
    """The value of the paper, where it is another than the default."""
    neutral: Any = None
    """The value at which nothing changes, where there is one."""
    stops: tuple[float, ...] = ()
    """Positions of a slider, where equal steps would not do."""
    name: str = ""

    def range_text(self) -> str:
        """``[−0.5, 2]``, ``mean | max``, ``yes | no``."""
        if self.kind in ("choice", "switch"):
            return " | ".join(self.choices or SWITCH)
        if self.kind == "indices":
            return "such as 0-2/5"
        if self.kind == "numbers":
            return "such as 0.2/0.8"
        left = "(" if self.low_open or math.isinf(self.low) else "["
        right = ")" if self.high_open or math.isinf(self.high) else "]"
        ends = ", ".join("−∞" if end == -math.inf else "∞" if end == math.inf else f"{end:.10g}" for end in self.ends)
        return f"{left}{ends}{right}".replace("-", "−")

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest value."""
        return self.low, self.high

    def check(self, value: Any) -> Any:  # noqa: ANN401  whatever the user gave
        """The value in its own type; a MitigationError where it is of another kind or out of range."""
        checked = self._typed(value)
        for number in checked if isinstance(checked, tuple) else (checked,):
            if isinstance(number, int | float) and not isinstance(number, bool) and not self._inside(number):
                must_be = _KINDS["indices"] if self.kind == "indices" else f"in {self.range_text()}"
                raise MitigationError(f"“{self.name}” must be {must_be}, not {shortened(f'{number:.12g}', LONGEST)}")
        return checked

    def _inside(self, number: float) -> bool:
        above = number > self.low if self.low_open else number >= self.low
        below = number < self.high if self.high_open else number <= self.high
        return math.isfinite(number) and above and below

    def _typed(self, value: Any) -> Any:  # noqa: ANN401
        match self.kind:
            case "number" if _is(value, int | float):
                return float(value)
            case "integer" if _is(value, int):
                return value
            case "switch" if isinstance(value, bool):
                return value
            case "choice":
                return self._chosen(value)
            case "indices" if value is None or _all(value, int):
                return None if value is None else tuple(sorted(set(value)))
            case "numbers" if _all(value, int | float):
                return tuple(map(float, value))
        raise MitigationError(f"“{self.name}” must be {_KINDS[self.kind]}, not “{shortened(str(value), LONGEST)}”")

    def _chosen(self, value: Any) -> Any:  # noqa: ANN401
        if value in self.choices:
            return value
        text = shortened(str(value), LONGEST)
        near = did_you_mean(text, self.choices)
        raise MitigationError(f"“{self.name}” is one of {', '.join(self.choices)}, not “{text}”{near}")

    def read(self, text: str) -> Any:  # noqa: ANN401
        """The value that a person or a file wrote; refused as by :meth:`check`."""
        return self.check(_read(self.kind, text))

    def write(self, value: Any) -> str:  # noqa: ANN401
        """The value so that :meth:`read` reads it back."""
        if self.kind == "switch":
            return "yes" if value else "no"
        if self.kind == "indices":
            return "default" if value is None else _ranges(value)
        if self.kind == "numbers":
            return SEPARATOR.join(map(_number, value))
        return _number(value) if self.kind == "number" else str(value)


_KINDS = {
    "number": "a number",
    "integer": "a whole number",
    "switch": "yes or no",
    "choice": "one of the choices",
    "indices": "default, none or numbers from 0 on such as 0-2/5",
    "numbers": "numbers such as 0.2/0.8",
}


def _field(kind: Kind, default: Any, meaning: str, **more: Any) -> Any:  # noqa: ANN401  a dataclass field
    return dataclasses.field(default=default, metadata={"parameter": Parameter(kind, meaning, default, **more)})


number = partial(_field, "number")
"""A real number: its default, what it means, and what else :class:`Parameter` knows of it, by name."""
integer = partial(_field, "integer")
"""A whole number."""
switch = partial(_field, "switch")
"""Yes or no."""
numbers = partial(_field, "numbers")
"""A list of real numbers."""


def choice(default: str, meaning: str, choices: tuple[str, ...], **more: Any) -> Any:  # noqa: ANN401
    """One of several words."""
    return _field("choice", default, meaning, choices=choices, **more)


def where(meaning: str) -> Any:  # noqa: ANN401
    """Whether a method acts at its own place, “default”, or at that of its “paper”."""
    return choice("default", meaning, ("default", "paper"), paper="paper")


def indices(meaning: str) -> Any:  # noqa: ANN401
    """Layers or heads."""
    return _field("indices", None, meaning, low=0)


def _is(value: object, kind: Any) -> bool:  # noqa: ANN401
    """Whether it is such a number; a whole one so large that no float holds it is none."""
    too_large = isinstance(value, int) and abs(value) > MOST
    return isinstance(value, kind) and not isinstance(value, bool) and not too_large


def _all(value: object, kind: Any) -> bool:  # noqa: ANN401
    return isinstance(value, tuple | list | range) and all(_is(each, kind) for each in value)


def _number(value: float) -> str:
    """The shortest text that reads back to the same number."""
    return repr(float(value)).removesuffix(".0")


def _ranges(values: tuple[int, ...]) -> str:
    """``0-2/5`` of (0, 1, 2, 5); ``none`` of ()."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return SEPARATOR.join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs) or "none"


_RANGE = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")


def _read(kind: Kind, text: str) -> Any:  # noqa: ANN401  what cannot be read stays text, and is refused as such
    # The sign of mathematics is what ranges are shown with.
    text = text.strip().replace("−", "-")
    try:
        match kind:
            case "number":
                return float(text)
            case "integer":
                return int(text)
            case "switch":
                return SWITCH.get(text.casefold(), text)
            case "numbers":
                return tuple(float(part) for part in text.split(SEPARATOR) if text)
            case "indices":
                return _read_indices(text)
    except ValueError:
        return text
    return text


def _read_indices(text: str) -> Any:  # noqa: ANN401
    if text.casefold() in ("default", "none"):
        return None if text.casefold() == "default" else ()
    found: set[int] = set()
    for part in text.split(SEPARATOR):
        ends = _RANGE.fullmatch(part)
        run = range(int(ends[1]), int(ends[2] or ends[1]) + 1) if ends else ()
        if not run:
            return text
        found.update(run)
    return tuple(found)
