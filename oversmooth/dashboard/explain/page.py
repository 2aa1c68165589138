"""What the page shows of an explanation: the finding, where, why and whether tokens grow alike."""

from __future__ import annotations

import streamlit as st

from oversmooth.core import points
from oversmooth.dashboard.charts.definitions import quantities
from oversmooth.dashboard.charts.export_menu import data_row, note_choices
from oversmooth.dashboard.charts.tables import curve_table, show_table
from oversmooth.dashboard.controls import address
from oversmooth.dashboard.explain.where import draw_where
from oversmooth.dashboard.explain.whether import draw_whether
from oversmooth.dashboard.explain.why import draw_why
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.measure.page import circumstances
from oversmooth.dashboard.running.one_at_a_time import part
from oversmooth.report import findings
from oversmooth.report.findings.explanations import explanation_headline
from oversmooth.results.measurement import Measurement


def show(measurement: Measurement) -> None:
    """Draw everything that needs a model, below the controls."""
    st.header(plain(explanation_headline(measurement)), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain(circumstances(measurement)), width="content")
        address.copy_link()
    st.markdown("[Where](#where) · [Why](#why) · [Whether](#whether) · [Toy](#toy)")
    for warning in findings.warnings_beside(measurement):
        st.warning(plain(warning), icon=":material/warning:")
    for limit in measurement.record.model.limits:
        st.info(plain(limit), icon=":material/info:")
    note_choices([point for point in measurement.points if points.is_block(point)][-1])
    draw_where(measurement)
    draw_why(measurement)
    draw_whether(measurement)
    quantities()
    data_row(measurement)
    _numbers(measurement)


@part
def _numbers(measurement: Measurement) -> None:
    """Every metric as a table, and the record; made when it is opened."""
    everything = st.expander("All numbers as a table", key="numbers", on_change="rerun")
    if everything.open:
        with everything:
            show_table(curve_table(measurement), "not defined; the reasons stand below.", hide_index=False)
            for sentence in findings.missing(measurement):
                st.caption(plain(sentence))
    records = st.expander("How these numbers came about", key="records", on_change="rerun")
    if records.open:
        with records:
            st.code(measurement.record.to_json(), language="json", wrap_lines=True)
