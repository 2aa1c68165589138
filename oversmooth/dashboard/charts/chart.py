"""A chart on a page, and the controls that several charts share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from oversmooth.core.pairs import named
from oversmooth.core.points import is_block, tick
from oversmooth.core.wording import shortened
from oversmooth.dashboard import theme
from oversmooth.dashboard.charts.export_menu import Paper, export_menu
from oversmooth.dashboard.controls.declared import FORM, LAYER, LAYER_ASKED_FOR, LINES, SCALE
from oversmooth.dashboard.controls.state import choice, keep, last
from oversmooth.dashboard.markdown import plain
from oversmooth.report.figures import CONFIG, registry
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.figures.theme import LIGHT
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

TEXT_CHARACTERS = 120
"""Of a text, where it is named."""


def chart(figure: go.Figure, alternative: str, key: str, paper: Paper | None = None) -> None:
    """Draw a figure with its alternative text and, where it can go to paper, the way there."""
    # The chart's own theme, not Streamlit's: the same figure is exported.
    st.plotly_chart(figure, theme=None, config=CONFIG, alt=alternative, key=f"chart_{key}")
    if paper is not None:
        export_menu(paper, key)


class Charts:
    """The declared figures of a result as charts of a page; ``choices`` are those that :func:`figures_of` takes."""

    def __init__(self, result: Measurement | Comparison, **choices: Any) -> None:  # noqa: ANN401
        self._result, self._choices = result, choices
        self._on_paper = figures_of(result, **choices)

    def draw(
        self,
        name: str,
        key: str = "",
        *,
        headed: bool = False,
        small: Callable[..., go.Figure] | None = None,
        marks: Mapping[str, Any] = MappingProxyType({}),
        **arguments: Any,  # noqa: ANN401
    ) -> None:
        """Draw one figure.

        Args:
            name: of its declaration.
            key: of the chart; the name where none is given.
            headed: whether its heading stands above it.
            small: draws it on the page in place of the declared function.
            marks: arguments for the page alone, not for paper.
            arguments: which one of its kind it is, and what was chosen for it on the page.
        """
        declared = registry.get(name)
        build = partial(declared.build, self._result, **arguments)
        if headed:
            st.markdown(f"**{plain(declared.heading(self._result, **arguments))}**")
        file_name = declared.file_name(self._result, arguments)
        paper = None
        if figure := self._on_paper.get(file_name):
            # As it is drawn here, whatever the gallery would choose.
            paper = Paper(self._result, file_name, replace(figure, build=partial(build, theme=LIGHT)))
        drawn = (partial(small, self._result, **arguments) if small else build)(theme=theme.current(), **marks)
        chart(drawn, declared.alternative(self._result, **arguments), key or name, paper)

    def draw_plugins(self) -> None:
        """Draw the figures of plug-ins that the result has, which have no place of their own on a page."""
        names = [name for name, figure in self._on_paper.items() if registry.plugin(figure.name)]
        if not names:
            return
        st.subheader("Figures of plug-ins", anchor=False)
        on_screen = figures_of(self._result, theme=theme.current(), **self._choices)
        for name in names:
            st.markdown(f"**{plain(on_screen[name].title)}**")
            paper = Paper(self._result, name, self._on_paper[name])
            chart(on_screen[name].build(), on_screen[name].alternative(), f"plugin_{name}", paper)


def layer_slider(options: Sequence[str]) -> str:
    """The point at which maps and spectra are drawn; the last block at first."""
    end = [point for point in options if is_block(point)][-1]
    LAYER.note_usual(end)
    if (asked := st.session_state.pop(LAYER_ASKED_FOR, "")) and asked not in options:
        st.info(
            plain(f"The link asks for layer “{shortened(asked)}”, which the model does not have."),
            icon=":material/link:",
        )
    labels = {each: tick(each) for each in options}

    def take(point: str) -> None:
        # Kept empty where it is the last block, which then stays the last with another model.
        keep(LAYER.key, point if point in labels and point != end else "")

    take(last(LAYER.key, ""))
    layer: str = st.select_slider("Layer", **choice(LAYER.key, last(LAYER.key, "") or end, labels, take))
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
