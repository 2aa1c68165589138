"""Which of the two themes the reader's browser shows."""

from __future__ import annotations

from base64 import b64encode

import streamlit as st

from oversmooth.report.figures.identity import Identity, dash_lengths, identity
from oversmooth.report.figures.theme import DARK, LIGHT, Theme


def current() -> Theme:
    """The theme on screen; light where the browser has not told yet."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def style() -> None:
    """Draw what every page needs beside Streamlit's own looks."""
    # What opens under a button is measured while it is still empty: without room of its own it would be squeezed
    # between the button and the edge of the window. Where not all of it fits, the file's button stays in sight.
    st.html(
        f"""<style>
[data-testid=stPopoverBody] {{min-height: min(30rem, 44vh)}}
[data-testid=stPopoverBody] [class*=st-key-download_]
  {{position: sticky; bottom: -1rem; z-index: 1; width: 100%; padding: .5rem 0; background: {current().paper}}}
</style>"""
    )


WIDTH, HEIGHT = 40, 14
_SHAPES = {
    "circle": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "square": "M-3.5-3.5h7v7h-7z",
    "diamond": "M0-5L5 0L0 5L-5 0z",
    "triangle-up": "M0-5L4.6 3.5H-4.6z",
    "triangle-down": "M0 5L4.6-3.5H-4.6z",
    "cross": "M-1.7-5h3.4v3.3H5v3.4H1.7V5h-3.4V1.7H-5v-3.4h3.3z",
    "star": "M0-5.5L1.3-1.8L5.2-1.7L2.1.7L3.2 4.4L0 2.2L-3.2 4.4L-2.1.7L-5.2-1.7L-1.3-1.8z",
}
"""Plotly's markers around the origin."""


def swatch(position: int) -> str:
    """Markdown for the looks of the side at that position of a comparison, in the theme on screen."""
    looks = identity(current(), position)
    return (
        f"![{looks.symbol.replace('-', ' ')}](data:image/svg+xml;base64,{b64encode(_picture(looks).encode()).decode()})"
    )


def _picture(looks: Identity) -> str:
    middle = HEIGHT // 2
    dashes = dash_lengths(looks.dash, looks.width)
    # A dash, not a gap, lies under the marker.
    offset = dashes[0] / 2 - WIDTH / 2 if dashes else 0
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">'
        f'<path d="M0 {middle}H{WIDTH}" stroke="{looks.colour}" stroke-width="{looks.width:g}" '
        f'stroke-dasharray="{" ".join(f"{length:g}" for length in dashes) or "none"}" stroke-dashoffset="{offset:g}"/>'
        f'<path d="{_SHAPES[looks.symbol]}" fill="{looks.colour}" transform="translate({WIDTH // 2} {middle})"/></svg>'
    )
