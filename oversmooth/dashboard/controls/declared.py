"""Every control that an address holds, declared once.

A declaration names the field of the settings or of the view that the control sets; the field says its default, what it
may be and how it stands in the address. Pages, addresses, restored links and settings files read what is declared here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import streamlit as st

from oversmooth import metrics
from oversmooth.dashboard.controls.limits import Cut, fewer_tokens, listed_model, servers_device, usual_tokens
from oversmooth.dashboard.controls.state import bound, choice, keep, last
from oversmooth.metrics import fidelity, identity
from oversmooth.report.findings.changes import MAIN_METRIC
from oversmooth.results.settings import Settings
from oversmooth.results.view import LEFT, View

PageName = Literal["measure", "compare", "explain"]
ALWAYS: Final[Mapping[PageName, Mapping[str, bool]]] = {
    "measure": {"centred_spectra": True},
    "compare": {"centred_spectra": True, "fidelity": True},
    "explain": {"similarity": False, "explanation": True},
}
"""Fields of the settings that a page sets by itself."""
SOURCE_KEYS: Final[Mapping[PageName, str]] = {"measure": "source", "compare": "source", "explain": "explain_source"}
"""Of the control that says where texts come from; what was typed or uploaded is shared by all pages."""
LAYER_ASKED_FOR: Final = "layer asked for"
"""Key of the session: the layer that a link wants, until it was looked for."""
_FIELDS: Final = {**Settings.model_fields, **View.model_fields}
_declared: Final[list[Control]] = []


@dataclass(eq=False)
class Control:
    """One control, on one page or on several."""

    sets: str
    """The field of the settings or of the view."""
    key: str = ""
    """Of the control; that of the field where none is given."""
    pages: tuple[PageName, ...] = ("measure", "compare", "explain")
    """That draw it."""
    at_first: Callable[[], Any] | None = None
    """Gives what it shows before anything is chosen, where that is not the field's default."""
    cut: Cut = lambda _: ({}, [])
    """What the server makes of settings that ask for more than it grants."""

    def __post_init__(self) -> None:
        self.key = self.key or self.sets
        _declared.append(self)

    @property
    def default(self) -> Any:  # noqa: ANN401  of any control
        """That of the field, which stands for what the control shows before anything is chosen."""
        return _FIELDS[self.sets].get_default(call_default_factory=True)

    @property
    def usual(self) -> Any:  # noqa: ANN401
        """What it shows before anything is chosen."""
        at_first = self.default if self.at_first is None else self.at_first()
        return st.session_state.get(f"usual {self.key}", at_first)

    def note_usual(self, value: Any) -> None:  # noqa: ANN401
        """Take this for the usual, of a control for which that depends on what was measured."""
        st.session_state[f"usual {self.key}"] = value

    @property
    def last(self) -> Any:  # noqa: ANN401
        """What was chosen last, on whatever page."""
        return last(self.key, self.usual)

    def remembered(self) -> dict[str, Any]:
        """Arguments that tie the widget to what was chosen last, on whatever page."""
        return bound(self.key, self.last)

    def choice(self, labels: Mapping[Any, str] | None = None) -> dict[str, Any]:
        """The same of a widget with options, by what they are called: those of the field where none are given."""
        if labels is None:
            labels = {each: each for each in get_args(_FIELDS[self.sets].annotation)}
        return choice(self.key, self.last if self.last in labels else self.usual, labels)

    def fields(self) -> dict[str, Any]:
        """What it sets as it is, drawn or not: the default for the usual."""
        return {self.sets: self.default if self.last in (None, self.usual) else self.last}

    def restore(self, asked: Settings | View) -> None:
        """Have it show, when it is drawn next, what is asked for."""
        value = getattr(asked, self.sets)
        keep(self.key, self.usual if value == self.default else value)


