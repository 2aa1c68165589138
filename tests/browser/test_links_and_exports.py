"""Links and exports in a real browser: an address restores the page, and what is downloaded is what was promised."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pandas as pd
import psutil
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tiny import minilm
from workers import wait as until

from oversmooth import Settings, measure
from oversmooth.results.comparison_settings import ComparisonSettings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TEXT = "The cat sat on the mat & looked: naïve 猫?"
FIRST_OPEN = 90_000
DRAWN = {"": ".st-key-chart_similarity .hm image", "compare": ".st-key-chart_plane .scatterlayer .point"}


@pytest.fixture
def page(browser: Browser, server: tuple[str, psutil.Process]) -> Iterator[Page]:
    """A page that may use the clipboard; fails the test on an error of the page's own."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 1000},
        permissions=["clipboard-read", "clipboard-write"],
        accept_downloads=True,
    )
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    yield page
    context.close()
    assert trouble == []


def open_link(page: Page, server: tuple[str, psutil.Process], path: str = "", **query: Any) -> None:
    page.goto(f"{server[0]}/{path}?{urlencode(query, doseq=True)}")
    wait(page, path)


def wait(page: Page, path: str = "") -> None:
    """Until the whole page is drawn, down to the row of buttons at its end."""
    page.wait_for_selector(DRAWN[path], timeout=FIRST_OPEN)
    expect(page.get_by_role("button", name="Everything in one zip")).to_be_visible(timeout=FIRST_OPEN)
    # Not the sign of a running script, which comes late: until then, what is drawn is of the run before.
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=FIRST_OPEN)


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.evaluate("location.href")).query, keep_blank_values=True)


def figures(page: Page) -> dict[str, Any]:
    """What is drawn: the traces of every chart, by its key."""
    found: dict[str, Any] = page.evaluate(
        "() => Object.fromEntries(Array.from(document.querySelectorAll('[class*=st-key-chart_]')).map(box => "
        "[Array.from(box.classList).find(name => name.startsWith('st-key-chart_')), "
        "JSON.stringify(box.querySelector('.js-plotly-plot').data)]))"
    )
    return found


def download(page: Page, button: Locator) -> tuple[str, bytes]:
    with page.expect_download(timeout=FIRST_OPEN) as waiting:
        button.click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def export(page: Page, form: str) -> tuple[str, bytes]:
    """Take a format in the menu that is open."""
    page.get_by_role("radio", name=form, exact=True).click()
    return download(page, page.get_by_role("button", name=f"Download {form}"))


def test_a_link_opens_the_page_as_it_was_and_changes_with_it(page: Page, server: tuple[str, psutil.Process]) -> None:
    open_link(page, server, text=TEXT, layer="2", scale="Linear", curve=["rankme", "mean_norm"])
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    expected = measure(Settings.of(texts=TEXT, device="cpu"), model=minilm())
    assert expected.similarity is not None
    cells = page.eval_on_selector(
        ".st-key-chart_similarity .js-plotly-plot",
        "plot => Array.from(plot._fullData[0].z).flatMap(row => Array.from(row))",
    )
    assert cells == pytest.approx(expected.similarity.sel(point="2").values.ravel().tolist(), abs=1e-3)

    slider = page.locator(".st-key-layer input[type=range], .st-key-layer [role=slider]").first
    slider.focus()
    slider.press("ArrowRight")
    # Not Playwright's own wait for a function: it evaluates a string, which the page's policy forbids.
    until(lambda: query(page).get("layer") == ["3"])
    page.locator(".st-key-special_tokens label").first.click()
    until(lambda: query(page).get("special_tokens") == ["yes"])
    wait(page)
    asked = query(page)
    assert asked == {
        "text": [TEXT],
        "special_tokens": ["yes"],
        "curve": ["rankme", "mean_norm"],
        "layer": ["3"],
        "scale": ["Linear"],
    }
    before = figures(page)
    page.reload()
    wait(page)
    assert figures(page) == before
    assert query(page) == asked


