"""The reference page in a real browser: finding an entry, changing its example, and the way to Compare."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from oversmooth.dashboard.reference.matrices import PRESETS, SPREAD
from oversmooth.dashboard.reference.page import TEXT

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRST_OPEN = 90_000
CHART, COMPARED = (f".st-key-chart_{name} .js-plotly-plot" for name in ("effect", "compared_curve"))
MARKERS, ROW = 32, 35
"""Pixels of an edited table: the width of the column at its left, the height of a row."""
VALUE = "[data-testid=stMetricValue]"


@pytest.fixture
def reference(page: Page) -> Page:
    page.get_by_role("link", name="Reference").click()
    expect(page.get_by_placeholder("Title, name or author")).to_be_visible(timeout=FIRST_OPEN)
    return page


def set_cell(page: Page, row: int, column: int, text: str) -> None:
    """Type into a cell of the matrix, counted from 0."""
    table = page.locator(".stDataFrameGlideDataEditor").first
    cell = page.get_by_test_id(f"glide-cell-{column + 1}-{row}")
    box = table.bounding_box()
    assert box is not None
    width = (box["width"] - MARKERS) / 3
    table.click(position={"x": MARKERS + width * (column + 0.5), "y": ROW * (row + 1.5)})
    expect(cell).to_have_attribute("aria-selected", "true", timeout=FIRST_OPEN)
    page.keyboard.press("Enter")
    editor = page.locator("input.gdg-input")
    expect(editor).to_be_focused(timeout=FIRST_OPEN)
    editor.fill(text)
    editor.press("Enter")


def test_an_entry_is_searched_opened_changed_and_left(reference: Page) -> None:
    search = reference.get_by_placeholder("Title, name or author")
    search.press_sequentially("kobayashi")
    expect(reference.get_by_role("button", name="Stable rank")).to_have_count(0, timeout=FIRST_OPEN)
    reference.get_by_role("button", name="Mean token norm").click()
    expect(reference.get_by_role("heading", name="Mean token norm")).to_be_visible(timeout=FIRST_OPEN)
    expect(reference).to_have_url(re.compile(r"/reference\?entry=mean_norm$"))
    expect(reference.locator(".katex-error")).to_have_count(0, timeout=FIRST_OPEN)
    tokens = np.array(PRESETS[SPREAD])
    expect(reference.locator(VALUE)).to_have_text(f"{np.linalg.norm(tokens, axis=1).mean():.3f}", timeout=FIRST_OPEN)
    tokens[1, 2] = 30
    set_cell(reference, 1, 2, "30")
    expect(reference.locator(VALUE)).to_have_text(f"{np.linalg.norm(tokens, axis=1).mean():.3f}", timeout=FIRST_OPEN)
    reference.go_back()
    expect(search).to_have_value("kobayashi", timeout=FIRST_OPEN)


def test_a_mitigation_is_drawn_and_its_link_opens_the_same_comparison(reference: Page) -> None:
    reference.get_by_role("button", name="Noise (control)", exact=True).click()
    reference.wait_for_selector(f"{CHART} .scatterlayer .point", timeout=FIRST_OPEN)
    drawn = lines(reference, CHART)
    assert list(drawn) == ["baseline", "noise"]
    with reference.expect_popup() as popup:
        reference.get_by_role("link", name="Open in Compare").click()
    compared = popup.value
    compared.wait_for_selector(f"{COMPARED} .scatterlayer .point", timeout=FIRST_OPEN)
    expect(compared.get_by_test_id("stSidebar")).to_contain_text(TEXT)
    assert lines(compared, COMPARED) == drawn
    compared.get_by_text("How these metrics are defined").click()
    example = compared.get_by_role("link", name="A small example").first
    expect(example).to_have_attribute("href", re.compile(r"reference\?entry=token_cosine$"))


def lines(page: Page, chart: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = page.eval_on_selector(
        chart,
        "plot => Object.fromEntries(plot._fullData.filter(trace => trace.mode === 'lines+markers')"
        ".map(trace => [trace.name, Array.from(trace.y)]))",
    )
    return found


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1440), ("light", 420)])
def test_both_themes_and_narrow_screens(
    browser: Browser, server: tuple[str, psutil.Process], scheme: Any, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    for entry in ("", "lsds"):
        page.goto(f"{server[0]}/reference?entry={entry}")
        expect(page.get_by_role("heading").first).to_be_visible(timeout=FIRST_OPEN)
        script = page.get_by_test_id("stApp")
        expect(script).to_have_attribute("data-test-script-state", "notRunning", timeout=FIRST_OPEN)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
