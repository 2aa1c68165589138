"""The pages: the only room that draws with Streamlit. It computes nothing; the engine does.

In come clicks and addresses; out go settings for the engine, and what is drawn of results.
Imports every room but ``cli``.
"""
