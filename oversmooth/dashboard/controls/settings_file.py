"""A settings file, or a bundle that holds one, dropped into the sidebar: the controls take its place."""

from __future__ import annotations

import io

import streamlit as st

from oversmooth.core import archives
from oversmooth.core.errors import OversmoothError, SettingsError
from oversmooth.core.wording import shortened
from oversmooth.dashboard.controls import limits
from oversmooth.dashboard.controls.declared import PageName
from oversmooth.dashboard.controls.restoring import notify, page_of, restore
from oversmooth.dashboard.markdown import plain
from oversmooth.results.comparison_settings import ComparisonSettings, from_json
from oversmooth.results.files.names import SETTINGS
from oversmooth.results.permalink import AnySettings
from oversmooth.results.settings import Settings

LARGEST = 50 * limits.MEBIBYTE
"""Bytes of a bundle with long texts and large maps."""
LONGEST = 1_000_000
"""Bytes of settings: a hundred times what a long text takes."""
MOST_WORDS = 400
"""Characters of a reason: a file of something else has something wrong in every field."""
_WANTED, _WRONG = "wanted page", "wrong settings file"


def uploader() -> None:
    """Draw the place for the file, at the end of the sidebar."""
    with st.sidebar.expander("Open settings"):
        label = "Settings of a run: settings.json, or a zip that holds it"
        limits.upload(label, LARGEST, ["json", "zip"], "settings_file", _take)
        if wrong := st.session_state.pop(_WRONG, None):
            st.error(plain(wrong), icon=":material/error:")


def follow(page: PageName) -> None:
    """Go on to the other page, where a file has asked for that."""
    wanted = st.session_state.pop(_WANTED, page)
    if wanted != page:
        st.switch_page(f"pages/{wanted}.py")


def _take() -> None:
    try:
        upload = limits.uploaded("settings_file", LARGEST)
        if upload is None:
            return
        asked = _as_drawn(read(upload.name, upload.getvalue()))
        notices = restore(asked)
    except OversmoothError as error:
        notify([])  # what was said of an earlier file
        reason = str(error)
        st.session_state[_WRONG] = reason if len(reason) <= MOST_WORDS else reason[:MOST_WORDS] + "…"
        return
    notify([f"The controls are set as {shortened(upload.name)} says.", *notices])
    st.session_state[_WANTED] = page_of(asked)


def read(name: str, content: bytes) -> AnySettings:
    """The settings of a dropped file; a sentence that names it says what is wrong with it."""
    called = shortened(name)
    if name.lower().endswith(".zip"):
        content = _unpacked(called, content)
    if len(content) > LONGEST:
        raise SettingsError(f"{called}: settings have at most {LONGEST:,} bytes, not {len(content):,}.")
    return from_json(content, called)


def _unpacked(called: str, content: bytes) -> bytes:
    with archives.opened(io.BytesIO(content), f"{called}: this zip cannot be read") as archive:
        inside = [each for each in archive.namelist() if each.rpartition("/")[2] == SETTINGS]
        if not inside:
            raise SettingsError(f"{called}: there is no {SETTINGS} in this zip.")
        return archives.member(archive, min(inside, key=len), LONGEST)


def _as_drawn(settings: AnySettings) -> AnySettings:
    """One measurement with mitigations is shown beside itself without them, on the page that has controls for them."""
    if isinstance(settings, ComparisonSettings) or not settings.mitigations:
        return settings
    baseline, variant = (
        Settings.of(**{**each.model_dump(), "fidelity": True}) for each in (settings.baseline(), settings)
    )
    return ComparisonSettings(baseline=baseline, variants=(("+".join(settings.mitigations), variant),))
