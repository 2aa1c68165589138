"""The Chromium that the tests drive: the system's, or the one that Playwright installed.

As a program it starts that and draws a page, or says why it cannot: ``python tests/chromium.py``.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, Error, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PAGE: Final = "data:text/html,<title>drawn</title><body>"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


def main() -> None:
    """Start it and have it draw a page."""
    try:
        with chromium() as browser:
            page = browser.new_page()
            page.goto(PAGE)
            page.screenshot()
            if page.title() != "drawn":
                sys.exit("The browser starts and draws nothing.")
    except (Error, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
