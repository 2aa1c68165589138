"""A chart on a page, and the controls that several charts share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from oversmooth.core.pairs import named
from oversmooth.core.points import is_block, tick
from oversmooth.core.wording import shortened
from oversmooth.dashboard.charts.export_menu import Paper, export_menu
from oversmooth.dashboard.controls.state import choice, keep, kept, remembered, remembered_choice
from oversmooth.dashboard.markdown import plain
from oversmooth.report.figures import CONFIG
from oversmooth.results.measurement import Measurement

TEXT_CHARACTERS = 120
"""Of a text, where it is named."""
USUAL_LAYER, LAYER_ASKED_FOR = "usual layer", "layer asked for"
"""Keys of the session: the layer that is drawn at first, and the one that a link wants, until it was looked for."""

SCALES, FORMS = ("Linear", "Log"), ("Raw", "Centred")
"""Of the singular values."""


def chart(figure: go.Figure, alternative: str, key: str, paper: Paper | None = None) -> None:
    """Draw a figure with its alternative text and, where it can go to paper, the way there."""
    # The chart's own theme, not Streamlit's: the same figure is exported.
    st.plotly_chart(figure, theme=None, config=CONFIG, alt=alternative, key=f"chart_{key}")
    if paper is not None:
        export_menu(paper, key)


def layer_slider(options: Sequence[str]) -> str:
    """The point at which maps and spectra are drawn; the last block at first."""
    last = [point for point in options if is_block(point)][-1]
    st.session_state[USUAL_LAYER] = last
    point: str = kept("layer", "")
    if st.session_state.pop(LAYER_ASKED_FOR, last) not in options:
        st.info(
            plain(f"The link asks for layer “{shortened(point)}”, which the model does not have."),
            icon=":material/link:",
        )
    # Kept empty where it is the last block, which then stays the last with another model.
    others = {each: tick(each) for each in options if each != last}
    keep("layer", point if point in others else "")
    labels = {each: tick(each) for each in options}
    shown = point if point in others else last
    layer: str = st.select_slider("Layer", **choice("layer", shown, labels, partial(_take_layer, others)))
    return layer


def _take_layer(others: Collection[str], point: str) -> None:
    keep("layer", point if point in others else "")


def lines_toggle(texts: int) -> bool:
    """Whether every text is drawn as a line of its own; asked where there are several."""
    return texts > 1 and st.toggle(
        "Every text as a line",
        **remembered("lines", False),
        help="Behind the mean over texts and its 95 % band. Each text counts alike, whatever its length.",
    )


def name_text(what: str, measurement: Measurement) -> None:
    """Say of which text something is drawn, where there are several."""
    texts, number = measurement.settings.texts, measurement.settings.shown
    if len(texts) > 1:
        text = shortened(named(texts[number]), TEXT_CHARACTERS)
        st.caption(plain(f"{what} of text {number + 1} of {len(texts):,}, chosen in the sidebar: “{text}”"))


def spectrum_form() -> tuple[bool, bool]:
    """Whether spectra are of the centred tokens, and whether on a logarithmic scale."""
    with st.container(horizontal=True):
        scale = st.segmented_control(
            "Scale",
            required=True,
            **remembered_choice("scale", "Log", dict(zip(SCALES, SCALES, strict=True))),
            label_visibility="collapsed",
        )
        form = st.segmented_control(
            "Form",
            required=True,
            **remembered_choice("form", "Raw", dict(zip(FORMS, FORMS, strict=True))),
            label_visibility="collapsed",
        )
    return form == "Centred", scale == "Log"
