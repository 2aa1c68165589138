"""What the scripts of the image refuse, and that none passes without having done its work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def call(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True)


@pytest.mark.parametrize("base", ["python:3.11-slim-bookworm", "docker.io/library/python:latest"])
def test_a_base_without_a_digest_is_refused(base: str) -> None:
    refused = call(SCRIPTS / "image-build", BASE=base, ENGINE="buildah")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: “{base}” may be another image tomorrow. Pin it: BASE={base}@sha256:")


def test_a_check_without_its_tools_fails_and_names_them(tmp_path: Path) -> None:
    failed = call(sys.executable, SCRIPTS / "image-check", PATH=str(tmp_path))
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: nothing was checked.")
    assert "bwrap (package bubblewrap)" in failed.stderr
    assert "buildah (package buildah)" in failed.stderr
    assert not failed.stdout


def test_a_bill_of_materials_is_of_a_lock_file() -> None:
    failed = call(SCRIPTS / "sbom", "tpu")
    assert failed.returncode == 2
    assert failed.stderr == "Error: there is no deploy/requirements-tpu.txt. The variants are cpu and cuda.\n"
