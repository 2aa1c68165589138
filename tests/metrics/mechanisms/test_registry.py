"""What every quantity of an explanation declares."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from oversmooth.metrics import names as metric_names
from oversmooth.metrics.mechanisms import define, get, names
from oversmooth.metrics.registry import Definition

every_quantity = pytest.mark.parametrize("name", names())


@every_quantity
def test_a_quantity_says_what_it_tells_and_what_not(name: str) -> None:
    definition = get(name)
    assert definition.name == name
    for sentence in (definition.reads, definition.caveat):
        assert re.fullmatch(r"[A-Z].*[^.]\.", sentence)
    assert definition.lower < definition.upper
    assert definition.paper
    assert re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]+/\S+", definition.paper.url)


@every_quantity
def test_formulas_are_whole_latex(name: str) -> None:
    formula = get(name).formula
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", formula):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    commands = re.findall(r"\\([a-zA-Z]+)", formula)
    for left, right in (("left", "right"), ("bigl", "bigr"), ("lVert", "rVert")):
        assert commands.count(left) == commands.count(right)
    assert "$" not in formula


def test_titles_and_names_tell_quantities_apart() -> None:
    titles = [get(name).title for name in names()]
    assert len(titles) == len(set(titles))
    assert not set(names()) & set(metric_names())
    with pytest.raises(KeyError):
        get("unheard_of")


def test_a_second_quantity_of_the_same_name_is_refused() -> None:
    before: Definition = get("attention_entropy")
    with pytest.raises(RuntimeError, match="named attention_entropy"):
        define(before)
    assert get("attention_entropy") is before


def test_declarations_load_no_torch() -> None:
    code = "import sys, oversmooth.metrics.mechanisms; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
