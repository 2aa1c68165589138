"""Similarity maps of the baseline and one variant, side by side, and their difference."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st

from oversmooth.dashboard.charts.chart import chart
from oversmooth.dashboard.charts.export_menu import Paper
from oversmooth.dashboard.controls.state import bound_choice, kept
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.theme import swatch
from oversmooth.report import alternatives
from oversmooth.report.figures.compared_maps import compared_map, difference_map
from oversmooth.report.figures.registry import side_name
from oversmooth.results.comparison import Comparison


def draw_maps(comparison: Comparison, point: str, papers: Mapping[str, Paper]) -> str | None:
    """Draw the baseline's map at a point beside that of a variant of the user's choice; give the variant."""
    st.subheader("Similarity of every pair of tokens", anchor=False)
    label = _chosen(comparison)
    shown = [each for each in (comparison.baseline_label, label) if each is not None]
    for column, side, each in zip(st.columns(2, gap="large"), ("baseline", "variant"), shown, strict=False):
        with column:
            chart(
                partial(compared_map, comparison, each, point),
                alternatives.compared_map(comparison, each, point),
                f"map_{side}",
                papers.get(_name_of("similarity", comparison, each, point)),
            )
    return label


def draw_difference(comparison: Comparison, label: str, point: str, papers: Mapping[str, Paper]) -> None:
    """Draw what a variant changes of the baseline's map at a point."""
    st.subheader("Difference of the similarities", anchor=False)
    paper = papers.get(_name_of("difference", comparison, label, point))
    draw = partial(difference_map, comparison, label, point)
    chart(draw, alternatives.difference_map(comparison, label, point), "map_difference", paper)


def _name_of(kind: str, comparison: Comparison, label: str, point: str) -> str:
    return f"{kind}_{point}_{side_name(comparison, label)}"


def _chosen(comparison: Comparison) -> str | None:
    # By place, which stays while variants are renamed or removed.
    labels = {comparison.position(label): label for label in comparison.variants}
    if not labels:
        return None
    place = kept("mapped", next(iter(labels)))
    names = {place: _name(comparison, label) for place, label in labels.items()}
    chosen: int = st.pills(
        "Beside the baseline",
        required=True,
        wrap=True,
        **bound_choice("mapped", place if place in labels else next(iter(labels)), names),
    )
    return labels[chosen]


def _name(comparison: Comparison, label: str) -> str:
    return f"{swatch(comparison.position(label))} {plain(label)}"
