"""Diversity against fidelity: what each variant changes, beside what it leaves."""

from __future__ import annotations

from typing import Any

import streamlit as st

from oversmooth import metrics
from oversmooth.dashboard import theme
from oversmooth.dashboard.charts.chart import chart
from oversmooth.dashboard.charts.export_menu import Paper
from oversmooth.dashboard.controls.declared import CHANGED, LEFT_OVER
from oversmooth.dashboard.running.comparing import await_controls
from oversmooth.report.figures import registry
from oversmooth.report.figures.theme import LIGHT
from oversmooth.results.comparison import Comparison
from oversmooth.results.view import LEFT


def draw_plane(comparison: Comparison, point: str, with_controls: bool) -> None:
    """Draw the plane at a point, with the lines of the controls where they are wanted."""
    st.subheader("What changes, and what is left", anchor=False)
    diversity, kept = _axes()
    controls = await_controls(comparison.baseline.settings) if with_controls else {}
    # Not of the gallery: its axes and controls are chosen here.
    axes: dict[str, Any] = {"point": point, "diversity": diversity, "fidelity": kept, "controls": controls}
    declared = registry.get("fidelity_plane")
    chart(
        declared.build(comparison, **axes, theme=theme.current()),
        declared.alternative(comparison, **axes),
        "plane",
        Paper(comparison, f"plane_{point}", declared.drawable(comparison, axes, theme=LIGHT)),
    )


def _axes() -> tuple[str, str]:
    """The metrics of the two axes."""
    changing = metrics.usual_names()
    with st.container(horizontal=True):
        kept = st.selectbox("What is left, across", LEFT, format_func=_title, width=320, **LEFT_OVER.remembered())
        diversity = st.selectbox(
            "What changes, upwards",
            changing,
            format_func=_title,
            width=320,
            **CHANGED.remembered(),
        )
    return diversity, kept


def _title(name: str) -> str:
    return metrics.get(name).title
