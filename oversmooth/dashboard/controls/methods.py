"""The controls of one method, drawn from its declaration."""

from __future__ import annotations

from typing import Any

import streamlit as st

from oversmooth import mitigations
from oversmooth.dashboard.controls.numbers import number_control
from oversmooth.dashboard.controls.state import hold
from oversmooth.dashboard.controls.variants import Values, Variant, control_value, defaults, papers, problem
from oversmooth.dashboard.markdown import plain
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
PAPER = "As in the paper"
COLUMNS = 2
"""Parameters in a row on a wide screen."""


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
            st.markdown(f"[{plain(paper.cite())}]({paper.url}): {plain(paper.title)}.")
        if not declaration.causal_safe:
            st.markdown(
                "In a causal model, earlier tokens come to know of later ones, so that its language-model loss means "
                "nothing."
            )


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
            if refused := problem(parameter, values[parameter.name]):
                st.error(plain(refused), icon=":material/error:")
