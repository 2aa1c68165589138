from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from synthetic import fused_variant, measurement, points_of

from oversmooth.report.figures.curves import curve, small_curve
from oversmooth.report.figures.theme import DARK, LIGHT
from oversmooth.results.measurement import Note

NAN = math.nan
RISING = [0.06, 0.08, 0.10, 0.12, 0.14, 0.16, 0.36, 0.35]


def _points(figure: go.Figure, axis: str = "y") -> dict[float, tuple[float | None, Any, str]]:
    """What is drawn with a marker and a hover text: position → value, fill colour, words."""
    drawn = {}
    for trace in figure.data:
        if trace.hoverinfo == "skip" or "markers" not in trace.mode or (trace.yaxis or "y") != axis:
            continue
        for x, y, colour, words in zip(trace.x, trace.y, trace.marker.color, trace.text, strict=True):
            drawn[x] = (y, colour, words)
    return drawn


def test_the_drawn_numbers_are_the_measured_ones() -> None:
    drawn = _points(curve(measurement(), "token_cosine", theme=LIGHT))
    assert [drawn[x][0] for x in sorted(drawn)] == RISING
    assert sorted(drawn)[:7] == [-1, 0, 1, 2, 3, 4, 5]
    assert drawn[5][2] == "block 5<br><b>0.3600</b>"
    assert drawn[-1][2] == "the embedding<br><b>0.06000</b>"


def test_the_final_norm_is_set_apart() -> None:
    figure = curve(measurement(), "token_cosine", theme=LIGHT)
    solid = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert [max(trace.x) for trace in solid] == [5]
    norm = next(trace for trace in figure.data if trace.mode == "markers")
    assert (norm.x[0], norm.y[0], norm.marker.symbol[0]) == (6.5, 0.35, "diamond")
    (joining,) = [trace for trace in figure.data if trace.mode == "lines"]
    assert joining.line.dash == "dot"
    assert "<br>final norm" in figure.layout.xaxis.ticktext


def test_a_model_without_a_final_norm() -> None:
    figure = curve(measurement(final_norm=False), "token_cosine", theme=LIGHT)
    assert max(_points(figure)) == 5
    assert "<br>final norm" not in figure.layout.xaxis.ticktext


def test_the_fusion_is_set_apart_behind_the_final_norm() -> None:
    figure = curve(fused_variant(), "token_cosine", theme=LIGHT)
    assert {x: y for x, (y, _, _) in _points(figure).items() if x > 5} == {6.5: 0.35, 8.0: 0.2}
    assert [max(trace.x) for trace in figure.data if trace.mode == "lines+markers"] == [5]
    assert "<br><br>fusion" in figure.layout.xaxis.ticktext


def test_points_inside_blocks_are_not_drawn() -> None:
    points = ["embedding", "0.attention", "0", "1.attention", "1"]
    figure = curve(measurement({"token_cosine": [0.1, 0.9, 0.2, 0.9, 0.5]}, points=points), "token_cosine", theme=LIGHT)
    assert {x: y for x, (y, _, _) in _points(figure).items()} == {-1: 0.1, 0: 0.2, 1: 0.5}


def test_the_selected_point_is_marked_with_its_value() -> None:
    figure = curve(measurement(), "token_cosine", theme=DARK, selected="4")
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(4, 4)]
    assert [note.text for note in figure.layout.annotations] == ["block 4: <b>0.160</b>"]
    (ring,) = [trace for trace in figure.data if trace.marker.symbol == "circle-open"]
    assert (ring.x, ring.y) == ((4,), (0.16,))
    assert not curve(measurement(), "token_cosine", theme=DARK).layout.shapes


def test_a_missing_value_is_a_gap_with_its_reason() -> None:
    why = "3 activations of 528 are infinite or <not> a number"
    notes = [Note("missing", 0, "2", "token_cosine", why)]
    values = [0.1, 0.2, 0.3, NAN, 0.5]
    figure = curve(
        measurement({"token_cosine": values}, blocks=4, final_norm=False, notes=notes),
        "token_cosine",
        theme=LIGHT,
        selected="2",
    )
    assert _points(figure)[2][0] is None
    assert not any(trace.connectgaps for trace in figure.data)
    word, heading = figure.layout.annotations
    assert (word.text, word.x) == ("missing", 2)
    assert word.hovertext == "block 2: missing<br>3 activations of 528 are infinite or &lt;not&gt; a number"
    assert heading.text == "block 2: <b>missing</b>"
    assert "NaN" not in figure.to_json()


