"""What a browser fetches at a first visit, and at the next."""

from __future__ import annotations

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST = 3_000_000
"""Bytes of a first visit."""
DRAWN = ".st-key-chart_spectrum .js-plotly-plot .scatterlayer .trace"


def fetched(context: BrowserContext, address: str) -> dict[str, int]:
    """Bytes that came over the wire until the page was drawn, by what was asked for."""
    page: Page = context.new_page()
    names: dict[str, str] = {}
    found: dict[str, int] = {}
    session = context.new_cdp_session(page)
    session.on("Network.responseReceived", lambda event: names.update({event["requestId"]: event["response"]["url"]}))
    session.on(
        "Network.loadingFinished",
        lambda event: found.update({names.get(event["requestId"], ""): int(event["encodedDataLength"])}),
    )
    session.send("Network.enable")
    page.goto(address)
    expect(page.locator(DRAWN).first).to_be_attached(timeout=60_000)
    page.wait_for_load_state("networkidle")
    return {name.removeprefix(address): moved for name, moved in found.items() if name.startswith("http") and moved}


def test_a_second_visit_fetches_the_page_alone(server: tuple[str, psutil.Process], browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    first, second = (fetched(context, server[0]) for _ in range(2))
    context.close()
    assert any("PlotlyChart" in name for name in first)
    assert sum(first.values()) < MOST
    # The page, and where its server is.
    assert set(second) == {"/", "/_stcore/health", "/_stcore/host-config"}
