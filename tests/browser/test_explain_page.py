"""The page that explains, in a real browser."""

from __future__ import annotations

import re

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect
from workers import wait

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WATERFALL, TOY, OFFSETS = (f".st-key-chart_{name} .js-plotly-plot" for name in ("waterfall", "toy", "within_between"))
FIRST_OPEN = 120_000
TEXTS = "text=The+cat+sat+on+the+mat+and+looked+at+the+rain.&text=A+court+may+refuse+to+hear+the+appeal+of+a+party."
CHARTS = 16


def drawn(page: Page) -> None:
    """Wait until the last chart of the page is there."""
    page.wait_for_selector(f"{TOY} .scatterlayer .trace", timeout=FIRST_OPEN)
    page.wait_for_selector(f"{OFFSETS} .scatterlayer .trace", timeout=FIRST_OPEN)


def test_the_page_is_drawn_and_the_toy_follows_its_controls(page: Page) -> None:
    page.get_by_role("link", name="Explain").click()
    drawn(page)
    expect(page.locator("h1, h2").first).to_contain_text("Tokens grow")
    expect(page.get_by_text("Blocks 0–4 are mostly anisotropy")).to_be_visible()
    bars = page.eval_on_selector(WATERFALL, "plot => plot._fullData.filter(trace => trace.type === 'bar').length")
    assert bars > 0
    assert page.locator(".js-plotly-plot").count() == CHARTS
    verdict = page.get_by_text(re.compile("Input convergence after 200 steps"))
    expect(verdict).to_be_visible()
    page.get_by_text("Residual connection", exact=True).click()
    wait(lambda: "toy_residual=no" in page.evaluate("location.search"))
    page.locator(".st-key-toy_range").locator("input[type=range], [role=slider]").first.press("ArrowLeft")
    wait(lambda: "toy_low=-0.05" in page.evaluate("location.search"))
    assert "toy_residual=no" in page.url


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1440), ("light", 420)])
def test_it_fits_the_screen_in_both_themes(
    browser: Browser, server: tuple[str, psutil.Process], scheme: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{server[0]}/explain?{TEXTS}")
    drawn(page)
    background = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    assert page.evaluate(background) == {"light": "rgb(255, 255, 255)", "dark": "rgb(14, 17, 23)"}[scheme]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for chart in page.locator(".js-plotly-plot").all():
        box = chart.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width + 1
    context.close()
