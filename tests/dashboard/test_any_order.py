"""Whatever a visitor does with the controls, and in whatever order, the page shows what its address says.

Nothing here knows which controls there are: those that stand on the page are used, each as often as the others.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from itertools import product
from typing import Any, ClassVar

import pytest
from families import FAMILIES
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from quick_engine import QuickEngine, QuickHandle
from remembering import Remembering, remembering
from shown import read
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Widget
from tiny import loaded, tiny
from transformers import BertConfig, BertModel

from oversmooth.core.wording import MISSING
from oversmooth.dashboard.faults import TOLD
from oversmooth.dashboard.reference.page import ENTRY
from oversmooth.dashboard.running import requests
from oversmooth.models.loaded import LoadedModel
from oversmooth.results.settings import Settings
from oversmooth.service import launch

TEXTS = (
    "the cat sat on the mat",
    "the dog saw a bird\nsnow and rain\nstone house door",
    "the moon and the river\nkey and bread",
    "a tree\n\nthe sky",
    "sun",
    "",
)
STARTS = [
    *product(("measure", "compare", "explain"), ({"text": TEXTS[1].splitlines()}, {"text": TEXTS[0]})),
    *product(("reference",), ({}, {ENTRY: "softdecay"}, {ENTRY: "effective_rank"})),
]
"""Pages and what their address holds when they are opened."""
STEPS = 12
LEFT_OUT = "The link leaves out"
TAKEN = "The controls are set as"


@cache
def deep() -> LoadedModel:
    family = FAMILIES["bert"]
    return loaded(BertModel(BertConfig(**family.arguments | {"num_hidden_layers": 5})).eval())


class Models(QuickEngine):
    """Models of two depths, and each request measured once."""

    def submit(self, settings: Settings, owner: str | None = None) -> QuickHandle:
        return _measured(settings, owner)


@cache
def _measured(settings: Settings, owner: str | None) -> QuickHandle:
    return QuickEngine(deep if len(settings.model) % 2 else lambda: tiny("bert")).submit(settings, owner)


def opened(page: str, query: dict[str, Any]) -> Remembering:
    app = AppTest.from_file(str(launch.script()), default_timeout=120)
    app.query_params.update(query)
    return remembering(app.switch_page(f"pages/{page}.py").run())


def controls(page: AppTest) -> dict[str, Any]:
    """What can be used on the page and how to say so, by key: files and downloads apart."""
    found: dict[str, Any] = {}
    for node in page._tree:
        proto: Any = getattr(node, "proto", None)
        if isinstance(node, Widget) and not proto.disabled and proto.DESCRIPTOR.name in STATES:
            found[proto.id] = proto
        elif (menu := getattr(proto, "expandable", None)) is not None and menu.id:
            found[menu.id] = menu
    return found


def _option(proto: Any, chance: int) -> str:
    options = [getattr(each, "content", each) for each in proto.options]
    return str(options[chance % len(options)])


def _several(proto: Any, chance: int) -> list[str]:
    return [each for number, each in enumerate(proto.options) if chance >> number & 1]


def _number(proto: Any, chance: int) -> float:
    low = proto.min if proto.has_min else -2.0
    high = proto.max if proto.has_max else low + 20 * proto.step
    return float(min(high, low + proto.step * (chance % 20)))


STATES: dict[str, Any] = {
    "Button": lambda state, proto, chance: setattr(state, "trigger_value", True),
    "ButtonGroup": lambda state, proto, chance: state.string_array_value.data.append(_option(proto, chance)),
    "Checkbox": lambda state, proto, chance: setattr(state, "bool_value", bool(chance % 2)),
    "Expandable": lambda state, proto, chance: setattr(state, "bool_value", True),
    "MultiSelect": lambda state, proto, chance: state.string_array_value.data.extend(_several(proto, chance)),
    "NumberInput": lambda state, proto, chance: setattr(state, "double_value", _number(proto, chance)),
    "Selectbox": lambda state, proto, chance: setattr(state, "string_value", _option(proto, chance)),
    "Slider": lambda state, proto, chance: _slide(state, proto, chance),
    "TextArea": lambda state, proto, chance: setattr(state, "string_value", TEXTS[chance % len(TEXTS)]),
    "TextInput": lambda state, proto, chance: setattr(state, "string_value", f"name {chance % 5}"),
}
"""What a browser sends of each kind of control when it is used."""


def _slide(state: WidgetState, proto: Any, chance: int) -> None:
    if proto.options:
        state.string_array_value.data.extend(_option(proto, chance + number) for number, _ in enumerate(proto.default))
    else:
        steps = round((proto.max - proto.min) / proto.step) + 1
        ends = sorted(
            proto.min + proto.step * ((chance * (number + 1)) % steps) for number, _ in enumerate(proto.default)
        )
        state.double_array_value.data.extend(ends)


def headline(page: AppTest) -> list[str]:
    return [read(each.value) for each in page.header]


def drawn(page: AppTest) -> dict[str, Any]:
    """The numbers of every chart, by its key."""
    specs = {each.proto.id.split("chart_")[1]: json.loads(each.proto.spec) for each in page.get("plotly_chart")}
    return {
        key: [[trace.get(part) for part in ("name", "x", "y", "z")] for trace in spec["data"]]
        for key, spec in specs.items()
    }


def looks(page: AppTest) -> dict[int, str]:
    """The swatch of each variant, by its number in the session, made sure that the charts' is the same."""
    pills = {each.proto.id.rpartition("-")[2]: [option.content for option in each.proto.options] for each in page.pills}
    numbers = [side.number for side in page.session_state["variants"]] if "chosen_variant" in pills else []
    chosen = pills.get("chosen_variant", [])[1:]
    assert set(pills.get("mapped", [])) <= set(chosen)
    return {number: option.partition(")")[0] for number, option in zip(numbers, chosen, strict=True)}


