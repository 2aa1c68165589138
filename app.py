"""Entry point of the dashboard: page set-up and navigation, nothing else."""

from contextlib import nullcontext
from pathlib import Path

import streamlit as st

from oversmooth.dashboard import faults, theme
from oversmooth.dashboard.running.one_at_a_time import admission, draw_refusal, drawing_alone
from oversmooth.service.hosting import plugins

HERE = Path(__file__).parent
ASSETS = HERE / "assets"
PAGES = HERE / "pages"

plugins.permit()
faults.watch()
# Before anything else is done: pages that ask again and again would fill the time between two turns.
with admission() as admitted, drawing_alone() if admitted else nullcontext():
    st.set_page_config(page_title="Oversmooth", page_icon=str(ASSETS / "logo.svg"), layout="wide")
    theme.style()
    st.logo(str(ASSETS / f"wordmark-{theme.current().name}.svg"), size="large", icon_image=str(ASSETS / "logo.svg"))
    page = st.navigation(
        [
            st.Page(PAGES / "measure.py", title="Measure", url_path="start", default=True),
            st.Page(PAGES / "compare.py", title="Compare", url_path="compare"),
            st.Page(PAGES / "explain.py", title="Explain", url_path="explain"),
            # Streamlit serves the default page at “/” alone: who types the name of this one gets it too.
            st.Page(PAGES / "measure.py", title="Measure", url_path="measure", visibility="hidden"),
            st.Page(PAGES / "reference.py", title="Reference", url_path="reference"),
        ],
        position="top",
    )
    if admitted:
        page.run()
    else:
        draw_refusal()
