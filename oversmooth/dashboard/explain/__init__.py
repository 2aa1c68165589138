"""The page Explain: where and why tokens grow alike, and whether they do at all.

In comes a measurement with an explanation; out goes a page.
Imports ``charts``, ``running``, ``controls`` and what lies below; no other page.
"""
