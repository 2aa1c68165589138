"""What a real browser draws: the only place where Plotly's own reading of a label shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from awkward import SEEN
from playwright.sync_api import Browser, Page
from synthetic import comparison_of, measurement, variant
from synthetic_explanation import explained

from oversmooth.core.tokens import TICK_CHARACTERS
from oversmooth.report.figures import CONFIG
from oversmooth.report.figures.compared_curves import compared_curve
from oversmooth.report.figures.compared_spectra import compared_spectra
from oversmooth.report.figures.deltas import delta_curve
from oversmooth.report.figures.eigenvalues import circuit_eigenvalues
from oversmooth.report.figures.identity import sides
from oversmooth.report.figures.layer_cka import layer_cka
from oversmooth.report.figures.plane import fidelity_plane
from oversmooth.report.figures.similarity import MOST_LABELS, similarity_map
from oversmooth.report.figures.spectrum import spectrum
from oversmooth.report.figures.theme import DARK, LIGHT

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test on a dialog, an error, or a request that leaves the machine."""
    page = browser.new_page(viewport={"width": 1200, "height": 1400})
    trouble: list[str] = []
    page.on("dialog", lambda dialog: trouble.append(f"dialog {dialog.message}"))
    page.on("pageerror", lambda error: trouble.append(f"error {error}"))
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: None if request.url.startswith("file:") else trouble.append(request.url))
    yield page
    page.close()
    assert trouble == []


def _show(page: Page, figure: go.Figure, folder: Path, config: Mapping[str, Any] | None = CONFIG) -> None:
    file = folder / "figure.html"
    figure.write_html(file, include_plotlyjs=True, config=config)
    page.goto(file.as_uri())
    page.wait_for_selector(".main-svg .ytick text")


def _words(page: Page, selector: str) -> list[str]:
    found: list[str] = page.eval_on_selector_all(selector, "found => found.map(one => one.textContent)")
    return [text.replace("\u2068", "").replace("\u2069", "").replace("\xa0", " ") for text in found]


@pytest.mark.parametrize("start", range(0, len(SEEN), MOST_LABELS))
def test_every_awkward_token_is_drawn_as_itself(start: int, page: Page, tmp_path: Path) -> None:
    tokens = list(SEEN)[start : start + MOST_LABELS]
    _show(page, similarity_map(measurement(words=tokens, blocks=1), "0", theme=LIGHT), tmp_path)
    for axis in ("xtick", "ytick"):
        drawn = _words(page, f".{axis} text")
        if axis == "ytick" and drawn[0] != _short(SEEN[tokens[0]]):
            drawn.reverse()
        assert drawn == [_short(SEEN[token]) for token in tokens]
    assert page.locator(".main-svg a, .main-svg image[href^=http]").count() == 0

    area = page.locator(".hm image").first.bounding_box()
    assert area is not None
    assert area["width"] == pytest.approx(area["height"], abs=2)
    for position in range(len(tokens)):
        share = (position + 0.5) / len(tokens)
        page.mouse.move(area["x"] + area["width"] * share, area["y"] + area["height"] * share)
        name = f"“{SEEN[tokens[position]]}” ({position + 1})"
        page.wait_for_function(
            "text => [...document.querySelectorAll('.hoverlayer text')]"
            ".some(one => one.textContent.replace(/[\\u2068\\u2069]/g, '').replace(/\\xa0/g, ' ') === text)",
            arg=f"{name} × {name}: 1.00",
            timeout=5000,
        )
    assert page.locator(".hoverlayer a").count() == 0


def test_a_square_is_as_large_after_a_wide_screen_as_before(page: Page, tmp_path: Path) -> None:
    """As in the full screen of a chart, and back."""

    def redrawn(width: int) -> list[float]:
        page.evaluate(
            "width => { const plot = document.querySelector('.js-plotly-plot');"
            "return Plotly.react(plot, plot.data, {...plot.layout, width}) }",
            width,
        )
        ends: list[float] = page.evaluate(
            "() => { const {xaxis, yaxis} = document.querySelector('.js-plotly-plot')._fullLayout;"
            "return [xaxis._length, yaxis._length, ...xaxis.range, ...yaxis.range] }"
        )
        return ends

    result = explained()
    for figure in (
        similarity_map(measurement(), "0", theme=LIGHT),
        layer_cka(result, theme=LIGHT),
        circuit_eigenvalues(result, 0, theme=LIGHT),
    ):
        _show(page, figure, tmp_path)
        first = redrawn(460)
        assert redrawn(1400) != first
        assert redrawn(460) == pytest.approx(first)


