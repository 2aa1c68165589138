from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator

import nearest
import pytest
import torch
from chromium import chromium
from playwright.sync_api import Browser
from reference.single import BACKENDS, on_backend

from oversmooth.service.hosting import current


@pytest.fixture(autouse=True)
def _configuration_is_read_anew() -> Iterator[None]:
    """Whatever a test sets the server up with, by variables or a file, holds for it and for no other."""
    current.cache_clear()
    yield
    current.cache_clear()


@pytest.fixture(scope="session", params=[name for name in BACKENDS if name != "cuda" or torch.cuda.is_available()])
def _backend(request: pytest.FixtureRequest) -> Iterator[None]:
    """Numbers on NumPy, on torch on the CPU, and on a GPU where there is one."""
    with on_backend(request.param):
        yield


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
        now = {file: round(each, 1) for file, each in self._seconds.items()}
        nearest.KEPT.parent.mkdir(exist_ok=True)
        nearest.KEPT.write_text(json.dumps(nearest.kept() | now))


def pytest_configure(config: pytest.Config) -> None:
    # Not of a part of a file, and by one process alone where several run tests.
    whole = (
        not any("::" in each for each in config.args)
        and not config.getoption("keyword")
        and not config.getoption("lf", False)
    )
    if whole and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Seconds())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes run tests, the longest files begin first: none is left alone with one at the end."""
    if hasattr(config, "workerinput"):
        seconds, tests = nearest.kept(), Counter(item.location[0] for item in items)

        def order(item: pytest.Item) -> tuple[float, int, str]:
            file = item.location[0]
            return -seconds.get(file, nearest.UNKNOWN), -tests[file], file

        items.sort(key=order)
