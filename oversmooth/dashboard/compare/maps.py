"""Similarity maps of the baseline and one variant, side by side."""

from __future__ import annotations

import streamlit as st

from oversmooth.dashboard.charts.chart import Charts
from oversmooth.dashboard.controls.state import choice, last
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.theme import swatch
from oversmooth.results.comparison import Comparison


def draw_maps(comparison: Comparison, charts: Charts, point: str) -> str | None:
    """Draw the baseline's map at a point beside that of a variant of the user's choice; give the variant."""
    st.subheader("Similarity of every pair of tokens", anchor=False)
    label = _chosen(comparison)
    shown = [each for each in (comparison.baseline_label, label) if each is not None]
    for column, side, each in zip(st.columns(2, gap="large"), ("baseline", "variant"), shown, strict=False):
        with column:
            charts.draw("compared_map", f"map_{side}", label=each, point=point)
    return label


def _chosen(comparison: Comparison) -> str | None:
    # By place, which stays while variants are renamed or removed.
    labels = {comparison.position(label): label for label in comparison.variants}
    if not labels:
        return None
    place = last("mapped", next(iter(labels)))
    names = {place: f"{swatch(comparison.position(label))} {plain(label)}" for place, label in labels.items()}
    chosen: int = st.pills(
        "Beside the baseline",
        required=True,
        wrap=True,
        **choice("mapped", place if place in labels else next(iter(labels)), names),
    )
    return labels[chosen]
