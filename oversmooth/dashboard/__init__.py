"""The dashboard: the only package that imports Streamlit. It computes nothing; the engine does."""