def test_a_comparison_comes_back_from_its_link_and_the_button_copies_it(
    page: Page, server: tuple[str, psutil.Process]
) -> None:
    label = "<b>mine</b> 100 %"
    own = json.dumps({"label": label, "texts": ["A bird sang in the tree by the river."]})
    open_link(page, server, "compare", text=TEXT, variant=["softdecay:blend=0.5", own], layer="3", mapped=label)
    expect(page.locator(".st-key-chosen_variant [role=radio]")).to_have_count(3)
    before = figures(page)
    page.locator(".copy-link").click()
    expect(page.locator(".copy-link")).to_have_text("Copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    page.goto("about:blank")
    page.goto(link)
    wait(page, "compare")
    assert figures(page) == before
    settings = ComparisonSettings.from_json(download(page, page.get_by_role("button", name="Settings", exact=True))[1])
    assert [name for name, _ in settings.variants] == ["softdecay:blend=0.5", label]


def test_a_link_with_junk_draws_the_page_and_says_what_it_could_not_read(
    page: Page, server: tuple[str, psutil.Process]
) -> None:
    open_link(page, server, text=TEXT, device="<img src=x onerror=alert(1)>", layer="99", colour="red")
    expect(page.get_by_text("The link names “colour”, which is no control.")).to_be_visible()
    expect(page.get_by_text("The link asks for layer “99”")).to_be_visible()
    assert query(page) == {"text": [TEXT]}
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_text("The link names “colour”")).to_have_count(0)


def test_what_is_downloaded_is_what_was_promised(
    page: Page, server: tuple[str, psutil.Process], tmp_path: Path
) -> None:
    open_link(page, server, text=TEXT)
    page.locator(".st-key-export_curve button").first.click()
    name, content = export(page, "PDF")
    assert name == "token_cosine.pdf"
    assert "Page size:       234 x" in pdfinfo(content, tmp_path)  # 3.25 in of 72 points

    name, content = export(page, "PNG")
    assert (name, int.from_bytes(content[16:20])) == ("token_cosine.png", round(3.25 * 300))
    name, content = export(page, "HTML")
    assert name == "token_cosine.html"
    assert b"Plotly.newPlot" in content
    assert b"__streamlit" not in content  # what the server puts into its own pages
    page.keyboard.press("Escape")

    expected = measure(Settings.of(texts=TEXT, device="cpu", centred_spectra=True), model=minilm())
    name, content = download(page, page.get_by_role("button", name="CSV", exact=True))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        curves = pd.read_csv(archive.open("curves.csv"))
    cosines = curves[(curves["metric"] == "token_cosine") & curves["point"].isin([str(block) for block in range(6)])]
    values = expected.curve("token_cosine")
    assert cosines["value"].tolist() == pytest.approx([values[str(block)] for block in range(6)], rel=1e-6)
    _, content = download(page, page.get_by_role("button", name="NPZ", exact=True))
    arrays = np.load(io.BytesIO(content))
    assert expected.similarity is not None
    np.testing.assert_allclose(arrays["similarity"], expected.similarity.values, atol=1e-6)

    name, content = download(page, page.get_by_role("button", name="Everything in one zip"))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        settings = archive.read("settings.json")
    assert {"README.txt", "record.json", "curves.csv", "figures/token_cosine.pdf"} <= set(names)
    assert Settings.from_json(settings).texts == (TEXT,)

    # The same file, dropped into a fresh page, brings all of it back.
    page.goto(server[0])
    wait(page)
    page.get_by_text("Open settings", exact=True).click()
    page.locator(".st-key-settings_file input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/zip", "buffer": content}
    )
    expect(page.get_by_text("The controls are set as oversmooth.zip says.")).to_be_visible(timeout=30_000)
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)


def pdfinfo(content: bytes, folder: Path) -> str:
    path = folder / "figure.pdf"
    path.write_bytes(content)
    return subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout


def test_the_button_of_a_file_is_in_sight_wherever_its_menu_opens(
    page: Page, server: tuple[str, psutil.Process]
) -> None:
    page.goto(server[0])
    menu = page.locator(".st-key-export_curve button").first
    expect(menu).to_be_visible(timeout=60_000)
    expect(page.locator(".st-key-chart_spectrum .js-plotly-plot")).to_be_visible(timeout=60_000)
    for height in (1000, 640):
        page.set_viewport_size({"width": 1440, "height": height})
        for block in ("start", "center", "end"):
            menu.evaluate("(button, block) => button.scrollIntoView({block})", block)
            menu.click()
            button = page.locator(".st-key-download_curve button")
            expect(button).to_be_in_viewport(ratio=1)
            # Read in the page: between two draws the driver may find no box.
            box = page.get_by_test_id("stPopoverBody").evaluate("body => body.getBoundingClientRect().toJSON()")
            assert box["height"] >= 0.4 * height
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= height
            page.keyboard.press("Escape")
            expect(button).to_have_count(0)
