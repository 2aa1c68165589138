from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from awkward import SEEN
from synthetic import BASE, comparison_of, deep_variant, fused_variant, measurement, points_of, variant

from oversmooth.core.errors import SettingsError
from oversmooth.report.figures import gallery, registry
from oversmooth.report.figures.registry import Drawable
from oversmooth.report.figures.theme import DARK
from oversmooth.results.comparison import BASELINE, Comparison
from oversmooth.results.measurement import Measurement, Note

RANKS = [5.0, 4.5, 4.0, 3.5, 3.0, 2.5, 2.0, 2.0]


KINDS = {
    "curve", "similarity_map", "spectrum", "compared_curve", "delta_curve", "compared_map", "difference_map",
    "compared_spectra", "fidelity_plane",
}  # fmt: skip
"""The figures of these tests; ``test_registry`` is about whichever there are."""


def _known(found: Mapping[str, Drawable]) -> dict[str, Drawable]:
    assert {each.name for each in found.values()} <= set(registry.names())
    return {name: each for name, each in found.items() if each.name in KINDS}


def figures_of(result: Measurement | Comparison, **asked: Any) -> dict[str, Drawable]:
    return _known(gallery.figures_of(result, **asked))


def _words(figure: go.Figure) -> str:
    return " ".join(note.text for note in figure.layout.annotations).replace("<br>", " ")


def _line(figure: go.Figure, name: str) -> Any:
    return next(trace for trace in figure.data if trace.name == name and trace.mode.startswith("lines"))


def test_a_measurement_has_a_curve_for_each_metric_and_one_layer_in_detail() -> None:
    result = measurement({"token_cosine": BASE, "effective_rank": RANKS})
    found = figures_of(result)
    assert list(found) == ["token_cosine", "effective_rank", "similarity_5", "spectrum_5", "spectrum_5_centred"]
    assert [each.metrics for each in found.values()] == [("token_cosine",), ("effective_rank",), (), (), ()]
    assert [each.point for each in found.values()] == [None, None, "5", "5", "5"]
    assert found["effective_rank"].title == "Effective rank over depth"
    assert found["spectrum_5_centred"].title == "Singular values of the centred tokens at block 5"
    line = next(trace for trace in found["effective_rank"].build().data if trace.mode == "lines+markers")
    assert list(line.y) == RANKS[:-1]
    assert result.similarity is not None
    np.testing.assert_array_equal(found["similarity_5"].build().data[0].z, result.similarity.sel(point="5").values)
    for name, form in (("spectrum_5", "raw"), ("spectrum_5_centred", "centred")):
        figure = found[name].build()
        values = result.spectra[form].sel(point="5").values[0]
        strong = max(figure.data, key=lambda trace: trace.line.width or 0)
        np.testing.assert_array_equal(strong.y, values[np.isfinite(values)])
        assert figure.layout.yaxis.type == "log"


def test_a_comparison_has_every_side_and_what_each_variant_changes() -> None:
    comparison = comparison_of({"gfsa:weight=-0.1": variant(-0.1), "gfsa:weight=-0.2": variant(-0.2)})
    found = figures_of(comparison, point="2")
    assert list(found) == [
        "token_cosine",
        "token_cosine_delta",
        "cka_to_baseline",
        "similarity_2_baseline",
        "similarity_2_1_gfsa_weight_0_1",
        "similarity_2_2_gfsa_weight_0_2",
        "difference_2_1_gfsa_weight_0_1",
        "difference_2_2_gfsa_weight_0_2",
        "spectra_2",
        "spectra_2_centred",
        "plane_2",
    ]
    maps = {label: each.similarity.sel(point="2").values for label, each in comparison.measurements.items()}  # type: ignore[union-attr]
    for number, label in enumerate(comparison.variants, start=1):
        slug = f"2_{number}_gfsa_weight_0_{number}"
        assert label in found[f"similarity_{slug}"].title
        np.testing.assert_array_equal(found[f"similarity_{slug}"].build().data[0].z, maps[label])
        change = found[f"difference_{slug}"].build().data[0]
        np.testing.assert_array_equal(change.z, maps[label] - maps[BASELINE])
    deltas = _line(found["token_cosine_delta"].build(), "gfsa:weight=-0.2").y
    assert deltas == pytest.approx([0, 0, *(-0.2 * value for value in BASE[2:-1])])
    spectra = _line(found["spectra_2"].build(), "baseline")
    np.testing.assert_array_equal(spectra.y, comparison.baseline.spectra["raw"].sel(point="2").values[0])
    plane = {trace.name: (trace.x[0], trace.y[0]) for trace in found["plane_2"].build().data}
    assert plane["gfsa:weight=-0.1"] == pytest.approx((0.99, 0.9 * BASE[3]))
    assert found["plane_2"].metrics == ("cka_to_baseline", "token_cosine")


