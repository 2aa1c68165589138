"""Sentences that may hold a user's text, made safe for Streamlit's Markdown."""

from __future__ import annotations

import re

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# What Streamlit's Markdown makes a link of although every sign is escaped: addresses, written out.
_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
_WORD_JOINER = "\u2060"


def plain(sentence: str) -> str:
    """The sentence with every Markdown sign escaped: shown as it is, never as a link, image, formula or colour."""
    return _PUNCTUATION.sub(r"\\\1", _ADDRESS.sub(_WORD_JOINER, sentence))
