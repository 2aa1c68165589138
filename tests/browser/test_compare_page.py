"""The page that compares, in a real browser."""

from __future__ import annotations

import re
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect
from tiny import minilm
from workers import wait, working

from oversmooth import Comparison, Settings, compare
from oversmooth.dashboard.controls.texts import examples
from oversmooth.dashboard.controls.variants import NEWCOMER

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CURVE, DELTA, MAP, DIFFERENCE, SPECTRA, PLANE = (
    f".st-key-chart_{name} .js-plotly-plot"
    for name in ("compared_curve", "delta", "map_variant", "map_difference", "compared_spectra", "plane")
)
FIRST_OPEN = 90_000
LABELS = ["baseline", *NEWCOMER]


@pytest.fixture(scope="module")
def expected() -> Comparison:
    """What the first open compares, computed in this process."""
    return compare(Settings.of(texts=examples()[0].text, device="cpu"), NEWCOMER, model=minilm())


@pytest.fixture
def compared(page: Page) -> Page:
    """The page, opened through the navigation, when all of it is drawn."""
    page.get_by_role("link", name="Compare").click()
    page.wait_for_selector(f"{PLANE} .scatterlayer .point", timeout=FIRST_OPEN)
    page.wait_for_selector(f"{DIFFERENCE} .hm image", timeout=FIRST_OPEN)
    return page


def lines(page: Page, chart: str = CURVE) -> dict[str, list[float]]:
    """The lines that are drawn, by the name of their side."""
    found: dict[str, list[float]] = page.eval_on_selector(
        chart,
        "plot => Object.fromEntries(plot._fullData.filter(trace => trace.mode === 'lines+markers')"
        ".map(trace => [trace.name, Array.from(trace.y)]))",
    )
    return found


def cells(page: Page, chart: str) -> list[float]:
    """The values of a map, once it stands there: the page may be drawing it anew."""
    values = (
        "chart => Array.from(document.querySelector(chart)?._fullData?.[0]?.z ?? []).flatMap(row => Array.from(row))"
    )
    wait(lambda: bool(page.evaluate(values, chart)))
    found: list[float] = page.evaluate(values, chart)
    return found


def wait_for_line(page: Page, name: str) -> None:
    named = "chart => document.querySelector(chart)?._fullData?.map(trace => trace.name) ?? []"
    wait(lambda: name in page.evaluate(named, CURVE))


def sides(page: Page) -> list[str]:
    """The pills of the sides, in order."""
    return [text.strip() for text in page.locator(".st-key-chosen_variant [role=radio]").all_inner_texts()]


def press(page: Page, key: str, arrow: str) -> None:
    slider = page.locator(f".st-key-{key} input[type=range], .st-key-{key} [role=slider]").first
    slider.focus()
    slider.press(arrow)


def test_first_open_draws_four_sides_with_the_right_numbers(compared: Page, expected: Comparison) -> None:
    assert sides(compared) == LABELS
    drawn = lines(compared)
    assert list(drawn) == LABELS
    for label, measurement in expected.measurements.items():
        assert drawn[label] == pytest.approx(list(measurement.curve("token_cosine").values()), rel=1e-4)
    for label in NEWCOMER:
        deltas = expected.deltas("token_cosine", label)
        assert lines(compared, DELTA)[label] == pytest.approx(list(deltas.values()), abs=1e-6)
    ours, theirs = (expected.measurements[label].similarity for label in ("softdecay", "baseline"))
    assert ours is not None
    assert theirs is not None
    change = (ours.sel(point="5") - theirs.sel(point="5")).values.ravel().tolist()
    assert cells(compared, DIFFERENCE) == pytest.approx(change, abs=1e-3)
    expect(compared.get_by_role("heading", name=re.compile("Mean cosine at block 5"))).to_be_visible()
    swatches = compared.locator(".st-key-chosen_variant [role=radio] img")
    expect(swatches).to_have_count(4)
    assert all(swatch.evaluate("image => image.naturalWidth") == 40 for swatch in swatches.all())


def test_a_slider_changes_its_own_variant_alone(compared: Page) -> None:
    before = lines(compared)
    press(compared, "1-softdecay-blend", "ArrowRight")
    wait_for_line(compared, "softdecay:blend=0.22")
    after = lines(compared)
    assert sides(compared) == ["baseline", "softdecay:blend=0.22", "neutreno", "attnscale"]
    assert after["softdecay:blend=0.22"][-1] < before["softdecay"][-1]
    assert all(after[label] == before[label] for label in ("baseline", "neutreno", "attnscale"))
    press(compared, "1-softdecay-blend", "ArrowLeft")
    wait_for_line(compared, "softdecay")
    assert lines(compared) == before


def test_the_layer_slider_moves_maps_and_plane_without_a_run(
    compared: Page, server: tuple[str, psutil.Process], expected: Comparison
) -> None:
    (worker,) = working(server[1])
    first = cells(compared, MAP)[1]
    worker.suspend()  # whatever the page draws now, no model has run for it
    try:
        press(compared, "layer", "ArrowLeft")
        wait(lambda: cells(compared, MAP)[1] != first)
        similarity = expected.measurements["softdecay"].similarity
        assert similarity is not None
        assert cells(compared, MAP) == pytest.approx(similarity.sel(point="4").values.ravel().tolist(), abs=1e-3)
        expect(compared.locator(PLANE)).to_contain_text("At block 4")
    finally:
        worker.resume()


def test_variants_are_chosen_added_named_and_removed(compared: Page) -> None:
    compared.locator(".st-key-chosen_variant [role=radio]").nth(3).click()
    expect(compared.locator(".st-key-variant")).to_contain_text("Not meant for frozen weights")
    choose(compared, "Add a variant", "Another text")
    expect(compared.locator(".st-key-chosen_variant [role=radio]")).to_have_count(5)
    label = "<img src=x onerror=alert(1)> www.a.org"
    box = compared.locator(".st-key-4-name input")
    box.fill(label)
    box.press("Enter")
    text = compared.locator(".st-key-4-text textarea")
    text.fill("A bird sang in the tree, and nobody by the river heard it.")
    text.press("Control+Enter")
    expect(compared.locator(".st-key-chosen_variant [role=radio]").nth(4)).to_contain_text("<img src=x")
    wait(lambda: compared.evaluate(f"document.querySelector('{CURVE}')._fullData.length") == 5)
    assert compared.locator(".st-key-chosen_variant [role=radio]").nth(4).locator("img, a").count() == 1
    compared.get_by_role("button", name="Remove", exact=True).click()
    expect(compared.locator(".st-key-chosen_variant [role=radio]")).to_have_count(4)


def choose(page: Page, label: str, option: str) -> None:
    box = page.get_by_role("combobox", name=label)
    box.fill(option)
    box.press("Enter")


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1440), ("light", 420)])
def test_both_themes_and_narrow_screens(
    browser: Browser, server: tuple[str, psutil.Process], scheme: Any, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{server[0]}/compare")
    page.wait_for_selector(f"{PLANE} .scatterlayer .point", timeout=FIRST_OPEN)
    # Wide enough for it, the way to the other pages is there, though this one was the first.
    assert width < 1000 or page.get_by_role("link", name="Reference").is_visible()
    background = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    paper = f"getComputedStyle(document.querySelector('{CURVE} .main-svg')).backgroundColor"
    wait(lambda: page.evaluate(f"{background} === {paper}"))
    assert page.evaluate(background) == {"light": "rgb(255, 255, 255)", "dark": "rgb(14, 17, 23)"}[scheme]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for side in page.locator(".st-key-chosen_variant [role=radio]").all():
        box = side.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width
    context.close()
