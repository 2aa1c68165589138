"""Sentences that may hold a user's text, made safe for Streamlit's Markdown."""

from __future__ import annotations

import re

from oversmooth.core.papers import Paper
from oversmooth.core.tokens import visible

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# What Streamlit's Markdown makes something else of although every sign is escaped: a link of an address that is written
# out, an arrow or a dash of two signs, its own logo of its name.
_OTHERWISE_DRAWN = re.compile(
    r"(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)|(?<=[<>~-])(?=[=>-])|(?<=:)(?=streamlit:)", re.IGNORECASE
)
_WORD_JOINER = "\u2060"


def plain(sentence: str) -> str:
    """The sentence with every Markdown sign escaped: shown as it is, never as a link, image, formula or colour.

    Characters that could not be seen are made visible, and it stays one line.
    """
    seen = visible(sentence) if sentence else ""
    return _PUNCTUATION.sub(r"\\\1", _OTHERWISE_DRAWN.sub(_WORD_JOINER, seen))


def cited(paper: Paper) -> str:
    """The paper as a link, with its title."""
    return f"[{plain(paper.cite())}]({paper.url}): {plain(paper.title)}"