@dataclass(eq=False)
class Curves(Control):
    """The curves that a page draws."""

    known: Callable[[], tuple[str, ...]] = metrics.names
    """Gives what can be drawn, in order: plug-ins are known late."""

    def fields(self) -> dict[str, Any]:
        """The curves in the order of all metrics; None for the usual ones."""
        chosen = self.last
        ordered = tuple(name for name in (*metrics.names(), *LEFT) if name in chosen)
        return {self.sets: None if set(chosen) == set(self.usual) else ordered}

    def restore(self, asked: Settings | View) -> None:
        """Of what is asked for, draw what can be; of settings, all that is measured, where that is not the usual."""
        if isinstance(asked, Settings):
            names = None if set(asked.metrics) == set(metrics.usual_names()) else asked.metrics
        else:
            names = asked.curves
        if names is not None:
            keep(self.key, [name for name in names if name in self.known()])


@dataclass(eq=False)
class Range(Control):
    """Two fields that one slider sets."""

    high: str = ""
    """The field of the other end."""

    @property
    def default(self) -> tuple[float, float]:
        """Both ends."""
        return _FIELDS[self.sets].default, _FIELDS[self.high].default

    def fields(self) -> dict[str, Any]:
        """Both ends."""
        # Sliders go astray by the last bit: 2.4000000000000004.
        return {name: round(end, 10) for name, end in zip((self.sets, self.high), self.last, strict=True)}

    def restore(self, asked: Settings | View) -> None:
        """Both ends, the smaller one first."""
        keep(self.key, tuple(sorted((getattr(asked, self.sets), getattr(asked, self.high)))))


def declared(of: type[Settings] | type[View], page: PageName | None = None) -> list[Control]:
    """The controls that set fields of the settings, or of the view; of all pages or of one."""
    return [each for each in _declared if page in (None, *each.pages) and each.sets in of.model_fields]


MODEL = Control("model", cut=listed_model)
SHOWN = Control("shown")
SPECIAL_TOKENS = Control("special_tokens")
LANGUAGE_MODEL = Control("language_model", pages=("compare",))
DEVICE = Control("device", cut=servers_device)
PRECISION = Control("precision")
MAX_TOKENS = Control("max_tokens", at_first=usual_tokens, cut=fewer_tokens)

MAIN_METRICS = ("token_cosine", "effective_rank", "high_frequency_share", "explained_variance_1")
"""What is drawn before the user chooses: one cosine, one rank, one share without scale, one of the spectrum."""
CURVES: Final[Mapping[str, Curves]] = {
    "measure": Curves("curves", "metrics", ("measure",), lambda: list(MAIN_METRICS)),
    "compare": Curves(
        "curves",
        "compared_metrics",
        ("compare",),
        # Never without what is left of the baseline.
        lambda: [*MAIN_METRICS[:3], "cka_to_baseline", "pooled_cosine_to_baseline"],
        known=lambda: (*metrics.names(), identity.IDENTITY_RETRIEVAL, *fidelity.BESIDE_BASELINE),
    ),
}
LAYER = Control("layer")
LINES = Control("lines", pages=("measure",))
SCALE = Control("scale", pages=("measure", "compare"))
FORM = Control("form", pages=("measure", "compare"))

WITH_CONTROLS = Control("controls", "with_controls", ("compare",))
LEFT_OVER = Control("across", "fidelity", ("compare",), lambda: LEFT[0])
CHANGED = Control("upwards", "diversity", ("compare",), lambda: metrics.usual_names()[0])

EXPLAINED = Control("explained", "explained_metric", ("explain",), lambda: MAIN_METRIC)
STEPS = Control("steps", "explained_steps", ("explain",))
ATTENTION = Control("attention", "attention_quantity", ("explain",))
NULL_MODEL = Control("null", "beyond_null", ("explain",))
TOY_RANGE = Range("toy_low", "toy_range", ("explain",), high="toy_high")
TOY_RESIDUAL = Control("toy_residual", pages=("explain",))
TOY_DEPTH = Control("toy_depth", pages=("explain",))
TOY_SEED = Control("toy_seed", pages=("explain",))