def test_neighbouring_gaps_of_one_reason_share_a_word() -> None:
    notes = [Note("missing", 0, str(block), "token_cosine", "infinite") for block in (1, 2, 3)]
    result = measurement({"token_cosine": [0.1, 0.2, NAN, NAN, NAN]}, blocks=4, final_norm=False, notes=notes)
    (word,) = curve(result, "token_cosine", theme=LIGHT).layout.annotations
    assert word.hovertext == "block 1 to block 3: missing<br>infinite"


def test_nothing_to_draw_says_why() -> None:
    notes = [Note("missing", 0, p, "token_cosine", "needs at least two tokens") for p in points_of(6)]
    figure = curve(measurement({"token_cosine": [NAN] * 8}, notes=notes), "token_cosine", theme=LIGHT)
    assert not figure.data
    assert figure.layout.annotations[0].text.replace("<br>", " ") == (
        "Token cosine similarity: needs at least two tokens."
    )


def test_an_unresolved_value_is_hollow_with_its_reason() -> None:
    why = "the tokens are equal to within the rounding of their float32 states"
    notes = [Note("unresolved", 0, "1", "high_frequency_share", why)]
    result = measurement({"high_frequency_share": [0.5, 0.1, 1e-16]}, blocks=2, final_norm=False, notes=notes)
    drawn = _points(curve(result, "high_frequency_share", theme=LIGHT))
    assert drawn[1] == (1e-16, LIGHT.paper, f"block 1<br><b>1×10⁻¹⁶</b><br>{why}")
    assert drawn[0][1] == LIGHT.accent


TWO = [[0.0, 0.2, 0.4], [0.2, 0.4, NAN]]


def test_several_texts_are_a_mean_with_a_band() -> None:
    figure = curve(measurement({"token_cosine": TWO}, blocks=2, final_norm=False), "token_cosine", theme=LIGHT)
    assert [y for y, _, _ in _points(figure).values()] == pytest.approx([0.1, 0.3, 0.4])
    (area,) = [trace for trace in figure.data if trace.fill == "toself"]
    # Of two texts the band reaches from one to the other; block 1 has a single text, and none.
    assert area.x == (-1, 0, 0, -1)
    assert area.y == pytest.approx([0.0, 0.2, 0.4, 0.2])
    assert area.fillcolor == "rgba(0, 114, 178, 0.2)"
    assert figure.data.index(area) < next(i for i, trace in enumerate(figure.data) if trace.mode == "lines+markers")
    words = {x: words for x, (_, _, words) in _points(figure).items()}
    assert words[-1] == "the embedding<br><b>0.1000</b><br>95 % band 0.00 to 0.20<br>mean of 2 texts"
    assert words[1] == "block 1<br><b>0.4000</b><br>mean of 1 of 2 texts"
    assert figure.layout.yaxis.title.text == "Token cosine similarity<br>mean of 2 texts, 95 % band"


def test_single_texts_are_thin_lines_on_demand() -> None:
    result = measurement({"token_cosine": TWO}, blocks=2, final_norm=False)
    assert not [trace for trace in curve(result, "token_cosine", theme=LIGHT).data if trace.mode == "lines"]
    for figure in (
        curve(result, "token_cosine", theme=LIGHT, lines=True),
        small_curve(result, "token_cosine", theme=LIGHT, lines=True),
    ):
        (thin,) = [trace for trace in figure.data if trace.mode == "lines"]
        assert thin.y == (0.0, 0.2, 0.4, None, 0.2, 0.4, None, None)
        assert thin.text[4] == "text 2, the embedding: 0.2000"
        assert thin.line.width < 1
        assert figure.data[0] == thin


def test_a_band_is_broken_where_the_line_is_and_upright_where_no_line_runs() -> None:
    rows = np.array([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0.3, 0.4, 0.5, 0.6, 0.7, 0.8]])
    rows[:, 2] = NAN
    rows[0, 4] = NAN
    figure = curve(measurement({"token_cosine": rows.tolist()}, blocks=4), "token_cosine", theme=DARK)
    (area,) = [trace for trace in figure.data if trace.fill == "toself"]
    (bars,) = [trace for trace in figure.data if trace.mode == "lines" and trace.line.dash is None]
    assert area.x == (-1, 0, 0, -1)
    # Block 2 stands between a gap and a point of one text; the final norm is set apart.
    assert bars.x == (2, 2, None, 4.5, 4.5)
    assert [y for y in bars.y if y is not None] == pytest.approx([0.4, 0.6, 0.6, 0.8])
    assert area.fillcolor == bars.line.color == "rgba(86, 180, 233, 0.3)"


