"""The screen figure and the figure on paper carry the same numbers, read off the drawing by its labelled ticks."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from functools import cache
from typing import Any
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest
from charts import chart, pdf, redrawn
from numpy.typing import NDArray
from PIL import Image
from poppler import images, rendered
from synthetic import measurement

from oversmooth.report.export.images import image
from oversmooth.report.figures.similarity import similarity_map
from oversmooth.report.figures.theme import LIGHT
from oversmooth.report.paper import PRESETS

SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
SINGLE = PRESETS["single"]
SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
Reading = Callable[[NDArray[np.float64]], NDArray[np.float64]]
CURVES = [
    "curve",
    "curve_gaps",
    "curve_texts",
    "small_curve",
    "compared_curve",
    "compared_curve_legend",
    "delta_curve",
    "plane",
    "spectrum",
    "spectrum_linear",
    "spectrum_long",
    "spectrum_floor",
    "compared_spectra",
    "compared_spectra_long",
]


@cache
def _drawing(name: str) -> ElementTree.Element:
    return ElementTree.fromstring(image(chart(name), "svg", SINGLE))


def _group(drawing: ElementTree.Element, name: str) -> ElementTree.Element:
    return next(each for each in drawing.iter(f"{SVG}g") if each.get("id") == name)


def _vertices(path: str) -> NDArray[np.float64]:
    return np.asarray([[float(number) for number in pair] for pair in re.findall(r"[ML] (\S+) (\S+)", path)])


def _reading(pane: ElementTree.Element, axis: int, *, logarithmic: bool) -> Reading:
    """From points on the page to values, by the ticks that have a number beside them."""
    places, values = [], []
    for tick in pane.iter(f"{SVG}g"):
        if not re.match(f"{'xy'[axis]}tick_", tick.get("id", "")):
            continue
        label = next(iter(tick.iter(f"{SVG}text")), None)
        written = (label.text or "").replace(",", "").replace("−", "-") if label is not None else ""
        if not re.fullmatch(r"-?[\d.]+%?|10[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", written):
            continue
        marks = [float(each.attrib["xy"[axis]]) for each in tick.iter(f"{SVG}use")]
        lines = [_vertices(each.attrib["d"])[0, axis] for each in tick.iter(f"{SVG}path") if "clip-path" in each.attrib]
        power = written[2:].translate(SUPERSCRIPTS)
        value = 10 ** float(power) if power != written[2:] else float(written.rstrip("%"))
        value /= 100 if written.endswith("%") else 1
        places.append([*marks, *lines][0])
        values.append(np.log10(value) if logarithmic else value)
    slope, start = np.polyfit(places, values, 1)
    assert len(places) >= 2
    # The ticks themselves stand at equal distances of what they say.
    assert np.allclose(np.polyval([slope, start], places), values, atol=1e-4 * np.ptp(values))

    def read(points: NDArray[np.float64]) -> NDArray[np.float64]:
        found = slope * np.asarray(points, dtype=np.float64) + start
        values: NDArray[np.float64] = np.power(10.0, found) if logarithmic else found
        return values

    return read


def _panes(figure: go.Figure) -> dict[tuple[str, str], tuple[str, str]]:
    """Names of the axes of each trace, with the group that has numbers at its x ticks and its own."""
    pairs = list(dict.fromkeys((trace.xaxis or "x", trace.yaxis or "y") for trace in figure.data))
    groups = [f"axes_{number + 1}" for number in range(len(pairs))]
    return {pair: (groups[-1], group) for pair, group in zip(pairs, groups, strict=True)}


def _read(name: str, trace: Any) -> tuple[Reading, Reading, ElementTree.Element]:
    figure, drawing = chart(name), _drawing(name)
    below, own = _panes(figure)[(trace.xaxis or "x", trace.yaxis or "y")]
    axis = figure.layout[f"yaxis{(trace.yaxis or 'y')[1:]}"]
    pane = _group(drawing, own)
    x = _reading(_group(drawing, below), 0, logarithmic=False)
    return x, _reading(pane, 1, logarithmic=axis.type == "log"), pane


def _places(uses: list[ElementTree.Element], x: Reading, y: Reading) -> NDArray[np.float64]:
    """Where markers stand, in values."""
    points = np.asarray([[float(each.attrib["x"]), float(each.attrib["y"])] for each in uses])
    return np.stack([x(points[:, 0]), y(points[:, 1])], axis=1)


def _rgb(colour: str) -> str:
    parts = re.fullmatch(r"rgba?\((\d+), (\d+), (\d+)(?:, [\d.]+)?\)", colour)
    return "#" + "".join(f"{int(part):02x}" for part in parts.groups()) if parts else colour


def _runs(x: Any, y: Any) -> NDArray[np.float64]:
    pairs = np.asarray([x, [np.nan if each is None else each for each in y]], dtype=float).T
    whole: NDArray[np.float64] = pairs[np.isfinite(pairs).all(axis=1)]
    return whole


@pytest.mark.parametrize("name", CURVES)
def test_every_line_runs_through_the_values_of_the_screen(name: str) -> None:
    lines = [trace for trace in chart(name).data if trace.type == "scatter" and "lines" in trace.mode]
    assert lines
    for trace in lines:
        x, y, pane = _read(name, trace)
        colour, dash = _rgb(trace.line.color), trace.line.dash or "solid"
        expected = _runs(trace.x, trace.y)
        span = np.ptp(np.vstack([_runs(each.x, each.y) for each in lines]), axis=0) + 1e-9
        found = []
        for path in pane.iter(f"{SVG}path"):
            style = path.get("style", "")
            if f"stroke: {colour}" not in style or ("stroke-dasharray" in style) != (dash != "solid"):
                continue
            points = _vertices(path.attrib["d"])
            if len(points) == len(expected):
                found.append(np.stack([x(points[:, 0]), y(points[:, 1])], axis=1))
        assert any((np.abs(points - expected) < 1e-3 * span).all() for points in found), trace.name


def test_a_band_is_an_area_with_the_corners_of_the_screen() -> None:
    (trace,) = [each for each in chart("curve_texts").data if each.fill == "toself"]
    x, y, pane = _read("curve_texts", trace)
    (area,) = [each for each in pane.iter(f"{SVG}path") if "fill: #0072b2; fill-opacity: 0.2" in each.get("style", "")]
    # One vector path, of a piece on each side of the gap, each closed.
    assert (area.attrib["d"].count("M "), area.attrib["d"].count("z")) == (2, 2)
    corners = _vertices(area.attrib["d"])
    expected = _runs(trace.x, trace.y)
    assert len(expected) == 2 * 24
    np.testing.assert_allclose(x(corners[:, 0]), expected[:, 0], atol=0.02)
    np.testing.assert_allclose(y(corners[:, 1]), expected[:, 1], atol=1e-3)


def test_a_band_in_a_pdf_is_no_picture_and_has_its_colour_on_the_page() -> None:
    assert images(pdf("curve_texts")) == []
    page = rendered(pdf("curve_texts"), 144).astype(int)
    # A fifth of the accent on white.
    tint = np.round(0.2 * np.array([0, 114, 178]) + 0.8 * 255)
    share = (np.abs(page - tint).sum(axis=2) < 6).mean()
    assert 0.03 < share < 0.3


@pytest.mark.parametrize("name", CURVES)
def test_every_marker_stands_at_a_value_of_the_screen_in_its_colour(name: str) -> None:
    marked = [trace for trace in chart(name).data if "markers" in trace.mode and not trace.marker.maxdisplayed]
    for trace in marked:
        x, y, pane = _read(name, trace)
        expected = _runs(trace.x, trace.y)
        colours = trace.marker.color if isinstance(trace.marker.color, tuple) else [trace.marker.color] * len(trace.x)
        fills = [
            colour for colour, value in zip(colours, trace.y, strict=True) if value is not None and np.isfinite(value)
        ]
        uses = list(pane.iter(f"{SVG}use"))
        found = _places(uses, x, y)
        span = np.ptp(expected, axis=0) + 1.0
        for place, fill in zip(expected, fills, strict=True):
            near = np.flatnonzero((np.abs(found - place) < 2e-3 * span).all(axis=1))
            open_ = trace.marker.symbol and "open" in str(trace.marker.symbol)
            assert any(_rgb(fill) in uses[index].get("style", "") or open_ for index in near), (trace.name, place)


def test_lines_have_the_widths_and_dashes_of_the_screen() -> None:
    """Plotly's dashes are multiples of the line width, of 3 pixels at least; 12 pixels are 8 points here."""
    dashes = {"dot": [3, 3], "dash": [9, 9], "dashdot": [9, 3, 3, 3], "longdash": [15, 15]}
    dashes["8px 2px 2px 2px 2px 2px"] = [8, 2, 2, 2, 2, 2]
    styles = [each.get("style", "") for each in _drawing("compared_curve_legend").iter(f"{SVG}path")]
    lines = [trace for trace in chart("compared_curve_legend").data if trace.line.dash in dashes]
    assert {trace.line.dash for trace in lines} >= {"dot", "dash", "dashdot", "longdash"}
    for trace in lines:
        ours = [style for style in styles if f"stroke: {trace.line.color};" in style and "dasharray" in style]
        found = [
            [float(length) for length in re.findall(r"[\d.]+", style[style.index("dasharray:") :].partition(";")[0])]
            for style in ours
            if f"stroke-width: {8 / 12 * trace.line.width:.6f}".rstrip("0") in style
        ]
        expected = [8 / 12 * length for length in dashes[trace.line.dash]]
        assert any(len(each) == len(expected) and np.allclose(each, expected, atol=1e-3) for each in found), trace.name


