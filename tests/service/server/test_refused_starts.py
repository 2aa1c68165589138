"""A server that is set up wrongly says so in a sentence, before it serves anything."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest


@pytest.mark.parametrize("variable", ["OVERSMOOTH_PORT", "OVERSMOOTH_METRICS_PORT"])
def test_a_port_that_is_taken_is_told(variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        ports = {"OVERSMOOTH_PORT": free.getsockname()[1], variable: taken.getsockname()[1]}
        free.close()
        environment = os.environ | {name: str(port) for name, port in ports.items()}
        environment |= {"OVERSMOOTH_PROFILE": "hosted-xs", "OVERSMOOTH_ADDRESS": "127.0.0.1"}
        command = [sys.executable, "-m", "oversmooth", "app"]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert f" port {ports[variable]} " in result.stderr.lower()
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_a_pattern_that_is_no_name_is_told() -> None:
    environment = os.environ | {"OVERSMOOTH_HOSTS": "over.example,ex*mple.org"}
    command = [sys.executable, "-m", "oversmooth", "app"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "“ex*mple.org” is no name" in result.stderr
