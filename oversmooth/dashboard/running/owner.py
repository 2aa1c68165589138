"""Who asks: the page that is being drawn, and the network that it is seen from."""

from __future__ import annotations

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from oversmooth.service.engine import Owner
from oversmooth.service.engine.rounds import network


def owner() -> Owner | None:
    """The page that this thread draws; None where it draws none."""
    context = get_script_run_ctx()
    if context is None:
        return None
    return Owner(context.session_id, network(st.context.ip_address or "") if runtime.exists() else "")
