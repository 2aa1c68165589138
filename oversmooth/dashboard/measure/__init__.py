"""The page Measure: one model and its texts.

In comes a measurement; out goes a page.
Imports ``charts``, ``running``, ``controls`` and what lies below; no other page.
"""
