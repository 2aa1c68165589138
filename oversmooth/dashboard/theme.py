"""Which of the two themes the reader's browser shows."""

from __future__ import annotations

import streamlit as st

from oversmooth.figures.theme import DARK, LIGHT, Theme


def current() -> Theme:
    """The theme on screen; light where the browser has not told yet."""
    return DARK if st.context.theme.type == "dark" else LIGHT
