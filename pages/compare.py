"""A baseline beside mitigations, other models or other texts: what each changes, and what it leaves."""

import streamlit as st

from oversmooth.dashboard import compared, controls, limits_note, permalinks, settings_file, variant_editor
from oversmooth.dashboard.compare_runs import await_comparison

settings_file.follow("compare")
permalinks.open_link("compare")
settings, metrics = controls.sidebar(comparison=True)
headline = st.container()
variants = variant_editor.editor()
settings_file.uploader()
limits_note.limits_note()
permalinks.write(settings, variants)
comparison = await_comparison(settings, variants)
if comparison is not None:
    compared.show(comparison, metrics, headline)
