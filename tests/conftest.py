from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from oversmooth.hosting import current

OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(autouse=True)
def _configuration_is_read_anew() -> Iterator[None]:
    """Whatever a test sets the server up with, by variables or a file, holds for it and for no other."""
    current.cache_clear()
    yield
    current.cache_clear()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium: the system's, or the one that Playwright installed."""
    installed = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next((found for name in installed if (found := shutil.which(name))), None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()
