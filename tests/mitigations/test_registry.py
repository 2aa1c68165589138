"""What every mitigation says about itself is complete and consistent."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversmooth.core.errors import MitigationError
from oversmooth.mitigations import Mitigation, all_mitigations, get, names, parse, registry
from oversmooth.mitigations.parameters import Parameter, number
from oversmooth.mitigations.registry import AttentionMitigation, mitigation

OF_ALL = ("test_every_method.py", "test_registry.py", "test_specification.py", "test_parameters.py")
REFERENCE = Path(__file__).parents[1] / "reference" / "attention_methods.py"
SENTENCE = r"[A-ZΑ-Ω0-9|“].*[^.]\."
ALL = {each.declaration.name: each for each in all_mitigations()}
EVERY = pytest.mark.parametrize("method", ALL.values(), ids=ALL)


def test_declarations_are_read_without_torch() -> None:
    code = "import sys, oversmooth.mitigations; print('torch' in sys.modules, 'transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["False", "False"]


@EVERY
def test_a_method_has_a_test_of_what_it_does(method: type[Mitigation]) -> None:
    meant = re.compile(rf"\b({method.declaration.name}|{method.__name__})\b")
    own = [path for path in Path(__file__).parent.glob("test_*.py") if path.name not in OF_ALL]
    found = [path.name for path in (*own, REFERENCE) if meant.search(path.read_text(encoding="utf-8"))]
    assert found, f"{method.declaration.name} needs a second computation of its formula in tests/mitigations"


@EVERY
class TestEveryDeclaration:
    def test_is_complete(self, method: type[Mitigation]) -> None:
        said = method.declaration
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", said.name)
        assert said.title.strip()
        assert said.formula.strip()
        assert said.position.strip()
        assert said.paper_position.strip()
        for sentence in (said.does, said.caveat):
            assert re.fullmatch(SENTENCE, sentence), sentence

    def test_formula_is_balanced_latex(self, method: type[Mitigation]) -> None:
        formula = method.declaration.formula
        assert formula.count("{") == formula.count("}")
        assert len(re.findall(r"\\left(?![a-z])", formula)) == len(re.findall(r"\\right(?![a-z])", formula))
        assert "$" not in formula

    def test_cites_its_paper(self, method: type[Mitigation]) -> None:
        paper = method.declaration.paper
        if paper is None:
            assert method.declaration.meant in ("ablation", "control")
            return
        assert paper.url.startswith("https://")
        assert paper.authors
        assert paper.title
        assert 1990 <= paper.year <= 2026

    def test_excludes_methods_that_exist(self, method: type[Mitigation]) -> None:
        assert set(method.declaration.excludes) <= set(names()) - {method.declaration.name}

    def test_every_value_declared_is_allowed(self, method: type[Mitigation]) -> None:
        for parameter in method.parameters().values():
            declared = [parameter.default, parameter.paper, parameter.neutral, *parameter.stops]
            for value in declared:
                if value is not None:
                    assert parameter.check(value) == value

    def test_every_parameter_is_explained_and_bounded(self, method: type[Mitigation]) -> None:
        for name, parameter in method.parameters().items():
            assert re.fullmatch(SENTENCE, parameter.meaning), (name, parameter.meaning)
            assert parameter.name == name
            if parameter.kind == "number":  # A slider needs both ends.
                assert all(map(math.isfinite, parameter.stops or parameter.ends)), name
            if parameter.stops:
                assert list(parameter.stops) in (sorted(parameter.stops), sorted(parameter.stops, reverse=True))
                assert parameter.default in parameter.stops

    def test_default_and_paper_can_be_made_and_read_back(self, method: type[Mitigation]) -> None:
        for made in (method(), method.as_in_paper()):
            assert parse(str(made)) == (made,)
        paper = {name: each.paper for name, each in method.parameters().items() if each.paper is not None}
        assert all(getattr(method.as_in_paper(), name) == value for name, value in paper.items())

    def test_shares_layers_and_where_it_acts_in_heads_heads(self, method: type[Mitigation]) -> None:
        shared = ["layers", "heads"] if issubclass(method, AttentionMitigation) else ["layers"]
        assert list(method.parameters())[-len(shared) :] == shared


def values(parameter: Parameter) -> st.SearchStrategy[object]:
    """Any allowed value of a parameter."""
    low, high = parameter.ends
    match parameter.kind:
        case "number":
            return st.floats(
                None if math.isinf(low) else low,
                None if math.isinf(high) else high,
                exclude_min=parameter.low_open,
                exclude_max=parameter.high_open,
                allow_nan=False,
                allow_infinity=False,
            )
        case "integer":
            return st.integers(int(max(low, -999)), int(min(high, 999)))
        case "switch":
            return st.booleans()
        case "choice":
            return st.sampled_from(parameter.choices)
        case "indices":
            return st.none() | st.lists(st.integers(0, 40), max_size=6).map(tuple)
        case "numbers":
            return st.lists(st.floats(max(low, -9), min(high, 9)), max_size=4).map(tuple)


@given(st.data())
def test_any_parameters_of_any_method_are_read_back_exactly(data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(all_mitigations()))
    drawn: dict[str, Any] = {name: data.draw(values(each), label=name) for name, each in method.parameters().items()}
    try:
        made = method(**drawn)
    except MitigationError:  # Two parameters may contradict each other.
        return
    (read,) = parse(str(made))
    assert read == made
    assert str(read) == str(made)
    assert hash(read) == hash(made)


def test_a_second_method_of_one_name_is_a_mistake_of_the_programmer() -> None:
    class Again(Mitigation):
        strength: float = number(0.0, "A number.")

    said = get("attnscale").declaration
    with pytest.raises(RuntimeError, match="two mitigations are named attnscale"):
        mitigation(
            name="attnscale",
            title=said.title,
            formula=said.formula,
            paper=None,
            meant="control",
            causal_safe=True,
            position="",
            paper_position="",
            does="",
            caveat="",
        )(Again)
    assert get("attnscale").declaration is said


@pytest.mark.parametrize("dataclassed", [False, True])
def test_a_method_is_a_frozen_dataclass_whether_or_not_its_author_says_so(
    dataclassed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    declaration = replace(get("attnscale").declaration, name="mine")
    monkeypatch.setattr(registry._REGISTRY, "_items", dict(registry._REGISTRY._items))

    class Mine(Mitigation):
        share: float = number(0.25, "Share.", low=0, high=1)

        def attach(self, sites: object) -> None: ...

    method = declaration(dataclass(frozen=True)(Mine) if dataclassed else Mine)
    assert str(method(share=0.5)) == "mine:share=0.5,layers=default"
    with pytest.raises(MitigationError, match="“share” must be in"):
        method(share=2)
    with pytest.raises(FrozenInstanceError):
        method().share = 0.5  # type: ignore[misc]
