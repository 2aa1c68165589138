"""Values are read, checked and written back; whatever is wrong is told in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversmooth.core.errors import MitigationError
from oversmooth.mitigations.parameters import Parameter

NUMBER = Parameter("number", "A number.", 0.0, low=-1, high=2, name="x")
OPEN = Parameter("number", "A number.", 0.0, low=-1, high=1, low_open=True, high_open=True, name="x")
FREE = Parameter("number", "A number.", 0.0, name="x")
WHOLE = Parameter("integer", "A number.", 1, low=1, high=9, name="x")
SWITCH = Parameter("switch", "A switch.", False, name="x")
CHOICE = Parameter("choice", "A word.", "mean", choices=("mean", "max"), name="x")
INDICES = Parameter("indices", "Layers.", None, low=0, name="x")
NUMBERS = Parameter("numbers", "Weights.", (), low=0, high=1, name="x")

NOT_A_NUMBER = "“x” must be a number, not "
NOT_INDICES = "“x” must be default, none or numbers from 0 on such as 0-2/5, not "


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (NUMBER, "0.5", 0.5),
        (NUMBER, " -1 ", -1.0),
        (NUMBER, "+2", 2.0),
        (NUMBER, "1e-3", 0.001),
        (FREE, "1e+3", 1000.0),
        (NUMBER, "−0.5", -0.5),  # The sign of mathematics, as the range itself is shown.
        (WHOLE, "9", 9),
        (SWITCH, "yes", True),
        (SWITCH, "No", False),
        (CHOICE, "max", "max"),
        (INDICES, "default", None),
        (INDICES, "none", ()),
        (INDICES, "0-2/5", (0, 1, 2, 5)),
        (INDICES, "5/0-2/1", (0, 1, 2, 5)),
        (INDICES, "3-3", (3,)),
        (NUMBERS, "0.25/1", (0.25, 1.0)),
        (NUMBERS, "", ()),
    ],
)
def test_text_is_read(parameter: Parameter, text: str, value: object) -> None:
    read = parameter.read(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("parameter", "text", "message"),
    [
        (NUMBER, "2.0001", "“x” must be in [−1, 2], not 2.0001"),
        (NUMBER, "-1.5", "“x” must be in [−1, 2], not -1.5"),
        (OPEN, "1", "“x” must be in (−1, 1), not 1"),
        (OPEN, "-1", "“x” must be in (−1, 1), not -1"),
        (NUMBER, "nan", "“x” must be in [−1, 2], not nan"),
        (FREE, "nan", "“x” must be in (−∞, ∞), not nan"),
        (FREE, "inf", "“x” must be in (−∞, ∞), not inf"),
        (FREE, "1e999", "“x” must be in (−∞, ∞), not inf"),
        (NUMBER, "", NOT_A_NUMBER + "“”"),
        (NUMBER, "half", NOT_A_NUMBER + "“half”"),
        (NUMBER, "0,5", NOT_A_NUMBER + "“0,5”"),
        (WHOLE, "1.5", "“x” must be a whole number, not “1.5”"),
        (WHOLE, "0", "“x” must be in [1, 9], not 0"),
        (WHOLE, "9" * 5000, "“x” must be a whole number, not “" + "9" * 40 + "…”"),
        (WHOLE, "9" * 400, "“x” must be a whole number, not “" + "9" * 40 + "…”"),
        (SWITCH, "maybe", "“x” must be yes or no, not “maybe”"),
        (CHOICE, "maxx", "“x” is one of mean, max, not “maxx” (did you mean “max”?)"),
        (INDICES, "", NOT_INDICES + "“”"),
        (INDICES, "-1", NOT_INDICES + "“-1”"),
        (INDICES, "1//2", NOT_INDICES + "“1//2”"),
        (INDICES, "1-", NOT_INDICES + "“1-”"),
        (INDICES, "5-2", NOT_INDICES + "“5-2”"),
        (INDICES, "0-10000", NOT_INDICES + "“0-10000”"),
        (NUMBERS, "0.5/x", "“x” must be numbers such as 0.2/0.8, not “0.5/x”"),
        (NUMBERS, "0.5//1", "“x” must be numbers such as 0.2/0.8, not “0.5//1”"),
        (NUMBERS, "0.5/nan", "“x” must be in such as 0.2/0.8, not nan"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(parameter: Parameter, text: str, message: str) -> None:
    with pytest.raises(MitigationError) as told:
        parameter.read(text)
    assert str(told.value) == message


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (NUMBER, True),
        (NUMBER, None),
        (NUMBER, "0.5"),
        (FREE, 10**400),
        (WHOLE, 1.0),
        (WHOLE, True),
        (SWITCH, 1),
        (CHOICE, 3),
        (CHOICE, ["mean"]),
        (INDICES, 3),
        (INDICES, (-1,)),
        (INDICES, (True,)),
        (INDICES, (0.5,)),
        (INDICES, (10**400,)),
        (NUMBERS, (2.0,)),
        (NUMBERS, ("1",)),
    ],
)
def test_values_of_another_kind_are_refused(parameter: Parameter, value: Any) -> None:
    with pytest.raises(MitigationError, match="“x” "):
        parameter.check(value)


def test_whole_numbers_are_numbers_and_indices_come_sorted_and_once() -> None:
    assert repr(NUMBER.check(1)) == "1.0"
    assert INDICES.check([2, 0, 2]) == (0, 2)
    assert INDICES.check(range(3)) == (0, 1, 2)


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        (NUMBER, "[−1, 2]"),
        (OPEN, "(−1, 1)"),
        (FREE, "(−∞, ∞)"),
        (WHOLE, "[1, 9]"),
        (SWITCH, "yes | no"),
        (CHOICE, "mean | max"),
        (INDICES, "such as 0-2/5"),
        (NUMBERS, "such as 0.2/0.8"),
    ],
)
def test_ranges_in_words(parameter: Parameter, text: str) -> None:
    assert parameter.range_text() == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_written_so_that_they_read_back_exactly(value: float) -> None:
    assert FREE.read(FREE.write(value)) == value


@given(st.lists(st.integers(0, 9999), max_size=30))
def test_indices_are_written_so_that_they_read_back(values: list[int]) -> None:
    checked = INDICES.check(values)
    assert INDICES.read(INDICES.write(checked)) == checked == tuple(sorted(set(values)))


@given(st.lists(st.floats(0, 1), max_size=9))
def test_lists_of_numbers_are_written_so_that_they_read_back(values: list[float]) -> None:
    assert NUMBERS.read(NUMBERS.write(NUMBERS.check(values))) == tuple(values)


@given(st.sampled_from([NUMBER, OPEN, FREE, WHOLE, SWITCH, CHOICE, INDICES, NUMBERS]), st.text(max_size=60))
def test_any_text_is_read_or_refused_in_a_sentence_of_bounded_length(parameter: Parameter, text: str) -> None:
    try:
        value, refusal = parameter.read(text), ""
    except MitigationError as error:
        value, refusal = parameter.default, str(error)
    assert refusal[:4] in ("", "“x” ")
    assert len(refusal) < 200
    assert parameter.read(parameter.write(value)) == value
