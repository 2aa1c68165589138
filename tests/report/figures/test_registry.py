"""Every declared figure, whichever there are: a result of the tests has it, and it says what it shows."""

from __future__ import annotations

import pickle
import re
from functools import cache

import pytest
from synthetic import BASE, comparison_of, measurement
from synthetic_explanation import explained

from oversmooth.report.figures import registry
from oversmooth.report.figures.registry import Arguments, Asked, Figure, figures_asked
from oversmooth.report.figures.theme import LIGHT
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

Found = tuple[Measurement | Comparison, Figure, Arguments]


@cache
def _every() -> dict[str, Found]:
    """The first figure of each kind that a result of the tests has."""
    several = measurement({"token_cosine": [BASE, [value + 0.1 for value in BASE]]})
    found: dict[str, Found] = {}
    for result in (explained(blocks=4, heads=3), several, comparison_of(2)):
        metrics = result.baseline.metrics if isinstance(result, Comparison) else result.metrics
        for each, arguments in figures_asked(result, Asked("3", metrics)):
            found.setdefault(each.name, (result, each, arguments))
    return found


@pytest.fixture(params=registry.names())
def declared(request: pytest.FixtureRequest) -> Found:
    if request.param not in _every():
        pytest.fail(f"No result of these tests has the figure “{request.param}”: give one what it needs.")
    return _every()[request.param]


def test_it_is_drawn_from_its_declaration_in_another_process_too(declared: Found) -> None:
    result, each, arguments = declared
    drawable = each.drawable(result, arguments, theme=LIGHT)
    assert drawable.build().data
    assert pickle.loads(pickle.dumps(drawable)).build().to_json() == drawable.build().to_json()
    assert pickle.loads(pickle.dumps(drawable)).alternative() == drawable.alternative()


def test_it_says_what_it_shows(declared: Found) -> None:
    result, each, arguments = declared
    drawable = each.drawable(result, arguments, theme=LIGHT)
    assert re.fullmatch(r"[A-Z].*[^.]", drawable.title)
    alternative = drawable.alternative()
    assert len(alternative) > 20, f"{each.name} has no alternative text"
    assert alternative.strip().endswith(".")
    assert "{" not in alternative + drawable.title + drawable.drawn


def test_its_files_are_known_as_its_own(declared: Found) -> None:
    result, each, arguments = declared
    name = each.file_name(result, arguments)
    assert re.fullmatch(r"[a-z0-9_]+", name)
    assert each.owns(name)
    assert not each.owns(f"{name}.old")
    assert not each.owns(f"my_{name}")


def test_the_names_of_different_figures_are_different() -> None:
    for result in (explained(blocks=4, heads=3), comparison_of(2)):
        metrics = result.baseline.metrics if isinstance(result, Comparison) else result.metrics
        names = [each.file_name(result, arguments) for each, arguments in figures_asked(result, Asked("3", metrics))]
        assert len(names) == len(set(names))


def test_differences_stand_beside_the_curve_of_their_metric() -> None:
    comparison = comparison_of(2)
    asked = Asked("3", ("token_cosine", "effective_rank"))
    shown = [(each.name, arguments.get("metric")) for each, arguments in figures_asked(comparison, asked)]
    assert shown[:3] == [
        ("compared_curve", "token_cosine"),
        ("delta_curve", "token_cosine"),
        ("compared_curve", "effective_rank"),
    ]


def test_a_second_figure_of_one_name_is_refused() -> None:
    declare = registry.figure(of=Measurement, title=str, alternative=str, name="curve")
    with pytest.raises(RuntimeError, match="two figures are named curve"):
        declare(registry.get("curve").build)
