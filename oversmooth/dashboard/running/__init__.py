"""Waiting for what the engine computes, and who may draw a page meanwhile.

In come settings; out come measurements, or the reason why there are none, in a sentence.
Imports ``controls`` and what lies below; no chart and no page.
"""