def test_nothing_is_drawn_before_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a figure is drawn")

    comparison, result = comparison_of(2), measurement()
    monkeypatch.setattr(go.Figure, "__init__", refuse)
    every = {**figures_of(result), **figures_of(comparison)}
    for drawable in every.values():
        with pytest.raises(AssertionError, match="a figure is drawn"):
            drawable.build()


def test_metrics_and_colours_are_those_that_were_chosen() -> None:
    result = measurement({"token_cosine": BASE, "effective_rank": RANKS})
    found = figures_of(result, metrics=["effective_rank"], theme=DARK)
    assert list(found) == ["effective_rank", "similarity_5", "spectrum_5", "spectrum_5_centred"]
    assert {each.build().layout.template.layout.paper_bgcolor for each in found.values()} == {DARK.paper}
    assert not [name for name in figures_of(result, metrics=[]) if name in result.metrics]


def test_the_plane_is_of_the_first_metric_chosen() -> None:
    sides = {
        label: measurement({"token_cosine": BASE, "effective_rank": RANKS, **kept})
        for label, kept in {BASELINE: {}, "a": {"cka_to_baseline": [0.5] * 8}}.items()
    }
    found = figures_of(Comparison(sides, {}), metrics=["cka_to_baseline", "effective_rank"])
    assert found["plane_5"].metrics == ("cka_to_baseline", "effective_rank")
    assert found["plane_5"].title == "Effective rank against Linear CKA to the baseline at block 5"
    assert {trace.y[0] for trace in found["plane_5"].build().data} == {2.0}


def _unlike_names() -> list[str]:
    return list(dict.fromkeys(["a:b", "a=b", "A b", "é", *SEEN, "x" * 300, "con", "../up", "a/b\\c"]))


def test_names_are_file_names_everywhere_whatever_a_variant_is_called() -> None:
    labels = _unlike_names()
    comparison = comparison_of({label: variant(-0.1) for label in labels})
    found = figures_of(comparison)
    assert sum(name.startswith("similarity_") for name in found) == len(labels) + 1
    assert sum(name.startswith("difference_") for name in found) == len(labels)
    assert all(re.fullmatch(r"[a-z0-9_]{1,80}", name) for name in found)
    assert not [each.title for each in found.values() if "\u202e" in each.title]


def test_a_variant_keeps_its_number_where_another_fails() -> None:
    sides = {BASELINE: measurement(), "second": variant(-0.1)}
    comparison = Comparison(sides, {"first": "It broke."}, {BASELINE: 0, "first": 1, "second": 2})
    assert "difference_5_2_second" in figures_of(comparison)


def test_what_was_not_measured_is_left_out() -> None:
    lean = measurement(similarity=False)
    plain = replace(lean, spectra=lean.spectra.drop_vars("centred"))
    assert list(figures_of(plain)) == ["token_cosine", "spectrum_5"]
    found = figures_of(Comparison({BASELINE: plain, "mapped": variant(-0.1), "deep": deep_variant()}, {}))
    assert [name for name in found if name.startswith(("similarity", "difference"))] == [
        "similarity_5_1_mapped",
        "similarity_5_2_deep",
    ]
    alone = figures_of(comparison_of({}))
    assert not [name for name in alone if name.startswith(("difference", "plane")) or name.endswith("delta")]
    deep = figures_of(comparison_of({"deep": deep_variant()}))
    assert "similarity_5_1_deep" in deep
    assert not [name for name in deep if name.startswith(("difference", "plane"))]