def layer(page: Remembering) -> tuple[str, bool] | None:
    """The layer that is shown by its name, and whether it is the last block's; None where none is asked for."""
    for key, proto in controls(page).items():
        if proto.label == "Layer":
            (shown,) = page.memory[key].string_array_value.data
            return shown, shown == [each for each in proto.options if each.isdecimal()][-1]
    return None


class AnyOrder(RuleBasedStateMachine):
    """A visitor of one page."""

    name = "measure"
    start: ClassVar[dict[str, Any]] = {}

    @initialize()
    def open(self) -> None:
        self.page = opened(self.name, self.start)
        self.used: Counter[str] = Counter()
        self.looks = looks(self.page)
        self.layer = layer(self.page)
        self.asked_for_layer = False
        # What seldom happens by chance happens once at first.
        if "Model" in self.labels():
            self.take_a_model_of_another_depth()
            self.the_layer_stays_or_stays_the_last()
        if "Remove" in self.labels():
            self.map_a_variant_and_remove_it(which=2)
            self.the_variant_that_the_address_maps_is_the_one_that_is_chosen()
            self.the_page_is_that_of_its_address()
        if self.name != "reference":
            self.open_settings_and_then_a_file_that_has_none()

    @rule(which=st.integers(0, 10**6), chance=st.integers(0, 10**6))
    def use(self, which: int, chance: int) -> None:
        found = controls(self.page)
        # Each as often as the others; what several charts have alike counts as one.
        least = min(self.used[proto.label] for proto in found.values())
        keys = [each for each, proto in found.items() if self.used[proto.label] == least]
        key = keys[which % len(keys)]
        self.used[found[key].label] += 1
        self.asked_for_layer = found[key].label == "Layer"
        for now in (chance, chance + 1):  # twice: what the first time left behind is met by the second
            if key in (found := controls(self.page)):
                state = WidgetState(id=key)
                STATES[found[key].DESCRIPTOR.name](state, found[key], now)
                self.page.send(state)
                self.nothing_went_wrong()

    @precondition(lambda self: "Model" in self.labels())
    @rule()
    def take_a_model_of_another_depth(self) -> None:
        self.asked_for_layer = False
        key, proto = self.labels()["Model"]
        now = self.page.memory[key].string_value
        other = next(each for each in proto.options if (len(each) + len(now)) % 2)
        self.page.send(WidgetState(id=key, string_value=other))

    @precondition(lambda self: {"Beside the baseline", "Remove"} <= self.labels().keys())
    @rule(which=st.integers(1, 5))
    def map_a_variant_and_remove_it(self, which: int) -> None:
        self.asked_for_layer = False
        for label in ("Beside the baseline", "Variants", "Remove"):
            if (found := self.labels().get(label)) is None:
                return
            key, proto = found
            first = 1 if label == "Variants" else 0  # the baseline's
            state = WidgetState(id=key)
            if label == "Remove":
                state.trigger_value = True
            else:
                options = proto.options[first:]
                state.string_array_value.data.append(options[which % len(options)].content)
            self.page.send(state)
            self.nothing_went_wrong()

    @precondition(lambda self: self.name != "reference")
    @rule()
    def open_settings_and_then_a_file_that_has_none(self) -> None:
        self.asked_for_layer = True
        settings = self.page.session_state["linked settings"].to_json().encode()
        for name, content in (("good.json", settings), ("bad.json", b"{")):
            sent = (name, content, "application/json")
            self.page.file_uploader(key="settings_file").set_value(sent).run()
            self.nothing_went_wrong()
            told = [read(each.value).startswith(TAKEN) for each in self.page.info]
            assert any(told) == (name == "good.json")
        self.looks = looks(self.page)

    def labels(self) -> dict[str, tuple[str, Any]]:
        return {proto.label: (key, proto) for key, proto in controls(self.page).items()}

    @invariant()
    def nothing_went_wrong(self) -> None:
        assert not self.page.exception
        assert TOLD not in [read(each.value) for each in self.page.error]

    @invariant()
    def what_is_missing_in_a_table_is_no_none(self) -> None:
        for each in self.page.dataframe:
            assert each.proto.placeholder == MISSING or not each.value.isna().to_numpy().any()

    @invariant()
    def the_layer_stays_or_stays_the_last(self) -> None:
        now = layer(self.page)
        if not self.asked_for_layer and now is not None and self.layer is not None:
            assert now[1] if self.layer[1] else now[1] or now[0] == self.layer[0]
        self.layer = now

    @invariant()
    def the_variant_that_the_address_maps_is_the_one_that_is_chosen(self) -> None:
        if (named := self.page.query_params.get("mapped")) and (found := self.labels().get("Beside the baseline")):
            (shown,) = self.page.memory[found[0]].string_array_value.data
            name = read(shown.rpartition(") ")[2])
            assert named in (name, [name])

    @invariant()
    def the_page_is_that_of_its_address(self) -> None:
        if self.name == "reference" or any(LEFT_OUT in read(each.value) for each in self.page.caption):
            return
        again = opened(self.name, dict(self.page.query_params))
        assert again.query_params == self.page.query_params
        assert headline(again) == headline(self.page)
        assert drawn(again) == drawn(self.page)

    @invariant()
    def what_nobody_chose_stays_as_it_is_at_first(self) -> None:
        if not self.used["Layer"]:
            assert "layer" not in self.page.query_params

    @invariant()
    def a_colour_stays_with_its_variant(self) -> None:
        now = looks(self.page)
        assert {each: now[each] for each in now.keys() & self.looks.keys()} == {
            each: self.looks[each] for each in now.keys() & self.looks.keys()
        }
        self.looks = now


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "start"), STARTS)
def test_the_page_shows_what_its_address_says_whatever_was_done_in_whatever_order(
    name: str, start: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Models(lambda: tiny("bert"))
    monkeypatch.setattr(requests, "shared_engine", lambda: engine)
    visitor = type("AnyOrder", (AnyOrder,), {"name": name, "start": start})
    run_state_machine_as_test(
        visitor,
        settings=settings(
            max_examples=2,
            stateful_step_count=STEPS,
            derandomize=True,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
