"""Charts of an explanation on their page, each with its words and the way to paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from oversmooth.dashboard import theme
from oversmooth.dashboard.charts.chart import chart
from oversmooth.dashboard.charts.export_menu import Paper
from oversmooth.dashboard.markdown import plain
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.figures.theme import LIGHT
from oversmooth.results.measurement import Measurement

Draw = Callable[..., go.Figure]


def papers(measurement: Measurement, point: str | None = None, metrics: tuple[str, ...] = ()) -> dict[str, Paper]:
    """What can go to paper, by the names of the files."""
    figures = figures_of(measurement, point=point, metrics=metrics)
    return {name: Paper(measurement, name, figure) for name, figure in figures.items()}


def titled(
    title: str,
    draw: Draw,
    about: str,
    key: str,
    on_paper: Mapping[str, Paper],
    name: str,
) -> None:
    """Draw a figure below its title.

    Args:
        title: what is seen.
        draw: gives the figure in a ``theme``.
        about: what it shows, in sentences: with the title its alternative text.
        key: of the chart.
        on_paper: what can go to paper.
        name: of the figure among these.
    """
    st.markdown(f"**{plain(title)}**")
    paper = on_paper.get(name)
    if paper is not None:
        # As it is drawn here, whatever was chosen.
        paper = replace(paper, figure=replace(paper.figure, build=partial(draw, theme=LIGHT)))
    chart(draw(theme=theme.current()), f"{title}. {about}".strip(), key, paper)
