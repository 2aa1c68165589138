"""Sentences that may hold a user's text, made safe for Streamlit's Markdown."""

from __future__ import annotations

import re

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def plain(sentence: str) -> str:
    """The sentence with every Markdown sign escaped: shown as it is, never as a link, image, formula or colour."""
    return _PUNCTUATION.sub(r"\\\1", sentence)