def test_points_that_not_every_side_has() -> None:
    comparison = comparison_of({"deep": deep_variant(), "fused": fused_variant(), "a": variant(-0.1)})
    at_the_end = figures_of(comparison, point="11")
    assert [name for name in at_the_end if "11" in name] == ["similarity_11_1_deep", "spectra_11", "spectra_11_centred"]
    fused = figures_of(comparison, point="fusion")
    assert [name for name in fused if name.startswith(("similarity", "difference", "plane"))] == [
        "similarity_fusion_2_fused",
        "difference_fusion_2_fused",
    ]
    for drawable in (*at_the_end.values(), *fused.values()):
        assert drawable.build().data


def test_a_point_inside_a_block_has_maps_and_spectra_but_no_plane() -> None:
    names = [*points_of(1, final_norm=False), "0.attention"]
    sides = {
        label: measurement({"token_cosine": [0.1, 0.2, 0.3], "cka_to_baseline": [1, 1, 1]}, points=names)
        for label in (BASELINE, "a")
    }
    found = figures_of(Comparison(sides, {}), point="0.attention")
    assert "similarity_0_attention_1_a" in found
    assert not [name for name in found if name.startswith("plane")]
    assert "block 0 after attention" in found["spectra_0_attention"].title
    assert sides["a"].similarity is not None
    expected = sides["a"].similarity.sel(point="0.attention").values
    np.testing.assert_array_equal(found["similarity_0_attention_1_a"].build().data[0].z, expected)


def test_what_has_no_value_is_a_figure_that_says_why() -> None:
    names = points_of(6)
    notes = [
        Note("missing", 0, point, metric, "overflow") for point in names for metric in ("token_cosine", "similarity")
    ]
    result = measurement({"token_cosine": [math.nan] * 8}, notes=notes)
    assert result.similarity is not None
    result.similarity[:] = math.nan
    found = figures_of(result)
    assert "overflow" in _words(found["token_cosine"].build())
    assert "overflow" in _words(found["similarity_5"].build())


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"point": "6"}, "There is no block 6 in this result: it has 6 blocks, counted from 0."),
        ({"point": "final-norm"}, "There is no point “final-norm” (did you mean “final_norm”?)."),
        ({"metrics": ["token_cosin"]}, "There is no metric “token_cosin” (did you mean “token_cosine”?)."),
        ({"metrics": ["rankme"]}, "RankMe was not measured. This result has token_cosine."),
        ({"metrics": ["zzz"]}, "There is no metric “zzz”. Choose from token_cosine."),
    ],
)
def test_what_the_result_does_not_have_is_refused(asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=f"^{re.escape(sentence)}$"):
        figures_of(measurement(), **asked)


def test_single_texts_are_drawn_on_demand_and_told() -> None:
    result = measurement({"token_cosine": [BASE, [value + 0.1 for value in BASE]]})
    plain, lined = (figures_of(result, lines=lines)["token_cosine"] for lines in (False, True))
    added = {trace.text for trace in lined.build().data} - {trace.text for trace in plain.build().data}
    assert [words[0] for words in added if words] == ["text 1, the embedding: 0.06000"]
    assert plain.drawn == "A band holds the middle 95 % of 2,000 bootstrap means over texts."
    assert lined.drawn == f"{plain.drawn} Thin lines are single texts."
    assert figures_of(measurement(), lines=True)["token_cosine"].drawn == ""


def test_the_band_of_differences_is_told_where_they_are_paired() -> None:
    rows = [BASE, [value + 0.1 for value in BASE]]
    side = measurement({"token_cosine": rows})
    paired = figures_of(Comparison({BASELINE: side, "a": side}, {}))["token_cosine_delta"]
    assert paired.drawn == "A band holds the middle 95 % of 2,000 bootstrap means of the differences, text by text."
    other = Comparison({BASELINE: side, "a": measurement({"token_cosine": [*rows, BASE]})}, {})
    assert figures_of(other)["token_cosine_delta"].drawn == ""
    assert figures_of(other)["token_cosine"].drawn != ""
