"""A test that hangs fails within its limit, and shows what every thread was doing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HANGS = """
import signal
import threading

def waits_in_the_background():
    threading.Event().wait()

def test_waits():
    threading.Thread(target=waits_in_the_background, daemon=True).start()
    {hidden}
    never = threading.Lock()
    never.acquire()
    never.acquire()

def test_next():
    pass
"""
HIDDEN = "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])"
"""As where code below Python does not come back."""


def run(folder: Path, hidden: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Such a test under the project's own configuration, with limits of a second or two."""
    file = folder / "test_that_hangs.py"
    file.write_text(HANGS.format(hidden=hidden))
    limits = ("-o", "timeout=1", "-o", "faulthandler_timeout=2", "-p", "no:cacheprovider")
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), *limits, *options, str(file)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("options", [(), ("--numprocesses", "1")])
def test_a_hang_fails_with_all_stacks_and_the_next_test_runs(options: tuple[str, ...], tmp_path: Path) -> None:
    ended = run(tmp_path, "", *options)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert "1 failed, 1 passed" in said
    assert "Timeout" in said
    assert "never.acquire()" in said
    assert "in waits_in_the_background" in said


def test_what_no_signal_reaches_is_ended_with_all_stacks(tmp_path: Path) -> None:
    ended = run(tmp_path, HIDDEN)
    assert ended.returncode == 1
    assert "Timeout" in ended.stderr
    assert "in test_waits" in ended.stderr
    assert "in waits_in_the_background" in ended.stderr


def test_every_test_has_a_limit(pytestconfig: pytest.Config) -> None:
    first, last = float(pytestconfig.getini("timeout")), float(pytestconfig.getini("faulthandler_timeout"))
    assert 0 < first < last
    assert pytestconfig.getini("faulthandler_exit_on_timeout") is True
