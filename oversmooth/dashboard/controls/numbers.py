"""A slider or a box for one number of a method, with steps that fit its range."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from oversmooth.mitigations.parameters import Parameter

STEPS = 40
"""A slider has at least so many, where the named values allow."""
WIDE = 20
"""A range so many times as wide as its named values are large is typed, not slid over."""


def number_control(parameter: Parameter, value: float, about: dict[str, Any]) -> None:
    """Draw the control of a number; ``about`` holds its label, key, help and what to do when it changes."""
    as_type = int if parameter.kind == "integer" else float
    if parameter.stops:
        stops = sorted({as_type(each) for each in (*parameter.stops, *_named(parameter), value)})
        st.select_slider(options=stops, format_func=lambda stop: f"{stop:g}", **about)
        return
    low, high = parameter.ends
    size = _size(parameter)
    scale: dict[str, Any] = {"format": "%d" if as_type is int else "%g"}
    if math.isfinite(high - low) and high - low <= WIDE * size:
        step = _step(parameter, high - low)
        # An end that is not in the range itself is one step away; a link may have put the value nearer to it.
        low, high = min(low + step * parameter.low_open, value), max(high - step * parameter.high_open, value)
        st.slider(min_value=as_type(low), max_value=as_type(high), step=as_type(step), **scale, **about)
    else:
        least, most = (None if math.isinf(end) else as_type(end) for end in (low, high))
        step = as_type(_step(parameter, WIDE / 2 * size))
        st.number_input(min_value=least, max_value=most, step=step, **scale, **about)


def _named(parameter: Parameter) -> list[float]:
    """Default, the paper's and the neutral value, as far as there are."""
    return [each for each in (parameter.default, parameter.paper, parameter.neutral) if each is not None]


def _size(parameter: Parameter) -> float:
    return max(map(abs, _named(parameter))) or 1.0


def _step(parameter: Parameter, span: float) -> float:
    """The largest round step that meets every named value and leaves enough of them in the span."""
    if parameter.kind == "integer":
        return 1
    start = 0.0 if math.isinf(parameter.low) else parameter.low
    rounds = (factor * 10.0**power for power in range(3, -5, -1) for factor in (5, 2, 1))
    small = (step for step in rounds if step * STEPS <= span)
    return next(step for step in small if all(_meets(value - start, step) for value in _named(parameter)))


def _meets(distance: float, step: float) -> bool:
    return math.isclose(distance / step, round(distance / step), abs_tol=1e-6)
