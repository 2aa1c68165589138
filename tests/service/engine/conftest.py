from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from oversmooth.service.engine import Engine, supervisor


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """One worker without limits, shared by most tests: starting one takes seconds."""
    # Workers that are crashed on purpose inherit this: they leave no core files.
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    with Engine() as engine:
        yield engine
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    # However busy the machine, a cancelled run comes to its next point before its worker is killed and started anew.
    monkeypatch.setattr(supervisor, "CANCEL_SECONDS", 60.0)
