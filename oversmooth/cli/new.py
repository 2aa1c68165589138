"""``oversmooth new``: the beginning of a plug-in, as a package of one's own."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Annotated, Literal

import typer

from oversmooth import __version__
from oversmooth.cli import terminal
from oversmooth.core.errors import OutputError, SettingsError
from oversmooth.core.packaged import packaged

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def new(
    kind: Annotated[Literal["metric", "mitigation"], typer.Argument(help="What to begin.", show_default=False)],
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Its name in files and options, such as largest_distance.", show_default=False
        ),
    ],
) -> None:
    """Begin a metric or a mitigation of your own: a package with a test that passes.

    The folder oversmooth-NAME in the current folder holds the formula in one file, its test, and what makes it a
    plug-in. Change the formula, run pytest in the folder, then install it with pip install -e beside Oversmooth: it
    appears in the command line, on the pages and in every export.
    """
    _require_free(kind, name)
    folder = Path(f"oversmooth-{name.replace('_', '-')}")
    words = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "class_name": "".join(map(str.capitalize, name.split("_"))),
        "package": f"oversmooth_{name}",
        "project": folder.name,
        "kind": kind,
        "version": __version__,
    }
    try:
        folder.mkdir()
        paths = _write(folder, words)
    except FileExistsError as error:
        raise OutputError(
            f"There is “{folder}” already, and nothing in it was changed. Choose another name."
        ) from error
    except OSError as error:
        raise OutputError(f"“{folder}” cannot be written ({error.strerror or error}).") from error
    terminal.wrote(paths)
    terminal.tell(f"Next: cd {folder}, run pytest, and pip install -e . to use it.")


def _require_free(kind: str, name: str) -> None:
    from oversmooth import metrics, mitigations

    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise SettingsError(
            f"“{name}” cannot be a name: use small letters, digits and single underscores, as in largest_distance."
        )
    if name in (*metrics.names(), *metrics.fidelity_names()) if kind == "metric" else name in mitigations.names():
        raise SettingsError(f"There is a {kind} named “{name}” already. Choose another name.")


def _write(folder: Path, words: Mapping[str, str]) -> list[Path]:
    templates = {
        "pyproject.toml": "pyproject.toml.txt",
        "{package}/__init__.py": "{kind}.py.txt",
        "tests/test_{package}.py": "test_{kind}.py.txt",
    }
    paths = []
    for name, template in templates.items():
        path = folder / name.format(**words)
        path.parent.mkdir(exist_ok=True)
        text = (packaged("new") / template.format(**words)).read_text(encoding="utf-8")
        path.write_text(Template(text).substitute(words), encoding="utf-8")
        paths.append(path)
    return paths
