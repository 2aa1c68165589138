from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
import pytest
from synthetic import BASE, broken_variant, comparison_of, deep_variant, fused_variant, measurement, variant

from oversmooth.report.figures.deltas import delta_curve
from oversmooth.report.figures.identity import identity
from oversmooth.report.figures.theme import LIGHT
from oversmooth.results.comparison import Comparison

METRIC = "token_cosine"


def _words(figure: go.Figure) -> str:
    return " ".join(note.text for note in figure.layout.annotations).replace("<br>", " ")


def test_the_drawn_numbers_are_variant_minus_baseline() -> None:
    figure = delta_curve(comparison_of(3), METRIC, theme=LIGHT)
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert len(lines) == 3
    for number, line in enumerate(lines, start=1):
        expected = [0, 0, *(-0.1 * number * value for value in BASE[2:7])]
        assert list(line.y) == pytest.approx(expected)
        assert line.line.dash == identity(LIGHT, number).dash
    assert lines[0].text[6] == "gfsa:weight=-0.1<br>block 5<br><b>−0.03600</b><br>0.3600 → 0.3240"
    assert figure.layout.yaxis.title.text == "Token cosine similarity<br>variant − baseline"


def test_zero_is_drawn_inside_the_chart() -> None:
    for strength in (-0.5, 0.5):
        axis = delta_curve(comparison_of({"a": variant(strength)}), METRIC, theme=LIGHT).layout.yaxis
        assert axis.zeroline
        assert axis.range[0] < 0 < axis.range[1]


def test_a_ring_marks_the_point_where_a_variant_parts() -> None:
    figure = delta_curve(comparison_of({"a": variant(-0.1), "b": variant(0.2)}), METRIC, theme=LIGHT)
    rings = [trace for trace in figure.data if trace.marker.symbol == "circle-open"]
    assert [(ring.x[0], ring.y[0]) for ring in rings] == [(1, pytest.approx(-0.01)), (1, pytest.approx(0.02))]
    assert [ring.marker.color for ring in rings] == list(LIGHT.categories[:2])
    assert "○ the first point that differs from the baseline" in _words(figure)


def test_a_variant_that_changes_nothing_says_so() -> None:
    figure = delta_curve(comparison_of({"<same>": variant(0.0)}), METRIC, theme=LIGHT)
    assert "&lt;same&gt;: the same as the baseline everywhere." in _words(figure)
    assert not [trace for trace in figure.data if trace.marker.symbol == "circle-open"]
    assert "○" not in _words(figure)


def test_a_variant_of_another_depth_is_named_with_the_reason() -> None:
    comparison = comparison_of({"deep": deep_variant(), "a": variant(-0.1)})
    figure = delta_curve(comparison, METRIC, theme=LIGHT)
    assert "deep: it has 12 blocks, the baseline 6." in _words(figure)
    (line,) = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert (line.name, line.line.color) == ("a", LIGHT.categories[1])
    alone = delta_curve(comparison_of({"deep": deep_variant()}), METRIC, theme=LIGHT)
    assert not alone.data
    assert _words(alone) == "deep: it has 12 blocks, the baseline 6."


def test_the_fusion_is_set_against_the_last_block() -> None:
    figure = delta_curve(comparison_of({"fused": fused_variant()}), METRIC, theme=LIGHT)
    fusion = next(trace for trace in figure.data if trace.text and "fusion" in trace.text[0])
    assert (fusion.x[0], fusion.y[0]) == (8.0, pytest.approx(0.2 - 0.36))
    assert fusion.text[0].endswith("0.3600 → 0.2000")


def test_a_gap_of_either_side_is_a_gap_with_its_reason() -> None:
    forward = delta_curve(comparison_of({"broken": broken_variant()}), METRIC, theme=LIGHT)
    (marks,) = [trace for trace in forward.data if trace.yaxis == "y2"]
    assert list(marks.x) == [3, 4]
    assert marks.text[0].endswith("<b>missing</b><br>3 activations of 528 are infinite or &lt;not&gt; a number")
    backward = Comparison({"baseline": broken_variant(), "a": measurement({METRIC: BASE})}, {})
    (marks,) = [trace for trace in delta_curve(backward, METRIC, theme=LIGHT).data if trace.yaxis == "y2"]
    assert marks.text[0].endswith("&lt;not&gt; a number in the baseline")
    assert "NaN" not in forward.to_json()


