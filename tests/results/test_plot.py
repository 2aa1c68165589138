"""Figures and tables as methods of a result, on measurements with known numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from synthetic import BASE, comparison_of, deep_variant, measurement, points_of, variant

from oversmooth.core.errors import SettingsError
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.figures.theme import DARK, LIGHT
from oversmooth.results.comparison import BASELINE, Comparison
from oversmooth.results.files import tables

STRONG = "gfsa:weight=-0.2"


def _map_of(result: Comparison, label: str, point: str) -> Any:
    maps = result.measurements[label].similarity
    assert maps is not None
    return maps.sel(point=point).values


def _shown(figure: go.Figure) -> Any:
    (heat,) = figure.data
    assert heat.type == "heatmap"
    return heat.z


def _line(figure: go.Figure, name: str) -> Any:
    return next(trace for trace in figure.data if trace.name == name and trace.mode.startswith("lines"))


def test_a_curve_is_that_of_the_metric() -> None:
    ranks = [5.0, 4.5, 4.0, 3.5, 3.0, 2.5, 2.0, 2.0]
    result = measurement({"token_cosine": BASE, "effective_rank": ranks})
    for metric, values in (("token_cosine", BASE), ("effective_rank", ranks)):
        line = next(trace for trace in result.plot(metric).data if trace.mode == "lines+markers")
        assert list(line.y) == values[:-1]


def test_the_curves_of_a_comparison_are_those_of_its_sides() -> None:
    comparison = comparison_of(2)
    assert list(_line(comparison.plot("token_cosine"), "baseline").y) == BASE[:-1]
    changed = [BASE[0], BASE[1], *(0.8 * value for value in BASE[2:-1])]
    assert _line(comparison.plot("token_cosine"), STRONG).y == pytest.approx(changed)
    deltas = [after - before for before, after in zip(BASE[:-1], changed, strict=True)]
    assert _line(comparison.plot_deltas("token_cosine"), STRONG).y == pytest.approx(deltas)


@pytest.mark.parametrize(
    ("layer", "point"),
    [(5, "5"), (-1, "5"), (0, "0"), (-6, "0"), (np.int64(3), "3"), ("3", "3"), ("embedding", "embedding")],
)
def test_a_layer_is_the_number_of_a_block_or_the_name_of_a_point(layer: int | str, point: str) -> None:
    comparison = comparison_of(2)
    baseline = comparison.baseline
    np.testing.assert_array_equal(_shown(baseline.plot_similarity(layer)), _map_of(comparison, BASELINE, point))
    np.testing.assert_array_equal(_shown(comparison.plot_similarity(layer)), _map_of(comparison, BASELINE, point))
    strong = _map_of(comparison, STRONG, point)
    np.testing.assert_array_equal(_shown(comparison.plot_similarity(layer, label=STRONG)), strong)
    difference = _shown(comparison.plot_difference(layer, label=STRONG))
    np.testing.assert_array_equal(difference, strong - _map_of(comparison, BASELINE, point))
    for form, centred in (("raw", False), ("centred", True)):
        values = baseline.spectra[form].sel(point=point).values[0]
        values = values[np.isfinite(values)]
        figure = baseline.plot_spectrum(layer, centred=centred, logarithmic=False)
        np.testing.assert_array_equal(max(figure.data, key=lambda trace: trace.line.width or 0).y, values)
        figure = comparison.plot_spectra(layer, centred=centred, logarithmic=False)
        np.testing.assert_array_equal(_line(figure, "baseline").y, values)


def test_without_a_layer_it_is_the_last_block_and_without_a_label_the_first_variant() -> None:
    comparison = comparison_of(2)
    first = next(iter(comparison.variants))
    np.testing.assert_array_equal(_shown(comparison.baseline.plot_similarity()), _map_of(comparison, BASELINE, "5"))
    change = _map_of(comparison, first, "5") - _map_of(comparison, BASELINE, "5")
    np.testing.assert_array_equal(_shown(comparison.plot_difference()), change)


def test_negative_layers_count_from_the_baselines_end() -> None:
    comparison = comparison_of({"deep": deep_variant()})
    np.testing.assert_array_equal(
        _shown(comparison.plot_similarity(-1, label="deep")), _map_of(comparison, "deep", "5")
    )
    np.testing.assert_array_equal(
        _shown(comparison.plot_similarity(11, label="deep")), _map_of(comparison, "deep", "11")
    )


def test_points_inside_a_block_can_be_named() -> None:
    result = measurement({"token_cosine": [0.1, 0.2, 0.3]}, points=[*points_of(1, final_norm=False), "0.attention"])
    assert result.similarity is not None
    expected = result.similarity.sel(point="0.attention").values
    np.testing.assert_array_equal(_shown(result.plot_similarity("0.attention")), expected)


def test_the_plane_is_of_the_metrics_and_controls_that_are_given() -> None:
    comparison = comparison_of(2)
    found = {trace.name: (trace.x[0], trace.y[0]) for trace in comparison.plot_plane(layer=2).data}
    assert found[STRONG] == pytest.approx((1 - 0.2**2, 0.8 * BASE[3]))
    swept = comparison_of({"weak": variant(-0.1), "strong": variant(-0.3)})
    (line,) = [each for each in comparison.plot_plane(2, controls={"Noise": swept}).data if "lines" in each.mode]
    assert line.y == pytest.approx([BASE[3], 0.9 * BASE[3], 0.7 * BASE[3]])


def test_methods_draw_what_the_exports_draw() -> None:
    comparison = comparison_of(2)
    result = comparison.baseline
    single = figures_of(result, point="4")
    pairs: list[tuple[go.Figure, go.Figure]] = [
        (result.plot("token_cosine"), single["token_cosine"].build()),
        (result.plot_similarity(4), single["similarity_4"].build()),
        (result.plot_spectrum(4), single["spectrum_4"].build()),
        (result.plot_spectrum(4, centred=True), single["spectrum_4_centred"].build()),
    ]
    several = figures_of(comparison, point="4")
    pairs += [
        (comparison.plot("token_cosine"), several["token_cosine"].build()),
        (comparison.plot_deltas("token_cosine"), several["token_cosine_delta"].build()),
        (comparison.plot_similarity(4), several["similarity_4_baseline"].build()),
        (comparison.plot_difference(4), several["difference_4_1_gfsa_weight_0_1"].build()),
        (comparison.plot_spectra(4), several["spectra_4"].build()),
        (comparison.plot_plane(4), several["plane_4"].build()),
    ]
    for drawn, exported in pairs:
        assert drawn.to_json() == exported.to_json()


def test_every_method_knows_both_themes() -> None:
    comparison = comparison_of(1)
    result = comparison.baseline
    methods: list[Callable[..., go.Figure]] = [
        result.plot_similarity, result.plot_spectrum, comparison.plot_similarity, comparison.plot_difference,
        comparison.plot_spectra, comparison.plot_plane,
    ]  # fmt: skip
    curves: list[Callable[..., go.Figure]] = [result.plot, comparison.plot, comparison.plot_deltas]
    for name, colours in (("light", LIGHT), ("dark", DARK)):
        figures = [method(theme=name) for method in methods] + [plot("token_cosine", theme=name) for plot in curves]
        assert {figure.layout.template.layout.paper_bgcolor for figure in figures} == {colours.paper}
    assert comparison.plot("token_cosine").to_json() == comparison.plot("token_cosine", theme="light").to_json()


REFUSED: dict[str, Callable[[Comparison], go.Figure]] = {
    "There is no block 6 in this result: it has 6 blocks, counted from 0.": lambda c: c.plot_similarity(6),
    "There is no block -7 in this result: it has 6 blocks, counted from 0.": lambda c: c.baseline.plot_spectrum(-7),
    "There is no point “5.5”. Choose from embedding, 0, 1, 2, 3, 4, 5 and final_norm.": lambda c: c.plot_spectra(5.5),  # type: ignore[arg-type]
    "There is no point “final norm” (did you mean “final_norm”?).": lambda c: c.plot_plane("final norm"),
    "There is no metric “token_cosin” (did you mean “token_cosine”?).": lambda c: c.baseline.plot("token_cosin"),
    "RankMe was not measured. This result has token_cosine and cka_to_baseline.": lambda c: c.plot_deltas("rankme"),
    "There is no metric “x”. Choose from token_cosine and cka_to_baseline.": lambda c: c.plot_plane(fidelity="x"),
    "There is no side “gfsa:weight=-0.3” (did you mean “gfsa:weight=-0.2”?).": lambda c: c.plot_similarity(
        label="gfsa:weight=-0.3"
    ),
    "The variant “broken” was left out. It broke.": lambda c: c.plot_difference(label="broken"),
    "“baseline” is what the others are set against: name a variant.": lambda c: c.plot_difference(label="baseline"),
    "There is no theme “blue”. Choose from light and dark.": lambda c: c.plot_spectra(theme="blue"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_a_result_does_not_have_is_refused_in_a_sentence(sentence: str) -> None:
    comparison = comparison_of(
        {"gfsa:weight=-0.1": variant(-0.1), STRONG: variant(-0.2)}, failures={"broken": "It broke."}
    )
    with pytest.raises(SettingsError, match=f"^{re.escape(sentence)}$"):
        REFUSED[sentence](comparison)


def test_a_baseline_alone_has_no_difference() -> None:
    with pytest.raises(SettingsError, match=r"^There is no variant to set against the baseline\.$"):
        comparison_of({}).plot_difference()


def test_tables_hold_every_number_with_its_side() -> None:
    comparison = comparison_of(2)
    table = comparison.to_frame()
    assert list(table.columns) == ["label", "input", "point", "metric", "value"]
    assert list(table.index) == list(range(len(table)))
    for label, side in comparison.measurements.items():
        rows = table[(table.label == label) & (table.metric == "token_cosine")]
        assert dict(zip(rows.point, rows.value, strict=True)) == side.curve("token_cosine")
        single = side.to_frame()
        assert set(single.label) == {"synthetic"}
        assert list(single.value) == list(table[table.label == label].value)
        assert tables.to_csv(single) == tables.to_csv(tables.tables_of(side)["curves"])
    assert tables.to_csv(table) == tables.to_csv(tables.tables_of(comparison)["curves"])
