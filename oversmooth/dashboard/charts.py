"""A chart on a page, and the controls that several charts share."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from oversmooth.dashboard.state import bound, kept
from oversmooth.figures import CONFIG
from oversmooth.points import is_block, tick


def chart(figure: go.Figure, alternative: str, key: str) -> None:
    """Draw a figure with its alternative text."""
    # The chart's own theme, not Streamlit's: the same figure is exported.
    st.plotly_chart(figure, theme=None, config=CONFIG, alt=alternative, key=f"chart_{key}")


def layer_slider(options: Sequence[str]) -> str:
    """The point at which maps and spectra are drawn; the last block at first."""
    last = [point for point in options if is_block(point)][-1]
    point = kept("layer", last)
    layer: str = st.select_slider(
        "Layer", options, format_func=tick, **bound("layer", point if point in options else last)
    )
    return layer


def spectrum_form() -> tuple[bool, bool]:
    """Whether spectra are of the centred tokens, and whether on a logarithmic scale."""
    with st.container(horizontal=True):
        scale = st.segmented_control(
            "Scale",
            ["Linear", "Log"],
            default="Log",
            required=True,
            key="scale",
            persist_state="session",
            label_visibility="collapsed",
        )
        form = st.segmented_control(
            "Form",
            ["Raw", "Centred"],
            default="Raw",
            required=True,
            key="form",
            persist_state="session",
            label_visibility="collapsed",
        )
    return form == "Centred", scale == "Log"
