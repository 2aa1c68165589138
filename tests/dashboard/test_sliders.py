"""Controls of the methods' numbers: named values are met, and nothing out of range is on offer."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from oversmooth import mitigations
from oversmooth.mitigations.parameters import Parameter

NUMBERS: dict[str, Parameter] = {
    f"{method.declaration.name}.{name}": parameter
    for method in mitigations.all_mitigations()
    for name, parameter in method.parameters().items()
    if parameter.kind in ("number", "integer")
}


def every_control() -> None:
    from oversmooth import mitigations
    from oversmooth.dashboard.controls.methods import number_control
    from oversmooth.dashboard.controls.state import hold
    from oversmooth.dashboard.controls.variants import control_value

    for method in mitigations.all_mitigations():
        for name, parameter in method.parameters().items():
            if parameter.kind in ("number", "integer"):
                key, value = f"{method.declaration.name}.{name}", control_value(parameter, parameter.default)
                hold(key, value)
                number_control(parameter, value, {"label": key, "key": key})


@pytest.fixture(scope="module")
def controls() -> dict[str, Any]:
    page = AppTest.from_function(every_control).run()
    assert not page.exception
    return {control.key: control for control in (*page.slider, *page.number_input, *page.select_slider)}


def test_every_number_has_one_control_that_shows_its_default(controls: dict[str, Any]) -> None:
    assert {key: control.value for key, control in controls.items()} == {
        key: parameter.default for key, parameter in NUMBERS.items()
    }


@pytest.mark.parametrize("key", NUMBERS)
def test_every_named_value_can_be_reached(key: str, controls: dict[str, Any]) -> None:
    control, parameter = controls[key], NUMBERS[key]
    for value in (parameter.default, parameter.paper, parameter.neutral):
        if value is None:
            continue
        if control.type == "select_slider":
            assert f"{value:g}" in control.options
        else:
            assert control.min is None or control.min <= value
            assert control.max is None or value <= control.max
            if control.type == "slider":
                steps = (value - control.min) / control.step
                assert steps == pytest.approx(round(steps), abs=1e-6)


@pytest.mark.parametrize("key", NUMBERS)
def test_no_slider_offers_what_is_refused(key: str, controls: dict[str, Any]) -> None:
    # What is typed into a box may be, with a sentence.
    control, parameter = controls[key], NUMBERS[key]
    ends = (control.min, control.max) if control.type == "slider" else ()
    for value in control.options if control.type == "select_slider" else ends:
        parameter.read(f"{float(value):g}")