def test_words_on_a_logarithmic_axis_stand_at_their_value() -> None:
    trace = next(each for each in chart("spectrum_floor").data if each.yaxis is None)
    _, y, _ = _read("spectrum_floor", trace)
    texts = {each.text: float(each.attrib["y"]) for each in _drawing("spectrum_floor").iter(f"{SVG}text")}
    baseline = next(place for text, place in texts.items() if text and text.startswith("resolution of a float32 pass"))
    # A few points above the dashed line at 4.
    assert 4.0 < y(np.asarray([baseline]))[0] < 4.3


def test_a_gap_in_a_line_stays_one() -> None:
    trace = max(chart("curve_gaps").data, key=lambda each: len(each.x))
    assert None in trace.y
    _, _, pane = _read("curve_gaps", trace)
    paths = [each.attrib["d"] for each in pane.iter(f"{SVG}path") if "stroke: #0072b2" in each.get("style", "")]
    assert max(path.count("M ") for path in paths) == 2


def test_a_thinned_line_has_the_markers_of_the_screen() -> None:
    """At most as many as the figure says, evenly, staggered from line to line."""
    figure = chart("compared_spectra_thinned")
    traces = [trace for trace in figure.data if trace.marker.maxdisplayed and trace.yaxis is None]
    assert len(traces) == 3
    first: list[int] = []
    for trace in traces:
        x, y, pane = _read("compared_spectra_thinned", trace)
        uses = [each for each in pane.iter(f"{SVG}use") if f"fill: {trace.marker.color}" in each.get("style", "")]
        found = _places(uses, x, y)
        ours = [i for i, pair in enumerate(_runs(trace.x, trace.y)) if (np.abs(found - pair) < 1e-3).all(axis=1).any()]
        assert trace.marker.maxdisplayed / 2 < len(ours) <= trace.marker.maxdisplayed
        assert len(set(np.diff(ours))) == 1
        first.append(ours[0])
    # Which of the first four are marked, as counted in a browser.
    assert first == [0, 3, 1]


