"""A button that puts the address of the page into the clipboard."""

from __future__ import annotations

import streamlit as st

from oversmooth.service.server.headers import COPY_SCRIPT

_BUTTON = f"""<style>
.copy-link {{font: inherit; font-size: .875rem; color: inherit; background: none; cursor: pointer; white-space: nowrap;
  border: 1px solid rgba(128, 128, 128, .45); border-radius: .5rem; padding: .2rem .7rem}}
.copy-link:hover, .copy-link:focus-visible {{border-color: currentColor}}
</style>
<button class="copy-link" type="button" title="The address of this page holds every control">Copy link</button>
<script>{COPY_SCRIPT}</script>"""


def copy_button() -> None:
    """Draw the button."""
    st.html(_BUTTON, width="content", unsafe_allow_javascript=True)
