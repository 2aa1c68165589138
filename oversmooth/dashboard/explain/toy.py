"""The linear recurrence, live: what eigenvalues alone do to tokens."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from oversmooth.core.errors import SettingsError
from oversmooth.dashboard import theme
from oversmooth.dashboard.charts.chart import chart
from oversmooth.dashboard.charts.tables import folded_tables
from oversmooth.dashboard.controls import address
from oversmooth.dashboard.controls.declared import TOY_DEPTH, TOY_RANGE, TOY_RESIDUAL, TOY_SEED
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running.one_at_a_time import fragment
from oversmooth.metrics import toy
from oversmooth.report.figures.toy import toy_figure
from oversmooth.results.view import MOST_SEED

STEP = 0.05
DEPTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


@fragment
def draw_toy() -> None:
    """Draw the controls, the verdict and the chart; redrawn alone, without a model."""
    st.subheader("A model of nothing but eigenvalues", anchor="toy")
    st.caption(
        "16 random tokens of 8 dimensions go through X ← X + A X H, again and again: one attention matrix A, one "
        "weight matrix H, no norm and no MLP. Three limits that are often called the same come apart."
    )
    left, right = st.columns([1, 2], gap="large")
    with left:
        settings = _controls()
    address.update()
    if settings is None:
        return
    found = toy.run(settings)
    verdict = toy.verdict(found)
    with left:
        st.markdown(f"**{plain(verdict)}**")
        st.caption(
            "H is symmetric and A fixed from layer to layer, which no trained model's are: the toy shows what each "
            "limit looks like, not which one a model reaches."
        )
    with right:
        chart(toy_figure(found, theme=theme.current()), verdict, "toy")
    folded_tables("The numbers as a table", "toy_table", partial(_table, found))


def _table(found: toy.Toy) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "step": found.steps,
            "HFC/LFC": found.ratio,
            "mean cosine": found.cosine,
            "mean |cosine|": found.absolute_cosine,
            "effective rank": found.effective_rank,
        }
    )


def _controls() -> toy.ToySettings | None:
    """What the recurrence runs with; None after saying why it cannot."""
    ends = st.slider(
        "Eigenvalues of H, from smallest to largest",
        -toy.WIDEST,
        toy.WIDEST,
        step=STEP,
        **TOY_RANGE.remembered(),
        help="Both ends are attained; the others are drawn between them.",
    )
    # Sliders go astray by the last bit: 2.4000000000000004.
    low, high = (round(end, 10) for end in ends)
    residual = st.toggle("Residual connection", **TOY_RESIDUAL.remembered())
    depth = st.select_slider("Depth, in steps", sorted({*DEPTHS, TOY_DEPTH.last}), **TOY_DEPTH.remembered())
    seed = st.number_input(
        "Seed", 0, MOST_SEED, **TOY_SEED.remembered(), help="Of A, the inner eigenvalues and the tokens."
    )
    try:
        return toy.ToySettings(low=low, high=high, residual=residual, depth=int(depth), seed=int(seed))
    except SettingsError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
