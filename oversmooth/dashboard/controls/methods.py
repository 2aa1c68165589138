"""The controls of one method, drawn from its declaration."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from oversmooth import mitigations
from oversmooth.core.errors import MitigationError
from oversmooth.dashboard.controls.state import hold
from oversmooth.dashboard.controls.variants import Values, Variant, control_value, defaults, papers, parameter_value
from oversmooth.dashboard.markdown import cited, plain
from oversmooth.mitigations import Declaration
from oversmooth.mitigations.parameters import Parameter

MEANT = {
    "inference": (":blue-badge[for frozen weights]", ""),
    "training": (
        ":violet-badge[trained in its paper]",
        "Not meant for frozen weights: the model never learned to work with it.",
    ),
    "ablation": (":gray-badge[ablation]", "Takes a part of the model away to show what that part does."),
    "control": (":gray-badge[control]", "No remedy, but what a remedy must beat."),
}
"""By what a method is meant for: its badge, and what to say of it where it is chosen."""
LEAKS = ":orange-badge[mixes earlier with later tokens]"
LEAKING = "In a causal model, earlier tokens come to know of later ones, so that its language-model loss means nothing."
PAPER = "As in the paper"
COLUMNS = 2
"""Parameters in a row on a wide screen."""
STEPS = 40
"""A slider has at least so many, where the named values allow."""
WIDE = 20
"""A range so many times as wide as its named values are large is typed, not slid over."""


def method_controls(variant: Variant, name: str) -> None:
    """Draw what a method is, its presets and its parameters; changes go into the variant."""
    declaration = mitigations.get(name).declaration
    words, sliders = st.columns([2, 3], gap="large")
    with words:
        _about(declaration)
    with sliders:
        parameter_controls(variant, name)


def parameter_controls(variant: Variant, name: str) -> None:
    """Draw the presets and parameters of a method; changes go into the variant."""
    _presets(variant, name)
    parameters = list(mitigations.get(name).parameters().values())
    for start in range(0, len(parameters), COLUMNS):
        # A row each, so that a narrow screen keeps their order.
        row = parameters[start : start + COLUMNS]
        for column, parameter in zip(st.columns(COLUMNS, gap="medium"), row, strict=False):
            with column:
                _parameter(variant, name, parameter)


def _about(declaration: Declaration) -> None:
    badge, sentence = MEANT[declaration.meant]
    leaks = "" if declaration.causal_safe else f" {LEAKS}"
    st.markdown(f"**{plain(declaration.title)}** {badge}{leaks}")
    st.caption(plain(" ".join(filter(None, (declaration.does, sentence, declaration.caveat)))))
    with st.expander("Formula and paper"):
        st.latex(declaration.formula)
        st.markdown(f"Acts on: {plain(declaration.position)}. In its paper: {plain(declaration.paper_position)}.")
        if paper := declaration.paper:
            st.markdown(f"{cited(paper)}.")
        if not declaration.causal_safe:
            st.markdown(LEAKING)


def _presets(variant: Variant, name: str) -> None:
    meant = mitigations.get(name).declaration.meant
    presets = {"Defaults" if meant in ("ablation", "control") else "Frozen default": defaults(name)}
    if (paper := papers(name)) is not None:
        presets[PAPER] = paper
    key = f"{variant.number}.{name}.preset"

    def take() -> None:
        if (chosen := st.session_state[key]) is not None:
            variant.methods[name] = dict(presets[chosen])

    hold(key, next((title for title, values in presets.items() if values == variant.methods[name]), None))
    st.segmented_control(
        "Preset",
        list(presets),
        key=key,
        on_change=take,
        label_visibility="collapsed",
        help="The values of the paper are mostly meant for weights that were trained with them.",
    )


def _parameter(variant: Variant, name: str, parameter: Parameter) -> None:
    key = f"{variant.number}.{name}.{parameter.name}"
    values: Values = variant.methods[name]

    def take() -> None:
        given = st.session_state[key]
        if given is not None:
            variant.methods[name][parameter.name] = given if isinstance(given, str) else control_value(parameter, given)

    hold(key, values[parameter.name])
    about: dict[str, Any] = {
        "label": parameter.name.replace("_", " "),
        "key": key,
        "help": f"{plain(parameter.meaning)} In {plain(parameter.range_text())}.",
        "on_change": take,
    }
    match parameter.kind:
        case "switch":
            st.toggle(**about)
        case "choice":
            st.segmented_control(options=parameter.choices, required=True, **about)
        case "number" | "integer":
            number_control(parameter, values[parameter.name], about)
        case _:
            st.text_input(**about)
            try:
                parameter_value(parameter, values[parameter.name])
            except MitigationError as error:
                st.error(plain(f"{error}."), icon=":material/error:")


def number_control(parameter: Parameter, value: float, about: dict[str, Any]) -> None:
    """Draw the control of a number; ``about`` holds its label, key, help and what to do when it changes."""
    as_type = int if parameter.kind == "integer" else float
    if parameter.stops:
        stops = sorted({as_type(each) for each in (*parameter.stops, *_named(parameter), value)})
        st.select_slider(options=stops, format_func=lambda stop: f"{stop:g}", **about)
        return
    low, high = parameter.ends
    size = max(map(abs, _named(parameter))) or 1.0
    scale: dict[str, Any] = {"format": "%d" if as_type is int else "%g"}
    if math.isfinite(high - low) and high - low <= WIDE * size:
        step = _step(parameter, high - low)
        # An end that is not in the range itself is one step away; a link may have put the value nearer to it.
        low, high = min(low + step * parameter.low_open, value), max(high - step * parameter.high_open, value)
        st.slider(min_value=as_type(low), max_value=as_type(high), step=as_type(step), **scale, **about)
    else:
        least, most = (None if math.isinf(end) else as_type(end) for end in (low, high))
        step = as_type(_step(parameter, WIDE / 2 * size))
        st.number_input(min_value=least, max_value=most, step=step, **scale, **about)


def _named(parameter: Parameter) -> list[float]:
    """Default, the paper's and the neutral value, as far as there are."""
    return [each for each in (parameter.default, parameter.paper, parameter.neutral) if each is not None]


def _step(parameter: Parameter, span: float) -> float:
    """The largest round step that meets every named value and leaves enough of them in the span."""
    if parameter.kind == "integer":
        return 1
    start = 0.0 if math.isinf(parameter.low) else parameter.low
    rounds = (factor * 10.0**power for power in range(3, -5, -1) for factor in (5, 2, 1))
    small = (step for step in rounds if step * STEPS <= span)
    return next(step for step in small if all(_meets(value - start, step) for value in _named(parameter)))


def _meets(distance: float, step: float) -> bool:
    return math.isclose(distance / step, round(distance / step), abs_tol=1e-6)
