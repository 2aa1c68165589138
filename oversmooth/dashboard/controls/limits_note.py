"""What a shared server allows, for whoever runs into it: at the foot of the sidebar."""

from __future__ import annotations

from typing import Final

import streamlit as st

from oversmooth.core.wording import bytes_in_words
from oversmooth.dashboard.controls import limits
from oversmooth.dashboard.markdown import plain
from oversmooth.service.hosting import current, plugins
from oversmooth.service.hosting.profiles import Bounds

THE_MACHINES: Final = frozenset({"workers", "threads", "model_bytes", "worker_bytes"})
"""How the server shares itself out, which grants or refuses nothing by itself."""
PRIVACY: Final = (
    "Texts are held in memory alone: while the page is open, and with their results, which are kept for a while for "
    "whoever asks for the same. They are never written to a log or kept in a file. The address of the page holds short "
    "texts, so that it can be shared."
)


def limits_note() -> None:
    """Draw it, on a server that strangers use; on another, what was left out of plug-ins."""
    if not current().hosted:
        for note in plugins.notes():
            st.sidebar.caption(f":material/extension_off: {plain(note)}")
        return
    with st.sidebar.expander("Limits of this server"):
        # No table: the third column would not fit beside the page.
        st.caption("\n\n".join(f"**{plain(name)}: {plain(most)}**  \n{plain(what)}" for name, most, what in _granted()))
        st.caption(PRIVACY)


def texts_note(*, several: bool) -> None:
    """Say how much text can be entered, under the place where it is; nothing where that is without limit."""
    if bounds := limits.texts_bounds(several=several):
        st.caption(bounds)


def _granted() -> list[tuple[str, str, str]]:
    limits = current().limits
    named = ((name, getattr(limits, name)) for name in Bounds.model_fields if name not in THE_MACHINES)
    return [
        (name, _amount(name, most), str(Bounds.model_fields[name].description))
        for name, most in named
        if most is not None
    ]


def _amount(name: str, most: float) -> str:
    if name.endswith("_bytes"):
        return bytes_in_words(most)
    return f"{most:,g} s" if name == "deadline" else f"{most:,}"
