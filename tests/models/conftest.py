"""Model folders and a hub that offers them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from families import build
from hub_server import Hub, serving
from huggingface_hub import constants
from tiny import tokenizer


def save(folder: Path, family: str = "bert") -> Path:
    """A tiny random model of that family with its tokenizer, as a user would save it."""
    folder.mkdir(parents=True, exist_ok=True)
    build(family).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Saves a tiny model into a folder of the test's own."""
    return lambda family="bert", name="model": save(tmp_path / name, family)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on loopback in place of the real one, with an empty cache. It offers ``lab/tiny``."""
    with serving(Hub()) as offered:
        _point_to(offered.url, tmp_path / "cache", monkeypatch)
        yield offered


@pytest.fixture
def no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network: nothing listens where the hub should be."""
    _point_to("http://127.0.0.1:9", tmp_path / "cache", monkeypatch)


def _point_to(url: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What HF_ENDPOINT and HF_HUB_CACHE set when the hub's client is imported.
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
