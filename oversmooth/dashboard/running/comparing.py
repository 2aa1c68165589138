"""From the variants of the page to a comparison: one request to the engine for each, so that only what changed runs."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from oversmooth.core.errors import OversmoothError
from oversmooth.dashboard.controls.variants import Variant
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.waiting import await_measurements, draw_failure
from oversmooth.measuring.comparing import control_settings
from oversmooth.results.comparison import BASELINE, Comparison
from oversmooth.results.settings import Settings


def await_comparison(baseline: Settings, variants: Mapping[str, Variant]) -> Comparison | None:
    """The baseline and every variant that can be measured, or None after telling the user why there is none.

    What is wrong with a variant is said here, under the controls; the others are measured all the same.
    """
    refused: dict[str, str] = {}
    requests = {BASELINE: baseline}
    for label, variant in variants.items():
        try:
            requests[label] = variant.settings(baseline)
        except OversmoothError as error:
            refused[label] = str(error)
    problems = st.container()
    outcomes = await_measurements(requests)
    if outcomes is None:
        return None
    failures = outcomes.failures
    if BASELINE in failures:
        with problems:
            draw_failure(failures[BASELINE])
        return None
    both = refused | failures
    reasons = {label: both[label] for label in variants if label in both}
    with problems:
        for label, reason in reasons.items():
            st.error(f"**{plain(label)}**: {plain(reason)}", icon=":material/error:")
        if failures:
            st.button("Try again", key="retry")
    places = {BASELINE: 0} | {label: variant.place for label, variant in variants.items()}
    return Comparison(outcomes.measurements, reasons, places)


def await_controls(baseline: Settings) -> dict[str, Comparison]:
    """The controls that a method must beat, by title, as far as they could be measured."""
    sweeps = control_settings(baseline)
    requests = {BASELINE: baseline} | {
        f"{title}, {label}": settings for title, sweep in sweeps.items() for label, settings in sweep.items()
    }
    outcomes = await_measurements(requests, stoppable=False)
    if outcomes is None or BASELINE not in outcomes.measurements:
        return {}
    found = {}
    for title, sweep in sweeps.items():
        measured = {
            label: outcomes.measurements[f"{title}, {label}"]
            for label in sweep
            if f"{title}, {label}" in outcomes.measurements
        }
        found[title] = Comparison({BASELINE: outcomes.measurements[BASELINE]} | measured, {})
    return found
