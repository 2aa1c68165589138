from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from awkward import SEEN
from synthetic import BASE, broken_variant, comparison_of, deep_variant, fused_variant, measurement, variant

from oversmooth.report.figures.compared_curves import compared_curve
from oversmooth.report.figures.identity import identity
from oversmooth.report.figures.theme import DARK, LIGHT
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Note

METRIC = "token_cosine"
NAN = math.nan


def _lines(figure: go.Figure) -> list[Any]:
    """The line of each side, in order."""
    return [trace for trace in figure.data if trace.mode == "lines+markers"]


def _drawn(figure: go.Figure, label: str) -> dict[str, tuple[float, float | None]]:
    """What is drawn with a hover text of that side: point → position and value."""
    found = {}
    for trace in figure.data:
        if trace.text is None or trace.yaxis == "y2":
            continue
        for x, y, words in zip(trace.x, trace.y, trace.text, strict=True):
            name, point, *_ = words.split("<br>")
            if name == label:
                found[point] = (x, y)
    return found


def _names(figure: go.Figure) -> list[str]:
    """Direct labels without their markers, or what stands in the legend."""
    if figure.layout.showlegend:
        return [trace.name for trace in figure.data if trace.showlegend is not False]
    direct = [note.text for note in figure.layout.annotations if note.text.startswith("<span")]
    return [text.split("</span> ")[1].replace("<br>", "") for text in direct]


def test_the_drawn_numbers_are_the_measured_ones_of_every_side() -> None:
    comparison = comparison_of(3)
    figure = compared_curve(comparison, METRIC, theme=LIGHT)
    for label, side in comparison.measurements.items():
        drawn = _drawn(figure, label)
        assert [y for _, y in drawn.values()] == list(side.curve(METRIC).values())
        assert [x for x, _ in drawn.values()] == [-1, 0, 1, 2, 3, 4, 5, 6.5]
    assert figure.layout.yaxis.title.text == "Token cosine similarity"


@pytest.mark.parametrize("variants", range(1, 7))
def test_sides_look_as_their_position_says(variants: int) -> None:
    figure = compared_curve(comparison_of(variants), METRIC, theme=DARK)
    lines = _lines(figure)
    assert len(lines) == variants + 1
    for position, line in enumerate(lines):
        looks = identity(DARK, position)
        assert (line.line.color, line.line.dash, line.line.width) == (looks.colour, looks.dash, looks.width)
        assert line.marker.symbol == looks.symbol
    assert len({line.line.dash for line in lines}) == variants + 1
    assert len(_names(figure)) == variants + 1
    assert len(figure.to_json()) < 60_000


def test_labels_stand_beside_the_ends_of_their_lines() -> None:
    comparison = comparison_of(3)
    figure = compared_curve(comparison, METRIC, theme=LIGHT)
    assert not figure.layout.showlegend
    labels = [note for note in figure.layout.annotations if note.x == 1]
    assert {note.hovertext for note in labels} == set(comparison.measurements)
    low, high = figure.layout.yaxis.range
    for note in labels:
        end = comparison.measurements[note.hovertext].curve(METRIC)["final_norm"]
        assert note.y == pytest.approx((end - low) / (high - low), abs=0.05)
    assert figure.layout.margin.r >= 60


def test_labels_that_would_overlap_move_apart_a_little() -> None:
    figure = compared_curve(comparison_of({"a": variant(-0.01), "b": variant(-0.02)}), METRIC, theme=LIGHT)
    heights = sorted(note.y for note in figure.layout.annotations if note.x == 1)
    assert len(heights) == 3
    assert all(upper - lower >= 0.99 * 13 / 270 for lower, upper in itertools.pairwise(heights))


def test_labels_without_room_are_a_legend() -> None:
    same = comparison_of({f"variant {n}": variant(-0.01 * n) for n in range(1, 7)})
    long = comparison_of({"softdecay:alpha=-0.6,blend=0.2,safe=yes": variant(-0.5)})
    for comparison in (same, long):
        figure = compared_curve(comparison, METRIC, theme=LIGHT)
        assert figure.layout.showlegend
        assert len(_names(figure)) == len(comparison.measurements)
        assert not [note for note in figure.layout.annotations if note.x == 1]
    assert (
        compared_curve(same, METRIC, theme=LIGHT).layout.height
        > compared_curve(long, METRIC, theme=LIGHT).layout.height
    )


