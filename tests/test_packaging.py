"""The wheel: complete, and able to serve the dashboard by itself."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest
from visitor import visit

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    (path,) = folder.glob("*.whl")
    return path


def sources(folder: str) -> set[str]:
    """The repository's own files under a folder, as the wheel should hold them."""
    files = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(ROOT).as_posix() for path in files}


def test_the_wheel_holds_the_package_and_the_dashboard(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert sources("oversmooth") <= names
    dashboard = sources("pages") | sources("assets") | {"app.py", ".streamlit/config.toml"}
    assert len(dashboard) >= 4
    assert {f"oversmooth/_app/{name}" for name in dashboard} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]


def test_the_wheel_names_licence_and_command(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    licence = next(name for name in archive.namelist() if name.endswith("licenses/LICENSE"))
    assert "Apache License" in archive.read(licence).decode()
    entry_points = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "oversmooth = oversmooth.__main__:main" in archive.read(entry_points).decode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(url: str, process: subprocess.Popen[str], seconds: float = 60) -> tuple[int, bytes]:
    """Status and body, once the server answers; fails at once where the server has ended."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return response.status, response.read()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, f"no answer from {url} within {seconds} seconds"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked, as an installer would."""
    folder = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


async def first_message_holds(address: str, part: bytes) -> bool:
    async with visit(address) as visitor:
        await visitor.until(lambda: bool(visitor.session))
        return any(part in frame for frame in visitor.frames)


@pytest.mark.slow
def test_the_dashboard_is_served_from_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    # A home without Streamlit's files, and a desktop: a first run, at which Streamlit would ask for an e-mail address.
    # No browser comes up: the path holds none, and the one named does nothing.
    environment = os.environ | {
        "PYTHONPATH": str(installed),
        "HOME": str(tmp_path),
        "PATH": str(tmp_path),
        "BROWSER": "/bin/true",
        "STREAMLIT_SERVER_HEADLESS": "false",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "oversmooth", "app", "--port", str(port)],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert fetch(f"{address}/_stcore/health", process) == (200, b"ok")
        status, page = fetch(f"{address}/", process)
        assert status == 200
        assert b"<html" in page
        assert asyncio.run(first_message_holds(address, b"#0072B2"))  # the look that .streamlit/config.toml describes
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert address in output
    assert "mail" not in output.lower()
    assert "statistics" not in output.lower()


FIRST_PAGE = """
from streamlit.testing.v1 import AppTest
import oversmooth.service.launch
page = AppTest.from_file(oversmooth.service.launch.script(), default_timeout=90).run()
assert not page.exception and not page.error, (page.exception, page.error)
print(oversmooth.service.launch.script(), len(page.get("plotly_chart")))
"""


@pytest.mark.slow
def test_the_first_page_is_drawn_from_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", FIRST_PAGE],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    script, charts = result.stdout.split()
    assert script == str(installed / "oversmooth" / "_app" / "app.py")
    assert int(charts) >= 3


def test_a_taken_port_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "oversmooth", "app", "--port", str(port)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert f"Port {port} is taken" in result.stderr
    assert "Traceback" not in result.stderr
