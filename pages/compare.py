"""A baseline beside mitigations, other models or other texts: what each changes, and what it leaves."""

import streamlit as st

from oversmooth.dashboard.compare import page as compared
from oversmooth.dashboard.controls import (
    address,
    limits_note,
    settings_file,
    sidebar,
    variant_editor,
)
from oversmooth.dashboard.running.comparing import await_comparison

settings_file.follow("compare")
address.open_link("compare")
settings, metrics = sidebar.sidebar(comparison=True)
headline = st.container()
variants = variant_editor.editor()
settings_file.uploader()
limits_note.limits_note()
address.write(settings, variants)
comparison = await_comparison(settings, variants)
if comparison is not None:
    compared.show(comparison, metrics, headline)
