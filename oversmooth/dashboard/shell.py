"""What every page is made of: its controls, a header, remarks, its numbers as tables and the record of them.

A page draws its own panels between the remarks and the numbers. To add one: its folder with ``page.py``, a script in
``pages/`` and a line in ``app.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from oversmooth.core.wording import count
from oversmooth.dashboard.charts.tables import show_table
from oversmooth.dashboard.controls import address, settings_file
from oversmooth.dashboard.controls.declared import PageName
from oversmooth.dashboard.controls.limits import limits_note
from oversmooth.dashboard.controls.sidebar import sidebar
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.one_at_a_time import fragment
from oversmooth.dashboard.running.waiting import await_measurement
from oversmooth.report import findings
from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings


def controls(page: PageName) -> tuple[Settings, tuple[str, ...]]:
    """Open what the address asks for and draw the sidebar; give the settings, and the metrics to draw over depth."""
    settings_file.follow(page)
    address.open_link(page)
    asked = sidebar(page)
    settings_file.uploader()
    limits_note()
    return asked


def measured(page: PageName) -> tuple[Measurement | None, tuple[str, ...]]:
    """Of a page of one measurement what its controls ask for, and the metrics to draw; None after saying why."""
    settings, drawn = controls(page)
    address.write(settings)
    return await_measurement(settings), drawn


def header(finding: str, *circumstances: str) -> None:
    """Draw the finding as the page's title, under what circumstances it was found, and the link to all of it."""
    st.header(plain(finding), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain(" · ".join(circumstances)), width="content")
        address.copy_link()


def circumstances(measurement: Measurement) -> tuple[str, ...]:
    """Model, tokens, device and seconds."""
    record = measurement.record
    measured = sum(len(tokens.measured) for tokens in measurement.tokens)
    special = sum(len(tokens.items) for tokens in measurement.tokens) - measured
    left_out = f" ({count(special, 'special token')} left out)" if special else ""
    texts = len(measurement.tokens)
    of_texts = f" in {count(texts, 'text')}" if texts > 1 else ""
    return (
        record.model.name,
        f"{count(measured, 'token')} measured{of_texts}{left_out}",
        f"{record.environment.device.upper()}, states in {record.environment.dtype}, metrics in float64",
        f"{record.seconds['measure']:.2f} s",
    )


def remarks(sides: Mapping[str, Measurement]) -> None:
    """Draw warnings and limits, each once, with the sides they are of where it is not all."""
    for sentence in findings.told_once({label: findings.warnings_beside(each) for label, each in sides.items()}):
        st.warning(plain(sentence), icon=":material/warning:")
    for sentence in findings.told_once({label: each.record.model.limits for label, each in sides.items()}):
        st.info(plain(sentence), icon=":material/info:")


@fragment
def numbers(sides: Mapping[str, Measurement], table: Callable[[], pd.DataFrame], empty: str = "not defined") -> None:
    """Draw every number as a table, and the records of how they came about, both folded and made when they are opened.

    Args:
        sides: what was measured, by label; one alone has an empty label.
        table: gives the numbers.
        empty: what an empty cell of it means.
    """
    everything, records = (
        st.expander(title, key=key, on_change="rerun")
        for key, title in {"numbers": "All numbers as a table", "records": "How these numbers came about"}.items()
    )
    if everything.open:
        with everything:
            show_table(table(), f"{empty}; the reasons stand below.")
            for label, measurement in sides.items():
                for sentence in findings.missing(measurement):
                    st.caption(plain(f"{label}: {sentence}" if label else sentence))
    if records.open:
        with records:
            for label, measurement in sides.items():
                if label:
                    st.markdown(f"**{plain(label)}**")
                st.code(measurement.record.to_json(), language="json", wrap_lines=True)
