from __future__ import annotations

import math

import numpy as np
import pytest
from poppler import information

from oversmooth.metrics.toy import FLOOR, ToySettings, run
from oversmooth.report.export.images import image, missing_characters
from oversmooth.report.figures.theme import DARK, LIGHT, Theme
from oversmooth.report.figures.toy import toy_figure
from oversmooth.report.paper import PRESETS

SMOOTHING = ToySettings(0.0, 1.0, depth=200)
SHARPENING = ToySettings(-1.0, 0.0, depth=2000)


def headings(settings: ToySettings) -> list[str]:
    notes = [note.text for note in toy_figure(run(settings), theme=LIGHT).layout.annotations]
    return [text.removeprefix("<b>").removesuffix("</b>") for text in notes if text.startswith("<b>")]


def test_each_chart_says_whether_its_limit_was_reached() -> None:
    assert headings(SMOOTHING) == ["Input convergence: yes", "Angle convergence: yes", "Rank collapse: yes"]
    assert headings(SHARPENING) == ["Input convergence: no", "Angle convergence: yes", "Rank collapse: yes"]
    assert headings(ToySettings(depth=2)) == ["Input convergence: no", "Angle convergence: no", "Rank collapse: no"]


def test_lines_are_the_readings_of_the_toy() -> None:
    toy = run(SHARPENING)
    ratio, cosine, absolute, rank = toy_figure(toy, theme=LIGHT).data[:4]
    for trace, values in (
        (ratio, toy.ratio),
        (cosine, toy.cosine),
        (absolute, toy.absolute_cosine),
        (rank, toy.effective_rank),
    ):
        assert list(trace.y) == values.tolist()
        assert list(trace.x)[1:] == toy.steps.tolist()[1:]
        assert 0 < trace.x[0] < 1
    assert len({(trace.xaxis, trace.yaxis) for trace in (ratio, absolute, rank)}) == 3
    assert (cosine.xaxis, cosine.yaxis) == (absolute.xaxis, absolute.yaxis)
    assert cosine.line.dash != absolute.line.dash


@pytest.mark.parametrize("settings", [SMOOTHING, SHARPENING, ToySettings(0, 0, depth=1), ToySettings(3, 3, depth=2000)])
def test_every_value_is_in_view(settings: ToySettings) -> None:
    figure = toy_figure(run(settings), theme=LIGHT)
    assert figure.data
    for trace in figure.data:
        for values, axis in ((trace.x, trace.xaxis or "x"), (trace.y, trace.yaxis or "y")):
            axes = figure.layout[f"{axis[0]}axis{axis[1:]}"]
            shown = np.log10(np.array(values)) if axes.type == "log" else np.array(values)
            assert axes.range[0] < shown.min()
            assert shown.max() < axes.range[1]


def test_below_the_floor_of_float64_no_digits_are_drawn() -> None:
    figure = toy_figure(run(ToySettings(depth=2000)), theme=LIGHT)
    ratio = figure.data[0]
    assert min(ratio.y) == ratio.y[-1] == FLOOR
    assert ratio.text[-1] == "step 2,000<br><b>below the floor of float64</b>"
    assert "floor" not in ratio.text[0]
    label = next(note for note in figure.layout.annotations if note.text == "floor of float64")
    assert label.y == pytest.approx(math.log10(FLOOR))
    assert not any("floor" in note.text for note in toy_figure(run(SHARPENING), theme=LIGHT).layout.annotations)


def test_the_pair_that_decides_is_ringed_among_all_eigenvalues() -> None:
    toy = run(SHARPENING)
    weight, ringed, attention, other = toy_figure(toy, theme=LIGHT).data[4:]
    assert list(weight.x) == toy.weight_eigenvalues.tolist()
    assert list(attention.x) == toy.attention_eigenvalues.tolist()
    assert [*ringed.x, *other.x] == [-1.0, toy.attention_eigenvalues[0]]
    assert ringed.y[0] == weight.y[0] != attention.y[0] == other.y[0]
    assert ringed.marker.symbol == "circle-open"
    assert len(toy_figure(run(ToySettings(0, 0, depth=5)), theme=LIGHT).data) == 6


def test_sharpening_eigenvalues_are_shaded_only_where_the_residual_is_added() -> None:
    with_residual, without = (
        toy_figure(run(ToySettings(-1, 0, residual, depth=10)), theme=LIGHT).layout for residual in (True, False)
    )
    assert [(shape.x0, shape.x1) for shape in with_residual.shapes if shape.type == "rect"] == [(-1, 0)]
    assert not [shape for shape in without.shapes if shape.type == "rect"]
    assert "shaded: sharpening" in with_residual.annotations[-1].text
    assert "shaded" not in without.annotations[-1].text


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_are_those_of_the_theme(theme: Theme) -> None:
    figure = toy_figure(run(SMOOTHING), theme=theme)
    assert figure.layout.template.layout.paper_bgcolor == theme.paper
    assert {trace.line.color for trace in figure.data[:4]} == {theme.accent, theme.muted}


def test_it_can_be_drawn_on_paper_with_all_its_words() -> None:
    figure = toy_figure(run(SMOOTHING), theme=LIGHT)
    assert missing_characters(figure, PRESETS["single"]) == ""
    text = information(image(figure, "pdf", PRESETS["single"])).text
    for words in (
        "Input convergence: yes",
        "mean |cosine|",
        "floor of float64",
        "effective rank",
        "of H",
        "sharpening",
    ):
        assert words in text
