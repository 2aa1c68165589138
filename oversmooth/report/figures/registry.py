"""What a figure declares about itself, and the list of all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from string import Formatter
from typing import Any, Final, TypeVar

import plotly.graph_objects as go

from oversmooth import metrics
from oversmooth.core.plugins import Plugin, Registry, what
from oversmooth.core.wording import count
from oversmooth.metrics import mechanisms
from oversmooth.report.figures.canvas import blank
from oversmooth.report.figures.theme import Theme
from oversmooth.report.findings.absences import explained
from oversmooth.results.comparison import Comparison
from oversmooth.results.explanation import Reading
from oversmooth.results.measurement import Measurement

Arguments = Mapping[str, Any]
"""What tells one figure of a kind from the others: keywords of all that its declaration calls."""
Build = TypeVar("Build", bound=Callable[..., go.Figure])
Made = TypeVar("Made")
_SLUG_CHARACTERS: Final = 40


@dataclass(frozen=True)
class Asked:
    """What a person asks of all figures of a result at once."""

    point: str
    """Where maps, spectra and the plane are read."""
    metrics: tuple[str, ...]
    """Of the curves."""
    lines: bool = False
    """Whether curves of several texts have a thin line for each."""


@dataclass(frozen=True)
class Drawable:
    """A figure that can be drawn, before it is; it travels between processes, its declaration by name."""

    name: str
    """That of its declaration."""
    title: str
    """What it shows, as a heading of plain text."""
    shown: tuple[str, ...]
    """The metrics on its axes, or the quantities of an explanation; none for maps and spectra."""
    point: str | None
    """Where in the model; None for curves over depth."""
    drawn: str
    """What is drawn of several texts, in sentences for a caption; empty of one."""
    build: Callable[[], go.Figure]
    """Draws it."""
    alternative: Callable[[], str]
    """Gives its alternative text: its finding with numbers, for readers who do not see it."""

    @property
    def declared(self) -> Figure:
        """What is said of its kind."""
        return get(self.name)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of what it shows."""
        return tuple(name for name in self.shown if name not in mechanisms.names())


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One kind of figure, declared over the function that draws it: ``@figure(of=Measurement, …)``.

    What it calls gets the result and, as keywords, the arguments of one figure of the kind.
    """

    of: type[Measurement] | type[Comparison]
    """The result that it is drawn of."""
    title: Callable[..., str]
    """What it shows, as a heading of plain text."""
    alternative: Callable[..., str]
    """Its finding with numbers, for readers who do not see it."""
    heading: Callable[..., str] = str
    """What a page says above it; the title unless told otherwise."""
    name: str = ""
    """That of the kind; that of the function unless told otherwise."""
    file: str = ""
    """The name of its files, with the arguments that tell several apart: ``similarity_{point}``; or else its name."""
    needs: Callable[[Any, Asked], Iterable[Arguments]] = lambda _, __: [{}]
    """The arguments of each figure that the result has; none where it lacks what the figure needs."""
    caption: Callable[..., str] = lambda _, **__: ""
    """What is drawn of several texts, in sentences."""
    declared: Callable[..., Sequence[str]] = lambda _, metric="", **__: (metric,) if metric else ()
    """Names of the metrics and quantities that it shows; the ``metric`` of its arguments unless told otherwise."""
    definition: str = ""
    """What its values are, in a sentence, where they are neither."""
    of_the_text_shown: bool = False
    """Whether it is of the text number ``settings.shown`` alone."""
    pgfplots: bool = False
    """Whether, as a curve over depth, it is made of lines and markers alone."""
    beside: str = ""
    """The figure after which it stands, metric by metric; empty for a place of its own."""
    build: Callable[..., go.Figure] = go.Figure
    """The function that draws it, in a ``theme``, another keyword."""

    def __call__(self, build: Build) -> Build:
        """Register the function that draws it.

        Raises:
            RuntimeError: where another figure has its name.
        """
        name = self.name or build.__name__
        heading = self.title if self.heading is str else self.heading
        _REGISTRY.add(name, replace(self, name=name, file=self.file or name, heading=heading, build=build))
        return build

    def file_name(self, result: Measurement | Comparison, arguments: Arguments) -> str:
        """The name of its files, without their ending: lower-case letters, digits and _."""
        return self.file.format(**{name: _word(result, name, value) for name, value in arguments.items()})

    def owns(self, file_name: str) -> bool:
        """Whether a file of that name, without its ending, can be of this figure."""
        pattern = "".join(
            re.escape(text) + (_PATTERNS[field]() if field else "")
            for text, field, _, _ in Formatter().parse(self.file)
        )
        return re.fullmatch(pattern, file_name) is not None

    def drawable(self, result: Measurement | Comparison, arguments: Arguments, *, theme: Theme) -> Drawable:
        """One figure of the kind."""
        layer = arguments.get("layer")
        return Drawable(
            name=self.name,
            title=self.title(result, **arguments),
            shown=tuple(self.declared(result, **arguments)),
            point=arguments.get("point") if layer is None else str(layer),
            drawn=self.caption(result, **arguments),
            build=partial(_built, self.name, result, arguments, theme),
            alternative=partial(_alternative, self.name, result, arguments),
        )


_REGISTRY: Registry[Figure] = Registry(("figure", "figures"), "oversmooth.report.figures", "oversmooth.figures")


figure = Figure


def names() -> tuple[str, ...]:
    """Names of all kinds of figures, in the order in which they are shown."""
    return tuple(_REGISTRY)


def get(name: str) -> Figure:
    """The figure of that name."""
    return _REGISTRY[name]


def plugin(name: str) -> Plugin | None:
    """The plug-in that declares the figure of that name; None where it comes along."""
    return _REGISTRY.plugin(name)


def owns(file_name: str) -> bool:
    """Whether a file of that name, without its ending, can be of a figure of any result."""
    return any(each.owns(file_name) for each in _REGISTRY.values())


def figures_asked(result: Measurement | Comparison, asked: Asked) -> Iterator[tuple[Figure, Arguments]]:
    """The figures that a result has, in the order in which they are shown."""
    order = {name: place for place, name in enumerate(_REGISTRY)}

    def place(found: tuple[Figure, Arguments]) -> tuple[int, int, int]:
        each, arguments = found
        metric = asked.metrics.index(arguments["metric"]) if "metric" in arguments else 0
        return order[each.beside or each.name], metric, order[each.name]

    needed: list[tuple[Figure, Arguments]] = []
    for each in _REGISTRY.values():
        if isinstance(result, each.of):
            with _REGISTRY.guarded(each.name):
                needed += [(each, found) for found in each.needs(result, asked)]
    yield from sorted(needed, key=place)


def drawables(result: Measurement | Comparison, asked: Asked, theme: Theme) -> dict[str, Drawable]:
    """The figures that a result has by the names of their files, those left out that fail in a plug-in."""
    found: dict[str, Drawable] = {}
    for each, arguments in figures_asked(result, asked):
        with _REGISTRY.guarded(each.name):
            found[each.file_name(result, arguments)] = each.drawable(result, arguments, theme=theme)
    return found


def measured_metrics(_: Measurement | Comparison, asked: Asked) -> list[Arguments]:
    """The needs of a figure of one metric: there is one for each."""
    return [{"metric": name} for name in asked.metrics]


def explained_by(part: Reading, name: str) -> Callable[[Measurement, Asked], list[Arguments]]:
    """The needs of a figure of one array of an explanation."""
    return lambda measurement, _: [] if explained(measurement, part, name) is None else [{}]


SHOWN: Final = "Drawn is the text shown alone."
"""The caption of a figure that sums up over no texts."""


def over_texts(measurement: Measurement) -> str:
    """The caption of a figure of the corpus."""
    return "" if measurement.explanation is None else f"Over {count(measurement.explanation.texts, 'text')}."


def _word(result: Measurement | Comparison, name: str, value: object) -> str:
    """An argument in the name of a file."""
    if isinstance(value, bool):
        return f"_{name}" if value else ""
    if name == "label" and isinstance(result, Comparison):
        # Its place keeps apart what the letters of labels do not.
        place = result.position(str(value))
        return "baseline" if place == 0 else f"{place}_{_slug(str(value))}".rstrip("_")
    return _slug(str(value)) if name == "point" else str(value)


_PATTERNS: Final[Mapping[str, Callable[[], str]]] = {
    "metric": lambda: f"({'|'.join((*metrics.names(), *metrics.fidelity_names()))})",
    "quantity": lambda: f"({'|'.join(mechanisms.names())})",
    "point": lambda: f"[a-z0-9_]{{1,{_SLUG_CHARACTERS}}}",
    "label": lambda: rf"(baseline|\d+(_[a-z0-9_]{{1,{_SLUG_CHARACTERS}}})?)",
    "layer": lambda: r"\d+",
    "centred": lambda: "(_centred)?",
}
"""What an argument can be in the name of a file."""


def _alternative(name: str, result: Measurement | Comparison, arguments: Arguments) -> str:
    """By name: a declaration's own functions do not travel between processes."""
    return _or_failure(name, lambda: get(name).alternative(result, **arguments), str)


def _built(name: str, result: Measurement | Comparison, arguments: Arguments, theme: Theme) -> go.Figure:
    return _or_failure(
        name, lambda: get(name).build(result, **arguments, theme=theme), lambda failure: blank(failure, theme)
    )


def _or_failure(name: str, make: Callable[[], Made], instead: Callable[[str], Made]) -> Made:
    """What is made of a figure, or what stands there where a plug-in's fails; what comes along fails as it does."""
    try:
        return make()
    except Exception as error:
        of = plugin(name)
        if of is None:
            raise
        return instead(f"The figure “{name}” of the plug-in “{of.name}” {of.version} fails: {what(error)}.")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:_SLUG_CHARACTERS].rstrip("_")
