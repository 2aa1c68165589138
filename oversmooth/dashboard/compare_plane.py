"""Diversity against fidelity: what each variant changes, beside what it leaves."""

from __future__ import annotations

from typing import Any

import streamlit as st

from oversmooth import alternatives, metrics
from oversmooth.comparison import Comparison
from oversmooth.dashboard import theme
from oversmooth.dashboard.charts import chart
from oversmooth.dashboard.compare_runs import await_controls
from oversmooth.figures.plane import fidelity_plane
from oversmooth.metrics import fidelity, identity


def draw_plane(comparison: Comparison, point: str, with_controls: bool) -> None:
    """Draw the plane at a point, with the lines of the controls where they are wanted."""
    st.subheader("What changes, and what is left", anchor=False)
    diversity, kept = _axes()
    controls = await_controls(comparison.baseline.settings) if with_controls else {}
    axes: dict[str, Any] = {"diversity": diversity, "fidelity": kept, "controls": controls}
    chart(
        fidelity_plane(comparison, point, theme=theme.current(), **axes),
        alternatives.fidelity_plane(comparison, point, **axes),
        "plane",
    )


def _axes() -> tuple[str, str]:
    """The metrics of the two axes."""
    beside = (*fidelity.BESIDE_BASELINE, identity.IDENTITY_RETRIEVAL)
    with st.container(horizontal=True):
        kept = st.selectbox(
            "What is left, across", beside, format_func=_title, key="fidelity", persist_state="session", width=320
        )
        diversity = st.selectbox(
            "What changes, upwards",
            metrics.names(),
            format_func=_title,
            key="diversity",
            persist_state="session",
            width=320,
        )
    return diversity, kept


def _title(name: str) -> str:
    return metrics.get(name).title
