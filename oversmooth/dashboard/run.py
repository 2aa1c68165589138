"""From settings to measurements, with progress and a way out while they work."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from oversmooth.dashboard.prose import plain
from oversmooth.engine import Engine, Handle
from oversmooth.errors import CancelledError, OversmoothError, QueueFullError
from oversmooth.measurement import Measurement
from oversmooth.progress import sentence
from oversmooth.settings import Settings

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Outcomes:
    """What became of several requests, by their labels, in order."""

    measurements: dict[str, Measurement]
    failures: dict[str, str]
    """The reason, in a sentence, of each that could not be measured."""


@st.cache_resource(show_spinner=False, on_release=lambda engine: engine.close())
def shared_engine() -> Engine:
    """The engine that all sessions of this server share."""
    return Engine()


def await_measurement(settings: Settings) -> Measurement | None:
    """The measurement of these settings, or None after telling the user why there is none."""
    outcomes = await_measurements({"": settings})
    if outcomes is None:
        return None
    for reason in outcomes.failures.values():
        told(reason)
    return outcomes.measurements.get("")


def told(reason: str) -> None:
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
    handles: dict[str, Handle] = {}
    failures: dict[str, str] = {}
    place = st.empty()
    try:
        for label, settings in requests.items():
            try:
                handles[label] = shared_engine().submit(settings)
            except QueueFullError as error:
                failures[label] = str(error)
        _wait(handles, place, key if stoppable else None)
        return _collected(handles, failures)
    except CancelledError:
        return None
    finally:
        for handle in handles.values():
            handle.cancel()
        place.empty()


def _wait(handles: Mapping[str, Handle], place: DeltaGenerator, key: str | None) -> None:
    pending = {label: handle for label, handle in handles.items() if not handle.done()}
    if not pending:
        return
    with place.container(key="progress" if key else "control_progress"):
        bars = {label: st.progress(0.0, text="Waiting") for label in pending}
        if key is not None:
            st.button("Stop", key="stop", on_click=lambda: st.session_state.update(stopped=key))
    while not all(handle.done() for handle in pending.values()):
        for label, handle in pending.items():
            # A Streamlit call raises when the user has moved on, so that the runs are given up.
            step = replace(handle.progress, variant=label)
            bars[label].progress(1.0 if handle.done() else step.fraction, text=plain(sentence(step)))
        time.sleep(POLL_SECONDS)


def _collected(handles: Mapping[str, Handle], failures: dict[str, str]) -> Outcomes:
    measurements = {}
    for label, handle in handles.items():
        try:
            measurements[label] = handle.result()
        except CancelledError:
            raise
        except OversmoothError as error:
            failures[label] = str(error)
    return Outcomes(measurements, failures)
