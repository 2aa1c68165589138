from __future__ import annotations

import copy
import html
import io
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest
from charts import NAMES, chart, pdf
from PIL import Image
from poppler import fonts, information, words
from synthetic import comparison_of, measurement

from oversmooth.core.errors import OutputError
from oversmooth.report.export.images import image, missing_characters
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.figures.theme import DARK
from oversmooth.report.paper import PRESETS
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

SINGLE = PRESETS["single"]


def _plain(markup: str) -> str:
    return html.unescape(re.sub(r"<br>", " ", re.sub(r"<(?!br)[^>]*>", "", markup)))


def _texts(figure: go.Figure) -> Iterator[str]:
    """What stands on the screen apart from ticks: titles, annotations and the names in a legend."""
    layout = figure.layout
    yield from (_plain(note.text) for note in layout.annotations)
    yield _plain(layout.title.text or "")
    axes = [layout[key] for key in layout if re.match("[xy]axis", key)]
    yield from (_plain(axis.title.text or "") for axis in axes)
    if layout.showlegend:
        yield from (_plain(trace.name) for trace in figure.data if trace.name and trace.showlegend is not False)
    yield from (_plain(trace.colorbar.title.text) for trace in figure.data if trace.type == "heatmap")


@pytest.mark.parametrize("name", NAMES)
def test_a_pdf_has_the_width_of_the_column_and_its_fonts_within_it(name: str) -> None:
    content = pdf(name)
    assert information(content).width == 3.25 * 72
    found = fonts(content)
    assert found
    for font in found:
        assert font.kind in ("TrueType", "CID TrueType"), font
        assert font.embedded, font
        assert font.with_unicode, font


@pytest.mark.parametrize("name", NAMES)
def test_every_word_of_the_screen_is_text_on_the_page(name: str) -> None:
    content = pdf(name)
    page = information(content)
    found = words(content)
    for word, (left, top, right, bottom) in found:
        # Poppler's boxes are those of the font, above and below the ink.
        assert left >= 0, word
        assert right <= page.width, word
        assert top >= -2, word
        assert bottom <= page.height + 2, word
    every = {word for text, _ in found for word in text.replace("\u00a0", " ").split()}
    for text in _texts(chart(name)):
        assert [word for word in text.split() if word not in every] == []


@pytest.mark.parametrize("preset", ["single", "slide"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_reaches_the_end_of_the_page(name: str, preset: str) -> None:
    content = image(chart(name), "png", PRESETS[preset], dpi=72, title="What is shown, in a heading of many words " * 3)
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert (edge == 255).all()
    # Nor is there a page with nothing on it.
    assert (pixels < 128).any()


@pytest.mark.parametrize("name", NAMES)
def test_an_svg_holds_its_text_as_text_no_smaller_than_seven_points_and_curves_as_paths(name: str) -> None:
    drawing = ElementTree.fromstring(image(chart(name), "svg", SINGLE))
    assert drawing.attrib["width"] == "234pt"
    sizes = [re.search(r"font-size: ([\d.]+)px", each.attrib["style"]) for each in _all(drawing, "text")]
    assert sizes
    assert min(float(size[1]) for size in sizes if size) >= 7
    # A map and its colour bar are pictures, and nothing else is one.
    maps = [trace for trace in chart(name).data if trace.type == "heatmap"]
    assert len(_all(drawing, "image")) == 2 * len(maps)


def _all(drawing: ElementTree.Element, tag: str) -> list[ElementTree.Element]:
    return list(drawing.iter(f"{{http://www.w3.org/2000/svg}}{tag}"))


def test_every_entry_of_a_legend_is_there_once_and_in_the_order_of_the_screen() -> None:
    figure = chart("compared_spectra_long")
    names = [trace.name for trace in figure.data if trace.name and trace.showlegend is not False]
    assert len(names) == 9
    for preset in ("single", "double"):
        text = information(image(figure, "pdf", PRESETS[preset])).text
        places = [text.index(name) for name in names]
        assert places == sorted(places)
        assert [text.count(name) for name in names] == [1] * 9


@pytest.mark.parametrize("result", [measurement(), comparison_of(3)], ids=["measurement", "comparison"])
def test_every_figure_that_a_result_has_can_be_drawn(result: Measurement | Comparison) -> None:
    for name, drawable in figures_of(result).items():
        assert missing_characters(drawable.build(), SINGLE) == "", name


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("layout", "polar"), {"hole": 0.1}),
        (("layout", "xaxis", "tickprefix"), "no. "),
        (("layout", "xaxis", "zerolinelayer"), "above traces"),
        (("layout", "yaxis", "type"), "date"),
        (("layout", "images"), [{"source": "a.png"}]),
        (("layout", "legend"), {"orientation": "v"}),
        (("layout", "annotations"), [{"text": "a", "showarrow": True}]),
        (("layout", "shapes"), [{"type": "circle"}]),
        (("data", "fill"), "tozeroy"),
        (("data", "error_y"), {"array": [1]}),
        (("data", "mode"), "lines+text"),
        (("data", "marker", "symbol"), "hexagram"),
        (("data", "marker", "opacity"), 0.5),
        (("data", "line", "shape"), "hv"),
        (("data", "stackgroup"), "one"),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
def test_what_paper_would_leave_out_is_refused_with_its_name(path: tuple[str, ...], value: Any) -> None:
    whole = copy.deepcopy(chart("curve").to_plotly_json())
    place = whole["data"][-1] if path[0] == "data" else whole["layout"]
    for key in path[1:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = value
    figure = go.Figure(whole)
    with pytest.raises(OutputError, match=rf"A chart with .*{path[-1]}.* cannot be drawn on paper: export it as HTML"):
        image(figure, "pdf", SINGLE)


def test_an_area_without_a_colour_of_its_own_is_refused() -> None:
    whole = chart("curve_texts").to_plotly_json()
    area = next(trace for trace in whole["data"] if "fill" in trace)
    left = {key: value for key, value in area.items() if key != "fillcolor"}
    with pytest.raises(OutputError, match="A chart with no colour of its own for “scatter” cannot be drawn on paper"):
        image(go.Figure([left], whole["layout"]), "pdf", SINGLE)


def test_a_kind_of_trace_that_is_not_drawn_is_refused_with_its_name() -> None:
    figure = go.Figure(go.Histogram(y=[1, 2]), {"template": chart("curve").layout.template})
    with pytest.raises(OutputError, match="a trace of the kind “histogram” cannot be drawn on paper"):
        image(figure, "svg", SINGLE)
    figure = go.Figure(go.Scatter(y=[1, 2]), {"template": chart("curve").layout.template})
    with pytest.raises(OutputError, match=r"no “scatter\.mode” of its own"):
        image(figure, "svg", SINGLE)


@pytest.mark.parametrize("result", [measurement(), comparison_of(1)], ids=["measurement", "comparison"])
def test_a_figure_of_the_dark_theme_is_refused(result: Measurement | Comparison) -> None:
    for name, drawable in figures_of(result, theme=DARK).items():
        with pytest.raises(OutputError, match="Paper is white: build the figure with the light theme"):
            pytest.fail(f"{name}: {len(image(drawable.build(), 'png', SINGLE))} bytes")