def test_texts_of_which_each_point_has_one_value_have_no_band() -> None:
    rows = [[0.1, NAN], [NAN, 0.3]]
    figure = curve(measurement({"token_cosine": rows}, blocks=1, final_norm=False), "token_cosine", theme=LIGHT)
    assert [trace.mode for trace in figure.data] == ["lines+markers"]
    assert figure.layout.yaxis.title.text == "Token cosine similarity<br>mean of 2 texts"


def test_the_axis_holds_the_band_and_the_single_texts_that_are_drawn() -> None:
    rows = [[-0.2, 0.5], *[[0.1, 0.5]] * 40]
    result = measurement({"token_cosine": rows}, blocks=1, final_norm=False)
    tight, wide = (
        curve(result, "token_cosine", theme=LIGHT, lines=lines).layout.yaxis.range for lines in (False, True)
    )
    assert wide[0] < -0.2 < tight[0]
    random = np.random.default_rng(0).normal(size=(6, 3)).tolist()
    figure = curve(measurement({"spectrum_skewness": random}, blocks=1), "spectrum_skewness", theme=LIGHT)
    drawn = [y for trace in figure.data for y in trace.y if y is not None]
    assert figure.layout.yaxis.range[0] < min(drawn) < max(drawn) < figure.layout.yaxis.range[1]


@pytest.mark.parametrize(
    ("metric", "values", "zero"),
    [
        ("token_cosine", [0.90, 0.91, 0.92], True),
        ("effective_rank", [26.0, 25.9, 25.8], True),
        ("rbf_distance", [-3.0, -2.9, -2.8], True),
        ("spectrum_skewness", [2.1, 2.2, 2.3], False),
    ],
)
def test_the_value_axis_does_not_exaggerate(metric: str, values: list[float], zero: bool) -> None:
    figure = curve(measurement({metric: values}, blocks=2, final_norm=False), metric, theme=LIGHT)
    low, high = figure.layout.yaxis.range
    assert low <= min(values) <= max(values) <= high
    assert (low <= 0 <= high) is zero
    assert figure.layout.yaxis.type is None


def test_the_unit_stands_on_the_axis() -> None:
    figure = curve(
        measurement({"matrix_entropy": [3.0, 2.0]}, blocks=1, final_norm=False), "matrix_entropy", theme=LIGHT
    )
    assert figure.layout.yaxis.title.text == "Matrix entropy (nats)"


def test_a_deep_model_has_room_for_its_ticks() -> None:
    values = np.linspace(0.1, 0.9, 98).tolist()
    figure = curve(measurement({"token_cosine": values}, blocks=96), "token_cosine", theme=LIGHT)
    assert len(figure.layout.xaxis.ticktext) <= 15
    assert len(_points(figure)) == 98


@pytest.mark.parametrize(
    ("metric", "values", "heading"),
    [
        ("effective_rank", [9.0, 8, 7], "Effective rank <b>7</b>"),
        ("matrix_entropy", [3.0, 2, 1], "Matrix entropy (nats) <b>1</b>"),
    ],
)
def test_a_small_chart_is_named_and_tells_the_selected_value(metric: str, values: list[float], heading: str) -> None:
    figure = small_curve(measurement({metric: values}, blocks=2, final_norm=False), metric, theme=LIGHT, selected="1")
    assert [y for y, _, _ in _points(figure).values()] == values
    assert [note.text for note in figure.layout.annotations] == [heading]


def test_a_small_chart_marks_a_metric_without_values() -> None:
    notes = [Note("missing", 0, p, "cls_uniformity", "this tokenizer adds no [CLS] token") for p in ("embedding", "0")]
    result = measurement({"cls_uniformity": [NAN, NAN]}, blocks=1, final_norm=False, notes=notes)
    figure = small_curve(result, "cls_uniformity", theme=LIGHT)
    word = next(note for note in figure.layout.annotations if note.text == "missing")
    assert word.hovertext == "the embedding to block 0: missing<br>this tokenizer adds no [CLS] token"


def test_a_thousand_texts_stay_light() -> None:
    rows = np.random.default_rng(0).random((1000, 25)).tolist()
    figure = curve(measurement({"token_cosine": rows}, blocks=23), "token_cosine", theme=LIGHT, lines=True)
    assert len(figure.to_json()) < 2_000_000
    assert len(figure.data) < 10
    assert json.loads(figure.to_json())["data"]
