from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import chromium
from playwright.sync_api import Browser

from oversmooth.service.hosting import current


@pytest.fixture(autouse=True)
def _configuration_is_read_anew() -> Iterator[None]:
    """Whatever a test sets the server up with, by variables or a file, holds for it and for no other."""
    current.cache_clear()
    yield
    current.cache_clear()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium, for the tests of one module."""
    with chromium() as browser:
        yield browser