def test_a_model_of_another_depth_has_its_own_axis_between_the_same_ends() -> None:
    figure = compared_curve(comparison_of({"deep": deep_variant()}), METRIC, theme=LIGHT)
    shallow, deep = _lines(figure)
    assert list(shallow.x) == [-1, 0, 1, 2, 3, 4, 5]
    assert list(deep.x) == [-1, *range(12)]
    assert (shallow.xaxis, deep.xaxis) == ("x", "x2")
    upper = figure.layout.xaxis2
    assert (upper.overlaying, upper.side) == ("x", "top")
    assert set(upper.ticktext) <= set(map(str, range(12)))
    assert "12 blocks" in [note.text for note in figure.layout.annotations]

    def share(axis: Any, x: float) -> float:
        return float((x - axis.range[0]) / (axis.range[1] - axis.range[0]))

    norms = {trace.xaxis: trace.x[0] for trace in figure.data if trace.mode == "markers"}
    for one, other in ((-1, -1), (5, 11), (norms["x"], norms["x2"])):
        assert share(figure.layout.xaxis, one) == pytest.approx(share(upper, other))


def test_the_fusion_stands_behind_the_final_norm() -> None:
    figure = compared_curve(comparison_of({"fused": fused_variant()}), METRIC, theme=LIGHT)
    drawn = _drawn(figure, "fused")
    assert drawn["the fusion of all blocks"] == (8.0, 0.2)
    assert drawn["the final norm"] == (6.5, 0.35)
    assert all(max(line.x) == 5 for line in _lines(figure))
    joining = [trace for trace in figure.data if trace.mode == "lines"]
    assert {(*trace.x, trace.line.dash) for trace in joining} == {(5, 6.5, "dot"), (5, 8.0, "dot")}
    assert "<br><br>fusion" in figure.layout.xaxis.ticktext


def test_the_fusion_of_a_model_without_a_final_norm() -> None:
    plain = measurement({METRIC: [0.1, 0.2, 0.3]}, blocks=2, final_norm=False)
    fused = measurement({METRIC: [0.1, 0.2, 0.3, 0.25]}, points=["embedding", "0", "1", "fusion"])
    figure = compared_curve(Comparison({"baseline": plain, "fused": fused}, {}), METRIC, theme=LIGHT)
    assert _drawn(figure, "fused")["the fusion of all blocks"] == (2.5, 0.25)


def test_a_missing_value_is_a_gap_with_its_reason_on_hover() -> None:
    figure = compared_curve(comparison_of({"broken": broken_variant()}), METRIC, theme=LIGHT)
    assert _drawn(figure, "broken")["block 3"] == (3, None)
    assert not any(trace.connectgaps for trace in figure.data)
    (marks,) = [trace for trace in figure.data if trace.yaxis == "y2"]
    assert list(marks.x) == [3, 4]
    assert marks.marker.symbol == "square-open"
    assert marks.text[0] == (
        "broken<br>block 3<br><b>missing</b><br>3 activations of 528 are infinite or &lt;not&gt; a number"
    )
    assert [note.x for note in figure.layout.annotations if note.text == "missing"] == [4]
    assert "NaN" not in figure.to_json()


def test_a_value_below_resolution_is_hollow() -> None:
    notes = [Note("unresolved", 0, "3", METRIC, "rounding")]
    figure = compared_curve(comparison_of({"faint": variant(-0.1, notes=notes)}), METRIC, theme=LIGHT)
    fills = dict(zip(_lines(figure)[1].x, _lines(figure)[1].marker.color, strict=True))
    assert (fills[3], fills[2]) == (LIGHT.paper, LIGHT.categories[0])


def test_a_side_without_the_metric_is_not_drawn() -> None:
    comparison = comparison_of({"a": variant(-0.3), "deep": deep_variant()})
    figure = compared_curve(comparison, "cka_to_baseline", theme=LIGHT)
    (line,) = _lines(figure)
    assert (line.name, line.line.color) == ("a", LIGHT.categories[0])
    assert list(line.y) == pytest.approx([1, 1, 0.91, 0.91, 0.91, 0.91, 0.91])


def test_a_metric_that_no_side_has_says_why() -> None:
    figure = compared_curve(comparison_of({"deep": deep_variant()}), "cka_to_baseline", theme=LIGHT)
    assert not figure.data
    text = figure.layout.annotations[0].text.replace("<br>", " ")
    assert text.startswith("Linear CKA to the baseline is measured on variants with mitigations")
    notes = [Note("missing", 0, point, METRIC, "needs at least two tokens") for point in ("embedding", "0")]
    empty = measurement({METRIC: [NAN, NAN]}, blocks=1, final_norm=False, notes=notes)
    figure = compared_curve(Comparison({"baseline": empty, "a": empty}, {}), METRIC, theme=LIGHT)
    assert figure.layout.annotations[0].text.replace("<br>", " ") == (
        "Token cosine similarity: needs at least two tokens."
    )


