"""Every declared figure, whichever there are: a result of the tests has it, and it says what it shows."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

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


_PLUGIN = """
from oversmooth.report.figures.canvas import Canvas
from oversmooth.report.figures.registry import figure
from oversmooth.results.measurement import Measurement


@figure(
    of=Measurement,
    title=lambda measurement, point: f"Dots at {point}",
    alternative=lambda measurement, point: f"A dot at {point}.",
    needs=lambda measurement, asked: [{"point": asked.point}],
    file="my_dots_{point}",
)
def my_dots(measurement, point, *, theme):
    canvas = Canvas(theme)
    canvas.add(x=[0], y=[1])
    return canvas.figure(100)
"""
_ASKING = """
from synthetic import comparison_of, measurement
from oversmooth.core import plugins
from oversmooth.report.export.contents import belongs
from oversmooth.report.figures.gallery import figures_of

found = figures_of(measurement(), point="3")
print(list(found)[-1], found["my_dots_3"].title, found["my_dots_3"].alternative(), found["my_dots_3"].build().data[0].y)
print(belongs("figures/my_dots_3.pdf"), belongs("figures/your_dots_3.pdf"), "my_dots_5" in figures_of(comparison_of(1)))
print(*plugins.notes())
"""


def asked(folder: Path, figures: str, code: str) -> list[str]:
    """What a fresh process prints that has a plug-in with these entry points, whose modules are in the folder."""
    metadata = folder / "dots-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: dots\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[oversmooth.figures]\n{figures}")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, sys.path)])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_a_figure_of_a_plug_in_is_one_of_the_result_and_a_broken_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "my_figures.py").write_text(_PLUGIN)
    (tmp_path / "their_figures.py").write_text("raise OSError('no display')")
    assert asked(tmp_path, "mine = my_figures:my_dots\ntheirs = their_figures\n", _ASKING) == [
        "my_dots_3 Dots at 3 A dot at 3. (1,)",
        "True False False",
        "The figure “theirs” of the plug-in “dots” 1.0 is left out: OSError: no display.",
    ]


_FAILING = """
from oversmooth.report.figures.registry import figure
from oversmooth.results.measurement import Measurement

def broken(*_, **__): raise ZeroDivisionError("nothing to share")
words = {"title": lambda m: "Dots", "alternative": lambda m: "Dots."}

@figure(of=Measurement, **words, needs=broken)
def asks(measurement, *, theme): raise AssertionError

@figure(of=Measurement, **words | {"title": broken})
def says(measurement, *, theme): raise AssertionError

@figure(of=Measurement, **words | {"alternative": broken})
def draws(measurement, *, theme): broken()
"""
_DRAWING = """
from synthetic import measurement
from oversmooth.core import plugins
from oversmooth.report.export.images import image
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.paper.presets import PRESETS

found = figures_of(measurement(), point="3")
print({"asks", "says", "draws"} & found.keys())
print(found["draws"].alternative())
figure = found["draws"].build()
print(figure.layout.annotations[0].text.replace("<br>", " "))
assert image(figure, "svg", PRESETS["single"], record="{}", title="").startswith(b"<?xml")
print(*plugins.notes(), sep="\\n")
"""


def test_a_figure_of_a_plug_in_that_fails_later_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "failing_figures.py").write_text(_FAILING)
    why = "ZeroDivisionError: nothing to share"
    assert asked(tmp_path, "failing = failing_figures\n", _DRAWING) == [
        "{'draws'}",
        f"The figure “draws” of the plug-in “dots” 1.0 fails: {why}.",
        f"The figure “draws” of the plug-in “dots” 1.0 fails: {why}.",
        f"The figure “asks” of the plug-in “dots” 1.0 is left out: {why}.",
        f"The figure “says” of the plug-in “dots” 1.0 is left out: {why}.",
    ]
