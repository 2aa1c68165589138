"""A chart on a page, and the controls that several charts share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from oversmooth.core.pairs import named
from oversmooth.core.points import is_block, tick
from oversmooth.core.wording import shortened
from oversmooth.dashboard import theme
from oversmooth.dashboard.charts.export_menu import Paper, export_menu
from oversmooth.dashboard.controls.declared import FORM, LAYER, LAYER_ASKED_FOR, LINES, SCALE
from oversmooth.dashboard.controls.state import choice, keep, kept
from oversmooth.dashboard.markdown import plain
from oversmooth.report.figures import CONFIG
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.figures.theme import LIGHT
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

TEXT_CHARACTERS = 120
"""Of a text, where it is named."""
Draw = Callable[..., go.Figure]
"""Gives a figure in a ``theme``."""


def chart(draw: Draw, alternative: str, key: str, paper: Paper | None = None, *, as_drawn: bool = False) -> None:
    """Draw a figure with its alternative text and, where it can go to paper, the way there.

    Args:
        draw: gives the figure in a ``theme``.
        alternative: what it shows, in sentences.
        key: of the chart.
        paper: the figure among those that can go to paper.
        as_drawn: whether it goes to paper with what was chosen for it on the page.
    """
    # The chart's own theme, not Streamlit's: the same figure is exported.
    st.plotly_chart(draw(theme=theme.current()), theme=None, config=CONFIG, alt=alternative, key=f"chart_{key}")
    if paper is None:
        return
    if as_drawn:
        paper = replace(paper, figure=replace(paper.figure, build=partial(draw, theme=LIGHT)))
    export_menu(paper, key)


def titled(title: str, draw: Draw, about: str, key: str, papers: Mapping[str, Paper], name: str) -> None:
    """Draw a figure below its title, as it then goes to paper.

    Args:
        title: what is seen.
        draw: gives the figure in a ``theme``.
        about: what it shows, in sentences: with the title its alternative text.
        key: of the chart.
        papers: what can go to paper.
        name: of the figure among these.
    """
    st.markdown(f"**{plain(title)}**")
    chart(draw, f"{title}. {about}".strip(), key, papers.get(name), as_drawn=True)


def papers_of(result: Measurement | Comparison, **choices: Any) -> dict[str, Paper]:  # noqa: ANN401
    """What can go to paper, by the names of the files, under choices that :func:`figures_of` takes."""
    return {name: Paper(result, name, figure) for name, figure in figures_of(result, **choices).items()}


def layer_slider(options: Sequence[str]) -> str:
    """The point at which maps and spectra are drawn; the last block at first."""
    last = [point for point in options if is_block(point)][-1]
    LAYER.note_usual(last)
    if (asked := st.session_state.pop(LAYER_ASKED_FOR, "")) and asked not in options:
        st.info(
            plain(f"The link asks for layer “{shortened(asked)}”, which the model does not have."),
            icon=":material/link:",
        )
    labels = {each: tick(each) for each in options}

    def take(point: str) -> None:
        # Kept empty where it is the last block, which then stays the last with another model.
        keep(LAYER.key, point if point in labels and point != last else "")

    take(kept(LAYER.key, ""))
    layer: str = st.select_slider("Layer", **choice(LAYER.key, kept(LAYER.key, "") or last, labels, take))
    return layer


def lines_toggle(texts: int) -> bool:
    """Whether every text is drawn as a line of its own; asked where there are several."""
    return texts > 1 and st.toggle(
        "Every text as a line",
        **LINES.remembered(),
        help="Behind the mean over texts and its 95 % band. Each text counts alike, whatever its length.",
    )


def spectrum_form() -> tuple[bool, bool]:
    """Whether spectra are of the centred tokens, and whether on a logarithmic scale."""
    with st.container(horizontal=True):
        scale, form = (
            st.segmented_control(label, required=True, **control.choice(), label_visibility="collapsed")
            for label, control in {"Scale": SCALE, "Form": FORM}.items()
        )
    return form == "Centred", scale == "Log"


def name_text(what: str, measurement: Measurement) -> None:
    """Say of which text something is drawn, where there are several."""
    texts, number = measurement.settings.texts, measurement.settings.shown
    if len(texts) > 1:
        text = shortened(named(texts[number]), TEXT_CHARACTERS)
        st.caption(plain(f"{what} of text {number + 1} of {len(texts):,}, chosen in the sidebar: “{text}”"))
