"""The pages: the only room that draws with Streamlit: a folder a page, and what they share. It computes nothing.

In come clicks and addresses; out go settings for the engine, and what is drawn of results.
Imports every room but ``cli``; inside, the pages import ``charts``, ``running``, ``controls``, each what stands later.
"""
