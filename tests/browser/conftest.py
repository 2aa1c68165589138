"""A dashboard served as a user serves it, and pages of it that watch for trouble."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import psutil
import pytest
from playwright.sync_api import Browser, Page
from workers import wait


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, psutil.Process]]:
    """A dashboard on loopback: its address and its process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "oversmooth", "app", "--port", str(port)]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as sink, subprocess.Popen(command, stdout=sink, stderr=sink) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            wait(lambda: process.poll() is not None or _answers(address))
            yield address, psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert "Traceback" not in log.read_text()


def _answers(address: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health") as answer:
        return bool(answer.status == 200)
    return False


@pytest.fixture
def page(browser: Browser, server: tuple[str, psutil.Process]) -> Iterator[Page]:
    """The page opened fresh; fails the test on a console error or a request that leaves the machine."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    local = (server[0], server[0].replace("http", "ws"), "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(local) else trouble.append(request.url))
    page.goto(server[0])
    yield page
    context.close()
    assert trouble == []
