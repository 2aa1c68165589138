"""Which of the two themes the reader's browser shows."""

from __future__ import annotations

import streamlit as st

from oversmooth.report.figures.theme import DARK, LIGHT, Theme


def current() -> Theme:
    """The theme on screen; light where the browser has not told yet."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def style() -> None:
    """Draw what every page needs beside Streamlit's own looks."""
    # What opens under a button is measured while it is still empty: without room of its own it would be squeezed
    # between the button and the edge of the window. Where not all of it fits, the file's button stays in sight.
    st.html(
        f"""<style>
[data-testid=stPopoverBody] {{min-height: min(30rem, 44vh)}}
[data-testid=stPopoverBody] [class*=st-key-download_]
  {{position: sticky; bottom: -1rem; z-index: 1; width: 100%; padding: .5rem 0; background: {current().paper}}}
</style>"""
    )
