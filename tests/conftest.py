from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator

import nearest
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


class Seconds:
    """Keeps what each file of tests takes, for :mod:`nearest`, which chooses some of them."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.location[0]] += report.duration

    def pytest_sessionfinish(self) -> None:
        known = json.loads(nearest.KEPT.read_text()) if nearest.KEPT.is_file() else {}
        nearest.KEPT.parent.mkdir(exist_ok=True)
        nearest.KEPT.write_text(json.dumps(known | {file: round(each, 1) for file, each in self._seconds.items()}))


def pytest_configure(config: pytest.Config) -> None:
    # Not of a part of a file, and by one process alone where several run tests.
    whole = (
        not any("::" in each for each in config.args)
        and not config.getoption("keyword")
        and not config.getoption("lf", False)
    )
    if whole and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Seconds())
