"""The tokens of a text as a line of chips."""

from __future__ import annotations

from html import escape

import streamlit as st

from oversmooth.core.tokens import Token, Tokens, visible
from oversmooth.core.wording import count

SHOWN = 512
STYLE = """<style>
.tokens {display: flex; flex-wrap: wrap; gap: 3px; line-height: 1.5}
.tokens bdi {border: 1px solid rgba(128, 128, 128, .45); border-radius: 4px; padding: 0 5px; white-space: pre}
.tokens bdi.out {opacity: .55; border-style: dashed}
.tokens bdi.unknown {border-color: #D55E00}
.tokens bdi.second {border-bottom: 3px double rgba(128, 128, 128, .9)}
</style>"""


def token_strip(tokens: Tokens) -> None:
    """Draw the tokens in order; those that do not count are dashed, those unknown to the vocabulary outlined."""
    chips = "".join(_chip(token, position) for position, token in enumerate(tokens.items[:SHOWN]))
    st.html(f'{STYLE}<div class="tokens" role="list" aria-label="Tokens in order">{chips}</div>')
    legend = ["dashed: not counted"] if any(not token.measured for token in tokens.items) else []
    if any(token.kind == "unknown" for token in tokens.items):
        legend.append("orange outline: unknown to the vocabulary")
    if tokens.pair:
        legend.append("underlined: of the second text of the pair")
    if len(tokens.items) > SHOWN:
        legend.append(f"{count(len(tokens.items) - SHOWN, 'more token')} in the table")
    if legend:
        st.caption("; ".join(legend))


def _chip(token: Token, position: int) -> str:
    # bdi keeps a right-to-left token from turning its neighbours round.
    marks = {"out": not token.measured, "unknown": token.kind == "unknown", "second": token.segment == 1}
    classes = " ".join(name for name, on in marks.items() if on)
    title = f"position {position}, id {token.id}, {token.kind}{', second text' if token.segment == 1 else ''}"
    return f'<bdi role="listitem" class="{classes}" title="{title}">{escape(visible(token.text))}</bdi>'
