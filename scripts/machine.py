"""What scripts that build elsewhere, in an image or on a bare system, carry there from this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

_KEYS: Final = ("cert", "find-links", "index-url", "extra-index-url")


class Pip:
    """Certificates, folders and mirrors that pip is configured with here."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "pip", "config", "list", "--disable-pip-version-check"]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603  ours alone
        found = dict(line.split(".", 1)[1].split("=", 1) for line in answer.splitlines())
        # An index in a folder names files outside of it: what lies there is had from elsewhere too.
        known = {key: found[key].strip("'\"") for key in _KEYS if key in found and "file:" not in found[key]}
        self.configuration = "[global]\n" + "".join(f"{key} = {value}\n" for key, value in known.items())
        """As the text of a ``pip.conf``."""
        self.places = {Path(word) for value in known.values() for word in value.split() if word.startswith("/")}
        """Files and folders that it names."""
        self.knows_torch = "find-links" in known or "index-url" in known
        """Whether it also knows where PyTorch's own builds are: theirs is not asked then."""
