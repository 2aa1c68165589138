"""The page Compare: a baseline beside mitigations, other models or other texts.

In comes a comparison; out goes a page.
Imports ``charts``, ``running``, ``controls`` and what lies below; no other page.
"""