def test_a_metric_of_variants_alone_has_no_differences() -> None:
    figure = delta_curve(comparison_of(2), "cka_to_baseline", theme=LIGHT)
    assert not figure.data
    assert _words(figure).startswith("Linear CKA to the baseline is measured on variants with mitigations")


def test_a_baseline_alone_has_no_differences() -> None:
    figure = delta_curve(comparison_of({}), METRIC, theme=LIGHT)
    assert _words(figure) == "There is no variant to set against the baseline."


def test_differences_of_several_texts_are_their_mean() -> None:
    one = measurement({METRIC: [[0.1, 0.2], [0.3, 0.4]]}, blocks=1, final_norm=False)
    other = measurement({METRIC: [[0.1, 0.4], [0.3, math.nan]]}, blocks=1, final_norm=False)
    figure = delta_curve(Comparison({"baseline": one, "a": other}, {}), METRIC, theme=LIGHT)
    (line,) = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert list(line.y) == pytest.approx([0, 0.2])


def _paired(texts: int) -> Comparison:
    """Texts far from each other, whose differences are all near −0.1."""
    random = np.random.default_rng(0)
    before = random.normal(size=(texts, 1)) * np.ones(8)
    after = before - 0.1 + 0.001 * random.normal(size=(texts, 8))
    return Comparison(
        {"baseline": measurement({METRIC: before.tolist()}), "a": measurement({METRIC: after.tolist()})}, {}
    )


def test_the_band_is_of_differences_text_by_text() -> None:
    comparison = _paired(12)
    figure = delta_curve(comparison, METRIC, theme=LIGHT)
    (area,) = [trace for trace in figure.data if trace.fill == "toself"]
    differences = (comparison.measurements["a"].curves[METRIC] - comparison.baseline.curves[METRIC]).values
    # Resampled each side for itself, it would be some hundred times as wide.
    low, high = np.array(area.y[:7]), np.array(area.y[:6:-1])
    errors = differences[:, :7].std(axis=0) / np.sqrt(12)
    assert (low < differences[:, :7].mean(axis=0)).all()
    assert (differences[:, :7].mean(axis=0) < high).all()
    assert (high - low) / errors == pytest.approx(2 * 1.96, rel=0.15)
    assert (
        figure.layout.yaxis.title.text == "Token cosine similarity<br>variant − baseline<br>mean of 12 texts, 95 % band"
    )
    line = next(trace for trace in figure.data if trace.mode == "lines+markers")
    assert line.text[0].endswith("mean of 12 texts")
    assert "<br>95 % band −0.1" in line.text[0]
    assert "→" not in line.text[0]


def test_a_text_without_a_difference_is_not_counted() -> None:
    comparison = _paired(12)
    comparison.baseline.curves[METRIC].loc[3, "0"] = math.nan
    comparison.measurements["a"].curves[METRIC].loc[5, "0"] = math.nan
    line = next(t for t in delta_curve(comparison, METRIC, theme=LIGHT).data if t.mode == "lines+markers")
    assert [words.split("<br>")[-1] for words in line.text[:2]] == ["mean of 12 texts", "mean of 10 of 12 texts"]
    assert line.y[1] == pytest.approx(-0.1, abs=0.002)


def test_other_texts_have_a_difference_without_a_band_and_say_so() -> None:
    comparison = _paired(12)
    other = measurement({METRIC: np.random.default_rng(1).normal(size=(5, 8)).tolist()})
    both = Comparison({**comparison.measurements, "<other>": other}, {})
    figure = delta_curve(both, METRIC, theme=LIGHT)
    assert len([trace for trace in figure.data if trace.fill == "toself"]) == 1
    assert "&lt;other&gt;: the difference of means over other texts, which has no band." in _words(figure)
    assert figure.layout.yaxis.title.text.endswith("mean of 12 texts, 95 % band")
    alone = delta_curve(Comparison({"baseline": comparison.baseline, "other": other}, {}), METRIC, theme=LIGHT)
    assert not [trace for trace in alone.data if trace.fill == "toself"]
    assert alone.layout.yaxis.title.text == "Token cosine similarity<br>variant − baseline"
    assert all("mean of" not in words for words in alone.data[-1].text or ())
