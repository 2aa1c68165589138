"""The page Explain: the finding, and where, why and whether tokens grow alike."""

from __future__ import annotations

import streamlit as st

from oversmooth.core import points
from oversmooth.dashboard import shell
from oversmooth.dashboard.charts.definitions import quantities
from oversmooth.dashboard.charts.export_menu import data_row, note_choices
from oversmooth.dashboard.explain.toy import draw_toy
from oversmooth.dashboard.explain.where import draw_where
from oversmooth.dashboard.explain.whether import draw_whether
from oversmooth.dashboard.explain.why import draw_why
from oversmooth.report.findings.explanations import explanation_headline
from oversmooth.results.measurement import Measurement


def draw() -> None:
    """Draw the page; the toy needs no model."""
    measurement, _ = shell.measured("explain")
    if measurement is not None:
        _explanation(measurement)
    draw_toy()


def _explanation(measurement: Measurement) -> None:
    shell.header(explanation_headline(measurement), *shell.circumstances(measurement))
    st.markdown("[Where](#where) · [Why](#why) · [Whether](#whether) · [Toy](#toy)")
    shell.remarks({"": measurement})
    note_choices([point for point in measurement.points if points.is_block(point)][-1])
    draw_where(measurement)
    draw_why(measurement)
    draw_whether(measurement)
    quantities()
    data_row(measurement)
    shell.numbers({"": measurement}, when_opened=True)