def _short(seen: str) -> str:
    return seen if len(seen) <= TICK_CHARACTERS else seen[: TICK_CHARACTERS - 1] + "…"


@pytest.mark.parametrize("config", [CONFIG, None], ids=["page", "notebook"])
def test_no_button_sends_the_chart_away(config: Mapping[str, Any] | None, page: Page, tmp_path: Path) -> None:
    _show(page, similarity_map(measurement(), "0", theme=DARK), tmp_path, config)
    titles = page.eval_on_selector_all(".modebar-btn", "found => found.map(one => one.dataset.title)")
    assert any(title.startswith("Download") for title in titles)
    assert not [title for title in titles if "share" in title.lower() or "cloud" in title.lower()]


def test_a_page_shows_no_logo(page: Page, tmp_path: Path) -> None:
    _show(page, similarity_map(measurement(), "0", theme=DARK), tmp_path)
    assert page.locator(".modebar-btn").count() > 0
    assert page.locator(".modebar-btn.plotlyjsicon").count() == 0


def test_logarithmic_ticks_are_powers_of_ten(page: Page, tmp_path: Path) -> None:
    result = measurement(words=["a", "b", "c", "d"], blocks=1, final_norm=False)
    result.spectra["raw"].loc[0, :] = [1000.0, 1.0, 1e-3, 1e-4]
    _show(page, spectrum(result, "0", centred=False, logarithmic=True, theme=LIGHT), tmp_path)
    drawn = [text.replace("\u200b", "") for text in _words(page, ".ytick text")]
    assert {"10−3", "10−2", "1", "10", "102", "103"} <= set(drawn)
    assert not [text for text in drawn if text.endswith(("m", "μ", "µ", "k"))]


LONG = {
    f"softdecay:alpha=-0.{n},<b>blend</b>=0.5,safe=yes,where=default+neutreno:strength=0.4": -0.1 * n
    for n in range(1, 7)
}
SHORT = {"<s>": -0.2, "$x$": -0.4, '<a href="http://x">y</a>': -0.6}


@pytest.mark.parametrize("labels", [LONG, SHORT], ids=["long", "short"])
def test_names_of_sides_are_whole_on_a_phone(labels: dict[str, float], page: Page, tmp_path: Path) -> None:
    width = 360
    page.set_viewport_size({"width": width, "height": 900})
    comparison = comparison_of({label: variant(strength) for label, strength in labels.items()})
    control = comparison_of({"weak": variant(-0.1), "strong": variant(-0.3)})
    figures = (
        compared_curve(comparison, "token_cosine", theme=LIGHT),
        delta_curve(comparison, "token_cosine", theme=DARK),
        compared_spectra(comparison, "4", centred=False, logarithmic=True, theme=LIGHT),
        fidelity_plane(comparison, "5", controls={"Noise": control}, theme=LIGHT),
    )
    parts = [
        figure.to_html(full_html=False, include_plotlyjs=number == 0, config=CONFIG)
        for number, figure in enumerate(figures)
    ]
    file = tmp_path / "figures.html"
    file.write_text("<meta charset='utf-8'><body style='margin:0'>" + "".join(parts), encoding="utf-8")
    page.goto(file.as_uri())
    charts = page.locator(".plotly-graph-div")
    assert charts.count() == len(figures)
    for chart in charts.all():
        chart.locator(".ytick text").first.wait_for()
        names = chart.locator(".legendtext, .annotation-text").all()
        drawn = "".join(one.text_content() or "" for one in names).replace(" ", "")
        for side in sides(comparison, LIGHT)[1:]:
            assert side.name.replace(" ", "") in drawn
        for one in names:
            box = one.bounding_box()
            assert box is not None
            assert -1 <= box["x"] <= box["x"] + box["width"] <= width + 1
    assert page.locator(".main-svg a").count() == 0
