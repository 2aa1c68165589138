"""From settings and variants to measurements and comparisons, with progress and a way out while they work."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from oversmooth.core.errors import CancelledError
from oversmooth.core.progress import sentence
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.one_at_a_time import others_draw, page_owner
from oversmooth.dashboard.running.requests import Outcomes, PageRequests
from oversmooth.measuring.comparing import control_settings
from oversmooth.results.comparison import BASELINE, Comparison
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings

POLL_SECONDS = 0.05


def await_measurement(settings: Settings) -> Measurement | None:
    """The measurement of these settings, or None after telling the user why there is none."""
    outcomes = await_measurements({"": settings})
    if outcomes is None:
        return None
    for reason in outcomes.failures.values():
        draw_failure(reason)
    return outcomes.measurements.get("")


def draw_failure(reason: str) -> None:
    """Say why there is nothing to show, and offer another try."""
    st.error(plain(reason), icon=":material/error:")
    st.button("Try again", key="retry")


def await_measurements(requests: Mapping[str, Settings], *, stoppable: bool = True) -> Outcomes | None:
    """What becomes of each request; None where the user, or the server's end, stopped them.

    While it waits, any change of a control stops this run of the page, and with it the computations.

    Args:
        requests: by the label that their progress carries; one alone may have an empty label.
        stoppable: whether a button stops them.
    """
    key = " ".join(settings.key() for settings in requests.values())
    if st.session_state.get("stopped") == key:
        st.info("Stopped. Nothing was lost: change a control, or run it again.", icon=":material/stop_circle:")
        st.button("Run again", key="again", on_click=lambda: st.session_state.pop("stopped"))
        return None
    asked = PageRequests(requests, page_owner())
    place = st.empty()
    with others_draw():  # around all of it: who has left gives up the runs at once, not when the pen is free
        try:
            asked.submit()
            _wait(asked, place, key if stoppable else None)
            return asked.outcomes()
        except CancelledError:
            return None
        finally:
            asked.give_up()
            place.empty()


def _wait(asked: PageRequests, place: DeltaGenerator, key: str | None) -> None:
    if not (pending := asked.pending()):
        return
    with place.container(key="progress" if key else "control_progress"):
        bars = {label: st.progress(0.0, text="Waiting") for label in pending}
        if key is not None:
            st.button("Stop", key="stop", on_click=lambda: st.session_state.update(stopped=key))
    while pending := asked.pending():
        for label, bar in bars.items():
            # A Streamlit call raises when the user has moved on, so that the runs are given up.
            if label in asked.failures:
                bar.progress(1.0, text=plain(asked.failures[label]))
                continue
            step = replace(asked.progress(label), variant=label)
            bar.progress(step.fraction if label in pending else 1.0, text=plain(sentence(step)))
        time.sleep(POLL_SECONDS)
        asked.submit()


def await_comparison(
    asked: ComparisonSettings, refused: Mapping[str, str], places: Mapping[str, int]
) -> Comparison | None:
    """The baseline and every variant that can be measured, or None after telling the user why there is none.

    What is wrong with a variant is said here, under the controls, of those ``refused`` before too; the others are
    measured all the same. ``places`` are of all variants, in order.
    """
    problems = st.container()
    outcomes = await_measurements({BASELINE: asked.baseline, **dict(asked.variants)})
    if outcomes is None:
        return None
    failures = outcomes.failures
    if BASELINE in failures:
        with problems:
            draw_failure(failures[BASELINE])
        return None
    both = {**refused, **failures}
    reasons = {label: both[label] for label in places if label in both}
    with problems:
        for label, reason in reasons.items():
            st.error(f"**{plain(label)}**: {plain(reason)}", icon=":material/error:")
        if failures:
            st.button("Try again", key="retry")
    return Comparison(outcomes.measurements, reasons, {BASELINE: 0, **places})


def await_controls(baseline: Settings) -> dict[str, Comparison]:
    """The controls that a method must beat, by title, as far as they could be measured."""
    sweeps = control_settings(baseline)
    requests = {BASELINE: baseline} | {
        f"{title}, {label}": settings for title, sweep in sweeps.items() for label, settings in sweep.items()
    }
    outcomes = await_measurements(requests, stoppable=False)
    if outcomes is None or BASELINE not in outcomes.measurements:
        return {}
    measured = outcomes.measurements
    found = {}
    for title, sweep in sweeps.items():
        sides = {label: f"{title}, {label}" for label in sweep}
        there = {label: measured[each] for label, each in sides.items() if each in measured}
        found[title] = Comparison({BASELINE: measured[BASELINE], **there}, {})
    return found
