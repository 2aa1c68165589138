from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import pytest
from charts import NAMES, chart, saying
from PIL import Image
from playwright.sync_api import Browser
from poppler import information

from oversmooth.core.errors import OutputError
from oversmooth.report.export.formats import image_formats
from oversmooth.report.export.images import image, missing_characters
from oversmooth.report.paper import PRESETS

RECORD = json.dumps({"model": "naïve “model” (∂)", "seed": 3, "warnings": ["a\nb"] * 400}, ensure_ascii=False)
SINGLE = PRESETS["single"]
SOME: list[tuple[str, str]] = [("curve", "pdf"), ("compared_curve", "svg"), ("map", "png"), ("spectrum", "pdf")]


def _digests() -> dict[str, str]:
    return {f"{name} {form}": hashlib.sha256(image(chart(name), form, SINGLE)).hexdigest() for name, form in SOME}


@pytest.mark.parametrize("dpi", [300, 600])
@pytest.mark.parametrize(("preset", "width"), [("single", 3.25), ("double", 6.75), ("slide", 40 / 3)])
def test_a_png_has_the_pixels_of_its_width_and_says_its_resolution(preset: str, width: float, dpi: int) -> None:
    picture = Image.open(io.BytesIO(image(chart("curve"), "png", PRESETS[preset], dpi=dpi)))
    assert picture.width == round(width * dpi)
    if preset == "slide":
        assert 9 * picture.width == 16 * picture.height
    assert picture.info["dpi"] == pytest.approx((dpi, dpi), abs=0.1)


@pytest.mark.parametrize("width", [2.95, 3.3, 4.57, 5.125, 7.01])
def test_any_other_width_is_as_exact(width: float) -> None:
    preset = dataclasses.replace(SINGLE, width=width, points=7.0)
    pixels = Image.open(io.BytesIO(image(chart("map"), "png", preset, dpi=300)))
    assert pixels.width == round(300 * width)
    assert information(image(chart("map"), "pdf", preset)).width == pytest.approx(72 * width, abs=1e-3)


def test_the_record_comes_back_whole_from_every_format_for_paper() -> None:
    figure = chart("curve")
    assert information(image(figure, "pdf", SINGLE, record=RECORD)).keywords == RECORD
    drawing = ElementTree.fromstring(image(figure, "svg", SINGLE, record=RECORD))
    assert drawing.findtext(".//{http://purl.org/dc/elements/1.1/}description") == RECORD
    picture = Image.open(io.BytesIO(image(figure, "png", SINGLE, record=RECORD)))
    assert picture.info["oversmooth-record"] == RECORD


def test_the_title_is_in_the_metadata_and_above_a_titled_figure_alone() -> None:
    titled = dataclasses.replace(SINGLE, titled=True)
    words = "Cosine of <tokens> & $more$"
    plain, headed = (information(image(chart("curve"), "pdf", each, title=words)) for each in (SINGLE, titled))
    assert plain.title == headed.title == words
    assert words in headed.text
    assert words not in plain.text
    assert (
        "<title>Cosine of &lt;tokens&gt; &amp; $more$</title>"
        in image(chart("curve"), "html", SINGLE, title=words).decode()
    )


def test_the_same_figure_is_the_same_file_in_another_process_without_a_browser() -> None:
    code = """
import sys
from oversmooth.report import paper
from oversmooth.report.export import images
assert "matplotlib" not in sys.modules
from test_images import _digests
print(_digests())
"""
    environment = {key: value for key, value in os.environ.items() if key != "PATH"}
    folders = [str(folder) for folder in sys.path] + [str(Path(__file__).parent)]
    environment |= {"PATH": "", "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(folders)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(_digests())


def test_eight_threads_at_once_write_the_files_that_one_writes() -> None:
    jobs: list[tuple[str, str]] = [(name, form) for name, _ in SOME for form in ("pdf", "svg")]
    alone = [image(chart(name), form, SINGLE) for name, form in jobs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda job: image(chart(job[0]), job[1], SINGLE), jobs))
    assert together == alone


def test_settings_of_matplotlib_that_a_notebook_made_change_nothing_and_stay() -> None:
    plain = image(chart("curve"), "svg", SINGLE)
    own: dict[Any, Any] = {
        "text.usetex": True,
        "axes.grid": True,
        "lines.linewidth": 9,
        "font.family": ["fantasy"],
        "font.size": 30,
    }
    with mpl.rc_context(own):
        assert image(chart("curve"), "svg", SINGLE) == plain
        assert mpl.rcParams["text.usetex"] is True
        assert mpl.rcParams["font.size"] == 30


def test_html_needs_no_network_and_has_no_button_to_a_cloud() -> None:
    page = image(chart("map"), "html", SINGLE).decode()
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", page)
    options = re.search(r'"displaylogo".*?\}', page)
    assert options is not None
    assert '"sendChartToCloud"' in options[0]
    assert page == image(chart("map"), "html", SINGLE).decode()


@pytest.mark.browser
def test_html_draws_itself_and_asks_for_nothing(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("page") / "figure.html"
    file.write_bytes(image(chart("map"), "html", SINGLE))
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_selector(".js-plotly-plot .hm image")
    buttons = page.locator(".modebar-btn").evaluate_all("all => all.map(each => each.dataset.title)")
    page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert buttons
    assert not [title for title in buttons if re.search("cloud|share|plotly", title or "", re.IGNORECASE)]


def test_characters_without_a_font_are_told_and_shown_as_code_points() -> None:
    figure = chart("curve")
    changed = saying("curve", "one \U0010fff0 two")
    assert missing_characters(changed, SINGLE) == "\U0010fff0"
    assert "one ⟨U+10FFF0⟩ two" in information(image(changed, "pdf", SINGLE)).text
    assert missing_characters(figure, SINGLE) == ""


@pytest.mark.parametrize("name", NAMES)
def test_no_plain_character_of_a_figure_is_missing(name: str) -> None:
    assert not [each for each in missing_characters(chart(name), SINGLE) if ord(each) < 0x250]


def test_what_cannot_be_written_is_refused_in_a_sentence() -> None:
    with pytest.raises(OutputError, match=r"no format “gif” for figures: choose pdf, svg, png or html"):
        image(chart("curve"), "gif", SINGLE)
    with pytest.raises(OutputError, match=r"A PNG 3\.25 in wide cannot have 10000 dots per inch"):
        image(chart("curve"), "png", SINGLE, dpi=10_000)
    assert image_formats() == ("pdf", "svg", "png", "html")


def test_a_page_too_low_for_a_chart_and_its_legend_is_refused_in_a_sentence() -> None:
    low = dataclasses.replace(SINGLE, height=2.25)
    assert information(image(chart("curve"), "pdf", low)).height == pytest.approx(162)
    with pytest.raises(OutputError, match=r"leave no room for it on a page of 3\.25 × 2\.25 in: choose a larger one"):
        image(chart("compared_curve_legend"), "pdf", low)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"width": 1.0}, "1 in wide cannot be drawn: choose from 2.25 to 40 in"),
        ({"height": 90.0}, "90 in high"),
        ({"points": 6.0}, "6 points cannot be set: choose from 7 to 40"),
        ({"width": 2.5, "points": 12.0}, "2.5 in wide has no room for text of 12 points: at most 7.8"),
        ({"typeface": "comic"}, "no typeface “comic”"),
    ],
)
def test_a_size_that_leaves_no_room_is_refused_in_a_sentence(change: dict[str, object], words: str) -> None:
    with pytest.raises(OutputError, match=re.escape(words)):
        dataclasses.replace(SINGLE, **change)  # type: ignore[arg-type]
