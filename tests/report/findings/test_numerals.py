from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversmooth.report.findings import arrow, number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.36213, "0.362"),
        (-0.05, "−0.0500"),
        (26.314, "26.3"),
        (19.0, "19"),
        (0.0, "0"),
        (-0.0, "0"),
        (1234.4, "1,234"),
        (1234567.0, "1,234,567"),
        (9.996, "10.0"),
        (0.99998, "0.99998"),
        (1.23e-7, "1.23×10⁻⁷"),
        (-2e-12, "−2×10⁻¹²"),
        (4.56e9, "4.56×10⁹"),
        (1.797e308, "1.8×10³⁰⁸"),
        (math.nan, "missing"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_read_as_a_person_writes_them(value: float, text: str) -> None:
    assert number(value) == text


@given(st.floats())
def test_no_float_is_shown_as_code(value: float) -> None:
    text = number(value)
    assert "nan" not in text.lower()
    assert "e" not in text or text == "missing"
    assert "-" not in text


@given(st.floats(min_value=1e-12, max_value=1e12))
def test_a_number_keeps_three_digits(value: float) -> None:
    digits = number(value).replace(",", "")
    mantissa, _, power = digits.partition("×10")
    exponent = int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)
    assert float(mantissa) * 10.0**exponent == pytest.approx(value, rel=5.1e-3)


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (0.0634, 0.3621, "0.06 → 0.36"),
        (0.9950, 0.9993, "0.995 → 0.999"),
        (26.31, 19.42, "26.3 → 19.4"),
        (0.004, -0.3, "0.00 → −0.30"),
        (-0.001, 0.5, "0.00 → 0.50"),
        (1234.0, 234.0, "1,234 → 234"),
        (3e-9, 1e-9, "3×10⁻⁹ → 1×10⁻⁹"),
        (23.0, 23.0, "23 → 23"),
        (math.nan, 0.5, "missing → 0.500"),
    ],
)
def test_an_arrow_shows_its_difference(first: float, last: float, text: str) -> None:
    assert arrow(first, last) == text
