"""What the scripts of the image refuse, and that none passes without having done its work."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

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


STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u10
Description: GNU C Library
 Package: none of ours

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1.0
"""


def test_a_bill_of_materials_lists_what_the_base_brings_too(tmp_path: Path) -> None:
    given = {
        "etc/os-release": 'PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="12"\n',
        "var/lib/dpkg/status": STATUS,
        "usr/local/include/python3.11/patchlevel.h": '#define PY_VERSION          "3.11.9"\n',
    }
    for name, text in given.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    components = module("sbom").base(tmp_path)
    assert [(each["name"], each["version"]) for each in components] == [
        ("libc6", "2.36-9+deb12u10"),
        ("python", "3.11.9"),
    ]
    assert components[0]["purl"] == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64&distro=debian-12"


def test_a_bill_of_materials_needs_the_image(tmp_path: Path) -> None:
    failed = call(SCRIPTS / "sbom", "cpu", str(tmp_path))
    assert failed.returncode == 1
    assert failed.stderr == "Error: This image has no list of Debian's packages (/var/lib/dpkg/status).\n"
    assert failed.stdout == ""


def module(name: str) -> Any:
    """A script as a module: its functions, without having it run."""
    loader = importlib.machinery.SourceFileLoader(name, str(SCRIPTS / name))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    found = importlib.util.module_from_spec(spec)
    loader.exec_module(found)
    return found


def without_apt(folder: Path) -> dict[str, str]:
    """The environment of somebody who has no rights to install packages."""
    for name in ("bash", "dirname", "sh", "grep"):
        tool = shutil.which(name)
        assert tool is not None
        (folder / name).symlink_to(tool)
    return {"PATH": str(folder)}


def test_without_rights_each_missing_program_is_told_in_a_sentence(tmp_path: Path) -> None:
    environment = without_apt(tmp_path)
    failed = subprocess.run([SCRIPTS / "browser", sys.executable], env=environment, capture_output=True, text=True)
    assert failed.returncode == 1
    *_, said = failed.stderr.splitlines()
    assert said.startswith("Error: the tests of PDF files need pdfinfo")


def test_a_browser_that_does_not_start_fails(tmp_path: Path) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho no display of any kind >&2\nexit 3\n")
    broken.chmod(0o755)
    # Nothing else is missing, and nothing can be installed.
    (tmp_path / "apt-get").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "apt-get").chmod(0o755)
    failed = call(SCRIPTS / "browser", sys.executable, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert failed.returncode == 1
    assert "no display of any kind" in failed.stderr
    assert f"the Chromium of this machine ({broken}) does not start" in failed.stderr
