"""Entry point of the dashboard: page set-up and navigation, nothing else."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent

st.set_page_config(page_title="Oversmooth", page_icon=str(HERE / "assets" / "logo.svg"), layout="wide")
st.navigation(
    [st.Page(HERE / "pages" / "measure.py", title="Measure", url_path="measure", default=True)], position="top"
).run()
