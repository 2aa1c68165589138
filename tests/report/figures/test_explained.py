"""Figures of an explanation: what is drawn are its numbers, and what is missing says why."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr
from poppler import information
from synthetic import measurement
from synthetic_explanation import explained

from oversmooth.report.export.contents import belongs
from oversmooth.report.export.images import image
from oversmooth.report.figures.bound import smoothing_bound
from oversmooth.report.figures.dominance import KINDS, dominance
from oversmooth.report.figures.eigenvalues import circuit_eigenvalues
from oversmooth.report.figures.gains import branch_gains
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.figures.heads import attention_adjacent, attention_map
from oversmooth.report.figures.layer_cka import layer_cka
from oversmooth.report.figures.norms import norm_deviation
from oversmooth.report.figures.spectrum_cdf import spectrum_cdf
from oversmooth.report.figures.theme import DARK, LIGHT
from oversmooth.report.figures.waterfall import waterfall
from oversmooth.report.figures.within_between import within_between
from oversmooth.report.paper import PRESETS
from oversmooth.results.contraction import contraction
from oversmooth.results.explanation import Explanation
from oversmooth.results.measurement import Measurement, Note

ROOT = "attention_root_lambda"


@cache
def _full() -> Measurement:
    return explained(blocks=4, heads=3)


def _of_the_explanation() -> list[str]:
    """The figures that a measurement has by its explanation alone."""
    lean = figures_of(replace(_full(), explanation=None), metrics=["token_cosine"])
    return [name for name in figures_of(_full(), metrics=["token_cosine"]) if name not in lean]


NAMES = _of_the_explanation()


def _explanation(result: Measurement) -> Explanation:
    assert result.explanation is not None
    return result.explanation


def _words(figure: go.Figure) -> str:
    return " ".join(note.text for note in figure.layout.annotations).replace("<br>", " ")


def _named(figure: go.Figure, name: str) -> list[Any]:
    return [trace for trace in figure.data if trace.name == name]


def test_the_gallery_has_every_part_under_names_of_files() -> None:
    found = figures_of(_full(), metrics=["token_cosine"])
    assert {"waterfall_token_cosine", ROOT, "circuit_eigenvalues_3", "dominance", "layer_cka"} <= set(NAMES)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) and belongs(f"figures/{name}.pdf") for name in found)
    assert found["circuit_eigenvalues_3"].point == "3"
    assert "circuit_eigenvalues_1" in figures_of(_full(), point="1.attention", metrics=[])
    assert not [name for name in figures_of(measurement()) if name in NAMES]


def test_parts_that_are_missing_are_left_out_of_the_gallery() -> None:
    found = figures_of(explained(blocks=2, heads=2, family="plain", texts=1), metrics=["token_cosine"])
    kept = {"waterfall_token_cosine", "smoothing_bound", "spectrum_cdf"}
    assert {name for name in found if name in NAMES} == kept


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_drawn_on_paper_with_its_words(name: str) -> None:
    figure = figures_of(_full(), metrics=["token_cosine"])[name].build()
    page = information(image(figure, "pdf", PRESETS["single"]))
    assert page.width == 3.25 * 72
    text = " ".join(page.text.split())
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        for word in re.sub(r"<[^>]*>", " ", axis.title.text or "").split():
            assert word in text


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_the_colours_of_its_theme(name: str) -> None:
    figure = figures_of(_full(), metrics=["token_cosine"], theme=DARK)[name].build()
    assert figure.layout.template.layout.paper_bgcolor == DARK.paper


def test_figures_of_a_large_model_stay_light() -> None:
    result = explained(blocks=32, heads=32, texts=2, family="pre")
    for name, each in figures_of(result, metrics=["token_cosine"]).items():
        assert len(each.build().to_json()) < 2e6, name
    assert len(circuit_eigenvalues(result, theme=LIGHT).to_json()) < 2e6


def test_the_bars_of_a_waterfall_reach_from_value_to_value() -> None:
    result = _full()
    figure = waterfall(result, "token_cosine", theme=LIGHT)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    drawn = sorted(
        (float(x), float(base), float(base + height))
        for bar in bars
        for x, base, height in zip(bar.x, bar.base, bar.y, strict=True)
    )
    means = result.curves["token_cosine"].mean("input").values
    np.testing.assert_allclose([start for _, start, _ in drawn], means[:-1])
    np.testing.assert_allclose([end for _, _, end in drawn], means[1:])
    assert {bar.name for bar in bars} == {"attention branch", "MLP branch", "residual add", "norm"}
    assert len({bar.marker.color for bar in bars}) == 4
    hover = next(bar for bar in bars if bar.name == "norm").hovertext[0]
    assert hover.startswith("block 0's attention output norm<br><b>")
    assert "95 % band" in hover


def test_a_step_without_a_value_is_told() -> None:
    notes = [Note("missing", n, "1.attention", "token_cosine", "2 activations are <infinite>") for n in range(3)]
    result = replace(explained(blocks=2, heads=1), notes=tuple(notes))
    result.curves["token_cosine"].loc[:, "1.attention"] = np.nan
    figure = waterfall(result, "token_cosine", theme=LIGHT)
    assert sum(len(trace.x) for trace in figure.data if trace.type == "bar") == 10
    missing = next(note for note in figure.layout.annotations if note.text == "missing")
    assert (
        "no value at block 1 after attention: 2 activations are &lt;infinite&gt; (in 3 of 3 texts)" in missing.hovertext
    )
    result.curves["token_cosine"][:] = np.nan
    assert "no value at the embedding" in _words(waterfall(result, "token_cosine", theme=LIGHT))


@pytest.mark.parametrize(("family", "words"), [("parallel", "same stream"), ("plain", "not measured")])
def test_a_waterfall_of_whole_blocks_says_why(family: Any, words: str) -> None:
    assert words in _words(waterfall(explained(blocks=2, heads=1, family=family), "token_cosine", theme=LIGHT))


def test_gains_are_means_over_texts_on_a_logarithmic_axis_with_one_marked() -> None:
    result = explained(blocks=3, heads=1, family="pre")
    figure = branch_gains(result, theme=LIGHT)
    assert figure.layout.yaxis.type == figure.layout.yaxis2.type == "log"
    assert [shape.y0 for shape in figure.layout.shapes] == [1, 1]
    lengths = result.curves["mean_token_norm"]
    ratio = (lengths.sel(point="1.attention_branch") / lengths.sel(point="1.attention_read").values).mean()
    line = _named(figure, "constant part (DC), branch alone")[0]
    assert line.y[1] == pytest.approx(float(ratio))
    assert "mean of 3 texts" in _words(figure)


def test_heads_are_drawn_beside_shuffled_attention_on_one_scale() -> None:
    result = _full()
    figure = attention_map(result, ROOT, theme=LIGHT)
    heads, null = figure.data
    found = _explanation(result).attention
    np.testing.assert_allclose(heads.z, found[ROOT].mean("input").transpose("head", "layer").values, rtol=1e-6)
    np.testing.assert_allclose(null.z, found[f"{ROOT}_null"].mean("input").transpose("head", "layer").values, rtol=1e-6)
    assert (heads.zmin, heads.zmax) == (null.zmin, null.zmax)
    assert heads.colorbar.title.text
    assert null.showscale is False
    assert len(attention_map(result, "attention_entropy", theme=LIGHT).data) == 1
    (change,) = attention_map(result, ROOT, theme=LIGHT, difference=True).data
    np.testing.assert_allclose(change.z, np.asarray(heads.z) - np.asarray(null.z), atol=1e-6)
    assert change.zmin == -change.zmax
    blank = attention_map(result, "attention_entropy", theme=LIGHT, difference=True)
    assert "no counterpart" in _words(blank)


def test_adjacent_attention_starts_with_the_second_block() -> None:
    figure = attention_adjacent(_full(), theme=LIGHT)
    line = figure.data[-1]
    assert list(line.x) == [1, 2, 3]
    means = _explanation(_full()).attention["attention_adjacent_cosine"].mean("input").values
    np.testing.assert_allclose(line.y, means[1:])
    assert "block 1 and block 0" in line.text[0]


def test_histograms_count_every_token_and_mark_the_smallest() -> None:
    result = _full()
    figure = norm_deviation(result, theme=LIGHT)
    deviations = _explanation(result).norms["deviation"]
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    for each in maps:
        np.testing.assert_array_equal(np.nansum(each.z, axis=0), deviations.sizes["token"])
    marks = [trace for trace in figure.data if trace.type == "scatter"]
    axes = (figure.layout.yaxis, figure.layout.yaxis2)
    for norm, mark, axis in zip(("attention", "mlp"), marks, axes, strict=True):
        scale = np.polyfit(axis.tickvals, [float(text) for text in axis.ticktext], 1)
        np.testing.assert_allclose(np.polyval(scale, mark.y), deviations.sel(norm=norm).min("token").values, atol=1e-6)
    # Each row of cells holds the deviations between its edges, read off the ticks.
    counts = np.nan_to_num(np.asarray(maps[1].z))
    edges = np.polyval(scale, np.arange(len(counts) + 1) - 0.5)
    edges[-1] += 1e-9
    expected = np.histogram(deviations.sel(norm="mlp", layer=1).values, edges)
    np.testing.assert_array_equal(counts[:, 1], expected[0])
    assert "At most 0.78 % of a norm's gains are negative (block 3, norm of the MLP branch)" in _words(figure)


def test_deviations_over_decades_have_a_logarithmic_axis() -> None:
    result = _full()
    norms = _explanation(result).norms
    wide = norms.assign(deviation=norms["deviation"] ** 6)
    result = replace(result, explanation=replace(_explanation(result), norms=wide))
    figure = norm_deviation(result, theme=LIGHT)
    axis = figure.layout.yaxis
    scale = np.polyfit(axis.tickvals, np.log10([float(text) for text in axis.ticktext]), 1)
    mark = next(trace for trace in figure.data if trace.type == "scatter")
    least = wide["deviation"].sel(norm="attention").min("token").values
    np.testing.assert_allclose(np.polyval(scale, mark.y), np.log10(least), atol=1e-6)


def test_the_bound_stands_beside_what_was_measured() -> None:
    result = _full()
    figure = smoothing_bound(result, theme=LIGHT)
    assert figure.layout.yaxis.type == "log"
    bound, measured = (
        _named(figure, name)[0] for name in ("LayerNorm bound on the contraction", "Measured contraction")
    )
    np.testing.assert_allclose(bound.y, _explanation(result).bound["smoothing_bound"].mean("input").values)
    np.testing.assert_allclose(measured.y, contraction(result).mean(axis=0))
    assert "vacuous in every block" in _words(figure)
    alone = smoothing_bound(explained(blocks=2, heads=1, family="pre"), theme=LIGHT)
    assert not _named(alone, "LayerNorm bound on the contraction")
    assert "post-norm blocks, and this family is &lt;none&gt;" in _words(alone)


def test_every_eigenvalue_of_a_block_is_drawn_and_those_that_dominate_are_ringed() -> None:
    result = _full()
    figure = circuit_eigenvalues(result, 2, theme=LIGHT)
    values = _explanation(result).circuits["eigenvalues"].sel(layer=2).values.ravel()
    points = _named(figure, "block 2")[0]
    np.testing.assert_allclose(np.sort_complex(points.x + 1j * points.y), np.sort_complex(values), atol=1e-6)
    found = _explanation(result).dominance.sel(layer=2)
    for kind in KINDS:
        rings = [complex(x, y) for trace in _named(figure, kind) for x, y in zip(trace.x, trace.y, strict=True)]
        expected = found["circuit_eigenvalue"].values[found["dominant_kind"].values == kind]
        assert sorted(rings, key=abs) == pytest.approx(sorted(expected, key=abs))
    assert figure.layout.yaxis.scaleanchor == "x"
    disc = next(trace for trace in figure.data if trace.fill == "toself")
    np.testing.assert_allclose(np.abs(1 + np.array(disc.x) + 1j * np.array(disc.y)), 1)


def test_one_head_is_drawn_before_the_others() -> None:
    result = _full()
    faint, strong = _named(circuit_eigenvalues(result, 1, theme=LIGHT, head=2), "block 1")
    assert set(strong.customdata) == {2}
    assert set(faint.customdata) == {0, 1}
    assert strong.marker.size > faint.marker.size


def test_every_head_has_its_gain_and_its_kind() -> None:
    result = _full()
    figure = dominance(result, theme=LIGHT)
    found = _explanation(result).dominance
    np.testing.assert_allclose(figure.data[0].z, found["dominant_gain"].transpose("head", "layer").values, rtol=1e-6)
    drawn = {
        (int(layer), int(head)): trace.name
        for trace in figure.data[1:]
        for layer, head in zip(trace.x, trace.y, strict=True)
    }
    kinds = found["dominant_kind"].transpose("layer", "head").values
    assert drawn == {(layer, head): kinds[layer, head] for layer, head in np.ndindex(kinds.shape)}
    assert len({trace.marker.symbol for trace in figure.data[1:]}) == len(figure.data) - 1


def test_the_distribution_of_singular_values_is_that_of_the_text_shown() -> None:
    result = _full()
    figure = spectrum_cdf(result, theme=LIGHT)
    assert len(figure.data) == len(result.main_points)
    values = result.spectra["raw"].sel(point="2").values[0]
    line = _named(figure, "block 2")[0]
    for share in (0.05, 0.3, 0.77):
        below = np.mean(values / values.max() <= share)
        reached = np.asarray(line.y)[np.asarray(line.x) <= share]
        assert (reached.max() if reached.size else 0.0) == pytest.approx(below)
    assert (line.x[-1], line.y[-1]) == (1, 1)


def test_within_and_between_are_drawn_for_each_form_with_their_difference() -> None:
    result = _full()
    figure = within_between(result, theme=LIGHT)
    corpus = _explanation(result).corpus
    for place, form in enumerate(("raw", "centred", "standardised")):
        part = corpus.sel(form=form)
        np.testing.assert_allclose(_named(figure, "within texts")[place].y, part["within"].values)
        np.testing.assert_allclose(_named(figure, "between texts")[place].y, part["between"].values)
        difference = _named(figure, "within − between")[place]
        np.testing.assert_allclose(difference.y, part["within"].values - part["between"].values)
    assert sum(trace.fill == "toself" for trace in figure.data) == 3
    assert "Over 3 texts" in _words(figure)


def test_layers_are_compared_with_each_other() -> None:
    result = _full()
    figure = layer_cka(result, theme=LIGHT)
    np.testing.assert_allclose(figure.data[0].z, _explanation(result).corpus["layer_cka"].values, rtol=1e-6)
    assert (figure.data[0].zmin, figure.data[0].zmax) == (0, 1)


def test_what_is_missing_says_why() -> None:
    plain = explained(blocks=2, heads=2, family="plain", texts=1)
    without = measurement()
    figures: dict[str, list[Any]] = {
        "Attention cannot be read": [attention_map, attention_adjacent, circuit_eigenvalues, dominance],
        "The norms of this family": [norm_deviation],
        "One text alone": [within_between, layer_cka],
    }
    for words, builders in figures.items():
        for build in builders:
            arguments: list[Any] = [ROOT] if build is attention_map else []
            assert words in _words(build(plain, *arguments, theme=LIGHT))
            assert "no explanation was measured" in _words(build(without, *arguments, theme=LIGHT))


def test_empty_datasets_with_names_are_no_values() -> None:
    result = _full()
    empty = xr.full_like(_explanation(result).attention, np.nan)
    broken = replace(
        result, explanation=replace(_explanation(result), attention=empty, reasons={"attention": "It is <broken>."})
    )
    assert "It is &lt;broken&gt;." in _words(attention_map(broken, ROOT, theme=LIGHT))
