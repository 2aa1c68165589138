"""A baseline beside mitigations, other models or other texts: what each changes, and what it leaves."""

import streamlit as st

from oversmooth.dashboard import compared, controls, variant_editor
from oversmooth.dashboard.compare_runs import await_comparison

settings, metrics = controls.sidebar(comparison=True)
headline = st.container()
variants = variant_editor.editor()
comparison = await_comparison(settings, variants)
if comparison is not None:
    compared.show(comparison, metrics, headline)