def _levels(z: NDArray[np.float64], low: float, high: float, colours: Any) -> NDArray[np.float64]:
    """Colours between those of the scale, channel by channel."""
    shares = [share for share, _ in colours]
    channels = np.asarray([[int(written[i : i + 2], 16) for i in (1, 3, 5)] for _, written in colours])
    return np.stack([np.interp((z - low) / (high - low), shares, channel) for channel in channels.T], axis=-1)


@pytest.mark.parametrize("name", ["map", "map_long", "map_factor", "compared_map", "difference_map"])
def test_a_map_in_a_pdf_is_an_image_of_its_cells_in_the_colours_of_the_scale(name: str) -> None:
    trace = chart(name).data[0]
    z = np.asarray(trace.z, dtype=float)
    expected = _levels(z, trace.zmin, trace.zmax, trace.colorscale)
    found = [each for each in images(pdf(name)) if each.shape == (*z.shape, 3)]
    assert len(found) == 1
    # Which end is up is told by the page, below.
    errors = [np.abs(turned - expected).max() for turned in (found[0].astype(float), found[0][::-1].astype(float))]
    assert min(errors) <= 0.51


def test_the_rows_of_a_map_run_downwards_and_its_columns_to_the_right() -> None:
    z = np.full((11, 11), -1.0, dtype=np.float32)
    z[1, 8] = 1.0
    plain = similarity_map(measurement(), "5", theme=LIGHT)
    figure = redrawn(plain, lambda canvas: canvas.traces[0].update(z=z, zmin=-1, zmax=1))
    page = rendered(image(figure, "pdf", SINGLE), 144).astype(int)
    top, bottom, left, right = _extent(page, (0, 34, 78))
    row, column = np.argwhere(np.abs(page - (254, 232, 56)).sum(axis=2) < 30)[-20:].mean(axis=0)
    assert int(11 * (row - top) / (bottom - top)) == 1
    assert int(11 * (column - left) / (right - left)) == 8


def _extent(page: NDArray[np.int_], colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Ends of the rows that are of one colour for the most part, and of these columns."""
    same = np.abs(page - colour).sum(axis=2) < 30
    rows, columns = np.flatnonzero(same.mean(axis=1) > 0.5), np.flatnonzero(same.mean(axis=0) > 0.5)
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


@pytest.mark.parametrize("name", ["map", "map_long"])
def test_a_map_in_an_svg_is_one_picture_of_its_cells(name: str) -> None:
    sizes = []
    for each in _drawing(name).iter(f"{SVG}image"):
        assert each.attrib[LINK].startswith("data:image/png;base64,")
        sizes.append(_png_size(each.attrib[LINK].split(",", 1)[1]))
    cells = np.asarray(chart(name).data[0].z).shape
    assert sizes.count((cells[1], cells[0])) == 1


def _png_size(encoded: str) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(encoded))).size
