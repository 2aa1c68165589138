"""From settings to a measurement, with progress and a way out while it works."""

from __future__ import annotations

import time

import streamlit as st

from oversmooth.dashboard.prose import plain
from oversmooth.engine import Engine, Handle
from oversmooth.errors import CancelledError, OversmoothError
from oversmooth.measurement import Measurement
from oversmooth.progress import sentence
from oversmooth.settings import Settings

POLL_SECONDS = 0.05


@st.cache_resource(show_spinner=False, on_release=lambda engine: engine.close())
def shared_engine() -> Engine:
    """The engine that all sessions of this server share."""
    return Engine()


def await_measurement(settings: Settings) -> Measurement | None:
    """The measurement of these settings, or None after telling the user why there is none.

    While it waits, any change of a control stops this run of the page, and with it the computation.
    """
    key = settings.key()
    if st.session_state.get("stopped") == key:
        st.info("Stopped. Nothing was lost: change a control, or run it again.", icon=":material/stop_circle:")
        st.button("Run again", key="again", on_click=lambda: st.session_state.pop("stopped"))
        return None
    try:
        return _wait(shared_engine().submit(settings), key)
    except CancelledError:
        return None
    except OversmoothError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.button("Try again", key="retry")
        return None


def _wait(handle: Handle, key: str) -> Measurement:
    if handle.done():
        return handle.result()
    place = st.empty()
    try:
        with place.container(key="progress"):
            bar = st.progress(0.0, text="Waiting")
            st.button("Stop", key="stop", on_click=lambda: st.session_state.update(stopped=key))
        while not handle.done():
            # A Streamlit call raises when the user has moved on, so that the run below is given up.
            bar.progress(handle.progress.fraction, text=plain(sentence(handle.progress)))
            time.sleep(POLL_SECONDS)
        return handle.result()
    finally:
        handle.cancel()
        place.empty()
