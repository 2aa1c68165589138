"""A figure on paper with a title and ranges of one's own."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from charts import chart
from poppler import information, words
from synthetic_explanation import explained

from oversmooth.core.errors import OutputError
from oversmooth.report.export.images import image
from oversmooth.report.figures.bound import smoothing_bound
from oversmooth.report.figures.canvas import Canvas
from oversmooth.report.figures.theme import LIGHT
from oversmooth.report.paper import PRESETS

SINGLE = PRESETS["single"]


def _words(name: str, **given: object) -> list[str]:
    return [word for word, _ in words(image(chart(name), "pdf", SINGLE, **given))]  # type: ignore[arg-type]


def test_the_axis_has_the_range_that_is_given_with_round_ticks() -> None:
    assert {"0.0", "0.5", "1.0", "1.5", "2.0"} <= set(_words("curve", y_range=(0, 2)))
    assert not {"0.5", "2.0"} & set(_words("curve"))


def test_a_logarithmic_axis_has_it_in_the_numbers_beside_it() -> None:
    figure = smoothing_bound(explained(blocks=4, heads=2), theme=LIGHT)
    plain, ranged = (image(figure, "pdf", SINGLE, y_range=each) for each in (None, (0.01, 1e7)))
    assert "0.1" not in {word for word, _ in words(plain)}
    assert "0.1" in {word for word, _ in words(ranged)}
    with pytest.raises(OutputError, match="the axis is logarithmic: both above 0"):
        image(figure, "pdf", SINGLE, y_range=(0, 1))


def test_the_range_over_depth_counts_blocks_and_what_lies_beyond_it_is_left_out() -> None:
    shown = _words("curve", x_range=(0.5, 3.5))
    assert {"1", "2", "3"} <= set(shown)
    # The point that was selected was block 5.
    assert not {"0", "4", "5", "embedding", "0.160"} & set(shown)


def test_a_line_ends_where_its_value_is() -> None:
    marks = []
    for y_range in ((0.0, 1.0), (0.0, 2.0)):
        canvas = Canvas(LIGHT, axes={"xaxis": {"range": [0, 2]}, "yaxis": {"range": [0, 9]}})
        canvas.note(text="here", x=1, y=0.5, yref="y")
        content = image(canvas.figure(300), "pdf", SINGLE, y_range=y_range)
        marks.append(
            next(top / information(content).height for word, (_, top, _, _) in words(content) if word == "here")
        )
    # At half the height, and at three quarters from above.
    assert marks[1] - marks[0] == pytest.approx(0.25, abs=0.06)


def test_names_at_the_ends_of_lines_go_into_a_legend() -> None:
    plain, ranged = (image(chart("compared_curve"), "pdf", SINGLE, y_range=each) for each in (None, (0.0, 1.0)))
    places = [{word: box for word, box in words(content)} for content in (plain, ranged)]
    bottom = information(ranged).height
    assert "baseline" in places[0]
    assert places[0]["baseline"][1] < 0.5 * information(plain).height
    assert places[1]["baseline"][1] > 0.8 * bottom


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        (
            "map",
            {"y_range": (0, 1)},
            "This chart has no one axis y whose range can be another",
        ),
        ("compared_spectra", {"x_range": (1, 9)}, "This chart has no one axis x whose range can be another"),
        ("curve", {"y_range": (1, 0)}, "1 to 0 is no range: give two numbers, the lower first."),
        ("curve", {"y_range": (0, float("nan"))}, "0 to nan is no range"),
    ],
)
def test_what_is_no_range_is_refused_in_a_sentence(name: str, given: dict[str, object], sentence: str) -> None:
    with pytest.raises(OutputError, match=re.escape(sentence)):
        _words(name, **given)


def test_a_page_for_the_screen_has_its_own() -> None:
    with pytest.raises(OutputError, match="Ranges are given for paper"):
        image(chart("curve"), "html", SINGLE, y_range=(0, 1))


def test_a_figure_that_was_changed_is_refused_with_the_way_to_do_the_same_on_paper() -> None:
    changed = Canvas(LIGHT).figure(300).update_layout(title={"text": "Mine"})
    with pytest.raises(OutputError, match="Your own title and ranges are given where it is written, as title, x_range"):
        image(changed, "pdf", SINGLE)
    titled = replace(SINGLE, titled=True)
    assert "Mine" in information(image(chart("curve"), "pdf", titled, title="Mine", y_range=(0, 1))).text
