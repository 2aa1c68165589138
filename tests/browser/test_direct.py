"""Pages that are opened by their own address, on a server at the root and on one below a path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Response, expect
from served import served

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = ("measure", "compare", "explain", "reference")


@pytest.fixture(scope="module", params=["", "over/it"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("server") / "log", base_path=request.param) as server:
        yield f"{server.address}/{request.param}".rstrip("/")


def test_no_request_fails_and_nothing_is_complained_of(address: str, browser: Browser) -> None:
    for name in PAGES:
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        page = context.new_page()
        failed: list[str] = []
        asked: list[str] = []
        page.on("response", lambda answer: _note(answer, failed, asked))  # noqa: B023
        page.on("console", lambda said: failed.append(said.text) if said.type == "error" else None)  # noqa: B023
        page.goto(f"{address}/{name}")
        expect(page.get_by_role("link", name="Explain")).to_be_visible(timeout=60_000)
        assert failed == []
        # The server is found at once, and asked nowhere else.
        assert [each.removeprefix(address) for each in asked] == ["/_stcore/health", "/_stcore/host-config"]
        _leads_on(page, address)
        context.close()


def _note(answer: Response, failed: list[str], asked: list[str]) -> None:
    if answer.status >= 400:
        failed.append(f"{answer.status} {answer.url}")
    if answer.url.endswith(("/_stcore/health", "/_stcore/host-config")):
        asked.append(answer.url)
        asked.sort()


def _leads_on(page: Page, address: str) -> None:
    page.get_by_role("link", name="Reference").click()
    page.wait_for_url(f"{address}/reference*")
