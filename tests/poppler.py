"""What poppler's tools say of a PDF file."""

from __future__ import annotations

import io
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class Information:
    """Points, and texts."""

    width: float
    height: float
    title: str
    keywords: str
    text: str


@dataclass(frozen=True)
class Font:
    name: str
    kind: str
    embedded: bool
    with_unicode: bool


def information(content: bytes) -> Information:
    """Page size, metadata and all words, lines apart."""
    told = _run("pdfinfo", content)
    size = re.search(r"^Page size:\s+([\d.]+) x ([\d.]+) pts", told, re.MULTILINE)
    assert size is not None
    texts = [re.search(rf"^{key}:\s+(.*)$", told, re.MULTILINE) for key in ("Title", "Keywords")]
    title, keywords = (found[1] if found else "" for found in texts)
    return Information(float(size[1]), float(size[2]), title, keywords, _run("pdftotext", content, "-layout"))


def fonts(content: bytes) -> list[Font]:
    """All fonts."""
    ruler, *rows = _run("pdffonts", content).splitlines()[1:]
    columns = [slice(*dashes.span()) for dashes in re.finditer("-+", ruler)]
    parts = [[row[column].strip() for column in columns] for row in rows]
    return [Font(part[0], part[1], part[3] == "yes", part[5] == "yes") for part in parts]


def words(content: bytes) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Every word with its left, upper, right and lower end, in points from the upper left corner of the page."""
    page = ElementTree.fromstring(_run("pdftotext", content, "-bbox"))
    every = page.iter("{http://www.w3.org/1999/xhtml}word")
    ends = ("xMin", "yMin", "xMax", "yMax")
    return [(each.text or "", tuple(float(each.attrib[end]) for end in ends)) for each in every]  # type: ignore[misc]


def images(content: bytes) -> list[NDArray[np.uint8]]:
    """All images as they are stored, RGB."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file.pdf"
        file.write_bytes(content)
        subprocess.run(["pdfimages", "-png", file, Path(folder) / "image"], check=True)
        return [np.asarray(Image.open(each).convert("RGB")) for each in sorted(Path(folder).glob("*.png"))]


def rendered(content: bytes, dpi: int) -> NDArray[np.uint8]:
    """The page as pixels."""
    done = subprocess.run(["pdftoppm", "-png", "-r", str(dpi), "-"], input=content, capture_output=True, check=True)
    return np.asarray(Image.open(io.BytesIO(done.stdout)).convert("RGB"))


def _run(tool: str, content: bytes, *options: str) -> str:
    arguments = [tool, *options, "-"] + (["-"] if tool == "pdftotext" else [])
    return subprocess.run(arguments, input=content, capture_output=True, check=True).stdout.decode()