def test_a_side_without_any_value_is_named_with_the_reason() -> None:
    notes = [Note("missing", 0, "embedding", METRIC, "every token is the <zero> vector")]
    figure = compared_curve(comparison_of({"dead": measurement({METRIC: [NAN] * 8}, notes=notes)}), METRIC, theme=LIGHT)
    assert [line.name for line in _lines(figure)] == ["baseline"]
    assert "dead: every token is the &lt;zero&gt; vector." in [note.text for note in figure.layout.annotations]


def test_the_selected_point_is_marked_and_named() -> None:
    figure = compared_curve(comparison_of(2), METRIC, theme=LIGHT, selected="4")
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(4, 4)]
    assert "block 4" in [note.text for note in figure.layout.annotations]
    assert not compared_curve(comparison_of(2), METRIC, theme=LIGHT, selected="17").layout.shapes


def test_several_texts_are_drawn_as_their_mean() -> None:
    rows = [BASE, [value + 0.1 for value in BASE]]
    comparison = Comparison({"baseline": measurement({METRIC: rows}), "a": measurement({METRIC: rows})}, {})
    figure = compared_curve(comparison, METRIC, theme=LIGHT)
    assert list(_lines(figure)[0].y) == pytest.approx([value + 0.05 for value in BASE[:7]])
    assert figure.layout.yaxis.title.text == "Token cosine similarity<br>mean of 2 texts, 95 % band"


def test_every_side_has_a_band_in_its_colour_behind_all_lines() -> None:
    rows = np.array([BASE, [value + 0.1 for value in BASE]])
    sides = {
        "baseline": measurement({METRIC: rows.tolist()}),
        "a": measurement({METRIC: (rows / 2).tolist()}),
        "one": variant(-0.5),
    }
    figure = compared_curve(Comparison(sides, {}), METRIC, theme=LIGHT)
    areas = [trace for trace in figure.data if trace.fill == "toself"]
    assert [area.fillcolor for area in areas] == ["rgba(27, 31, 36, 0.12)", "rgba(0, 114, 178, 0.12)"]
    for area, scale in zip(areas, (1, 0.5), strict=True):
        assert list(area.y) == pytest.approx([scale * value for value in (*rows[0, :7], *rows[1, 6::-1])])
    bars = [trace for trace in figure.data if trace.mode == "lines" and trace.line.dash is None]
    assert [list(bar.y) for bar in bars] == [pytest.approx([0.35, 0.45]), pytest.approx([0.175, 0.225])]
    order = [trace.mode for trace in figure.data]
    assert order.index("lines+markers") > max(i for i, trace in enumerate(figure.data) if trace in (*areas, *bars))
    # Bands have no entry of their own in a legend.
    assert len(_names(figure)) == 3
    # One side has one text.
    assert figure.layout.yaxis.title.text == "Token cosine similarity<br>mean over texts, 95 % band"
    assert _lines(figure)[1].text[0].endswith("95 % band 0.03 to 0.08<br>mean of 2 texts")
    assert "band" not in _lines(figure)[2].text[0]


def test_the_band_of_a_deeper_model_lies_along_its_line() -> None:
    rows = [np.linspace(0.1, 0.5, 14).tolist(), np.linspace(0.2, 0.7, 14).tolist()]
    deep = measurement({METRIC: rows}, blocks=12, model="deep")
    figure = compared_curve(comparison_of({"deep": deep}), METRIC, theme=LIGHT)
    (area,) = [trace for trace in figure.data if trace.fill == "toself"]
    line = _lines(figure)[1]
    assert area.xaxis == line.xaxis == "x2"
    assert area.x == (*line.x, *line.x[::-1])


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_awkward_labels_are_escaped_wherever_they_stand(theme: Any) -> None:
    for label in SEEN:
        figure = compared_curve(comparison_of({label: variant(-0.3)}), METRIC, theme=theme)
        words = [*_names(figure), *(text for trace in figure.data for text in trace.text or ())]
        for text in words:
            plain = text.replace("<br>", "").replace("<b>", "").replace("</b>", "")
            assert "<" not in plain
            assert "$" not in plain
