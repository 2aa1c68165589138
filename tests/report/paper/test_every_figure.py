from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest
from charts import NAMES, chart, pdf, redrawn
from PIL import Image
from poppler import fonts, information, words
from synthetic import comparison_of, measurement

from oversmooth.core.errors import OutputError
from oversmooth.report.export.images import image, missing_characters
from oversmooth.report.figures.canvas import Canvas
from oversmooth.report.figures.curves import curve
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.figures.theme import DARK, LIGHT
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
        (("axes", "xaxis", "tickprefix"), "no. "),
        (("axes", "xaxis", "zerolinelayer"), "above traces"),
        (("axes", "yaxis", "type"), "date"),
        (("annotations", 0, "showarrow"), True),
        (("shapes", 0, "type"), "circle"),
        (("traces", -1, "fill"), "tozeroy"),
        (("traces", -1, "error_y"), {"array": [1]}),
        (("traces", -1, "mode"), "lines+text"),
        (("traces", -1, "marker", "symbol"), "hexagram"),
        (("traces", -1, "marker", "opacity"), 0.5),
        (("traces", -1, "line"), {"color": "#000000", "width": 1, "shape": "hv"}),
        (("traces", -1, "stackgroup"), "one"),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_what_paper_would_leave_out_is_refused_with_its_name(path: tuple[str | int, ...], value: Any) -> None:
    def change(canvas: Canvas) -> None:
        place = getattr(canvas, str(path[0]))
        for key in path[1:-1]:
            place = place[key]
        place[path[-1]] = value

    figure = redrawn(chart("curve"), change)
    key = "shape" if path[-1] == "line" else path[-1]
    with pytest.raises(OutputError, match=rf"A chart with .*{key}.* cannot be drawn on paper: export it as HTML"):
        image(figure, "pdf", SINGLE)


@pytest.mark.parametrize(
    "change",
    [
        {"polar": {"hole": 0.1}},
        {"images": [{"source": "a.png"}]},
        {"legend": {"orientation": "v"}},
        {"title": {"text": "A title of one's own"}},
        {"xaxis": {"range": [0, 1]}},
        {"template": {"layout": {"font": {"size": 30}}}},
        {"annotations": [{"text": "a note of one's own"}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_figure_that_was_changed_is_refused_rather_than_drawn_as_it_was(change: dict[str, Any]) -> None:
    figure = figures_of(measurement())["token_cosine"].build()
    assert image(figure, "svg", SINGLE)
    figure.update_layout(change, overwrite=True)
    with pytest.raises(OutputError, match="was changed since, or is of another hand: export it as HTML"):
        image(figure, "svg", SINGLE)
    assert image(figure, "html", SINGLE)


@pytest.mark.parametrize(
    "change",
    [
        lambda figure: setattr(figure.data[-1], "y", [0.5] * len(figure.data[-1].y)),
        lambda figure: setattr(figure.data[-1].marker, "size", 3),
        lambda figure: setattr(figure.layout.template.layout.font, "size", 30),
        lambda figure: setattr(figure, "data", figure.data[:-1]),
        lambda figure: setattr(figure.layout, "shapes", ()),
        lambda figure: figure.add_scatter(x=[1], y=[1]),
        lambda figure: figure.add_vline(x=3),
        lambda figure: setattr(figure, "frames", [go.Frame(name="later")]),
    ],
    ids=["values", "marker", "template", "fewer", "shapes", "more", "line", "frames"],
)
def test_whatever_was_changed_the_figure_is_never_drawn_as_it_was(change: Callable[[go.Figure], object]) -> None:
    figure = curve(measurement(), "token_cosine", selected="3", theme=LIGHT)
    change(figure)
    with pytest.raises(OutputError, match="was changed since"):
        image(figure, "png", SINGLE)


def test_a_figure_that_was_only_looked_at_is_drawn() -> None:
    figure = curve(measurement(), "token_cosine", selected="3", theme=LIGHT)
    plain = image(figure, "svg", SINGLE)
    assert figure.layout.polar is not None
    assert repr(figure)
    assert figure.to_html()
    assert figure.data[0].marker.colorbar is not None
    assert image(figure, "svg", SINGLE) == plain


@pytest.mark.parametrize("figure", [go.Figure(), go.Figure(chart("curve"))], ids=["foreign", "copy"])
def test_a_figure_that_was_not_drawn_here_is_refused_in_a_sentence(figure: go.Figure) -> None:
    with pytest.raises(OutputError, match="Paper takes a figure as Oversmooth drew it, and this one is a copy"):
        missing_characters(figure, SINGLE)


def test_an_area_without_a_colour_of_its_own_is_refused() -> None:
    def change(canvas: Canvas) -> None:
        (area,) = [trace for trace in canvas.traces if "fill" in trace]
        del area["fillcolor"]

    with pytest.raises(OutputError, match="A chart with no colour of its own for “scatter” cannot be drawn on paper"):
        image(redrawn(chart("curve_texts"), change), "pdf", SINGLE)


def test_a_kind_of_trace_that_is_not_drawn_is_refused_with_its_name() -> None:
    figure = redrawn(chart("curve"), lambda canvas: canvas.traces.append({"type": "histogram", "y": [1, 2]}))
    with pytest.raises(OutputError, match="a trace of the kind “histogram” cannot be drawn on paper"):
        image(figure, "svg", SINGLE)
    figure = redrawn(chart("curve"), lambda canvas: canvas.add(x=[1, 2], y=[1, 2]))
    with pytest.raises(OutputError, match=r"no “scatter\.mode” of its own"):
        image(figure, "svg", SINGLE)


@pytest.mark.parametrize("result", [measurement(), comparison_of(1)], ids=["measurement", "comparison"])
def test_a_figure_of_the_dark_theme_is_refused(result: Measurement | Comparison) -> None:
    for name, drawable in figures_of(result, theme=DARK).items():
        with pytest.raises(OutputError, match="Paper is white: build the figure with the light theme"):
            pytest.fail(f"{name}: {len(image(drawable.build(), 'png', SINGLE))} bytes")
