"""One measurement as a folder of files: numbers, settings and record together."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from oversmooth.errors import OutputError
from oversmooth.export import tables

if TYPE_CHECKING:
    from oversmooth.measurement import Measurement

FILES = ("curves.csv", "spectra.csv", "settings.json", "record.json")


def check(folder: Path, *, force: bool = False) -> None:
    """Refuse a folder that cannot take the result, before the result is computed.

    Raises:
        OutputError: where the folder is a file, cannot be written to, or holds a result and ``force`` is not set.
    """
    try:
        ancestor = next(path for path in (folder, *folder.absolute().parents) if path.exists() or path.is_symlink())
        if not ancestor.is_dir():
            raise OutputError(f"Cannot write into {folder}: {ancestor} is a file, not a folder.")
        if not os.access(ancestor, os.W_OK | os.X_OK):
            raise OutputError(f"Cannot write into {folder}: you may not write to {ancestor}.")
        present = [name for name in FILES if (folder / name).exists() or (folder / name).is_symlink()]
        blocked = [name for name in present if (folder / name).is_dir()]
    except OSError as error:
        raise OutputError(f"Cannot write into {folder}: {error.strerror or error}.") from error
    if blocked:
        raise OutputError(f"Cannot write {folder / blocked[0]}: there is a folder of that name.")
    if present and not force:
        raise OutputError(
            f"{folder} already holds {', '.join(present)}. "
            "Choose another folder, or pass --force (in Python: force=True) to replace the files."
        )


def write(measurement: Measurement, folder: Path, *, force: bool = False) -> tuple[Path, ...]:
    """Write ``curves.csv``, ``spectra.csv``, ``settings.json`` and ``record.json`` into a folder.

    The folder is made if it is missing. Either all files are written or none.

    Args:
        measurement: what was measured; its model's name becomes the label of the rows.
        folder: where to write.
        force: whether files of an earlier result are replaced.

    Returns:
        The paths of the files written.

    Raises:
        OutputError: where the folder cannot take the files; nothing is left behind.
    """
    check(folder, force=force)
    label = measurement.settings.model
    contents = {
        "curves.csv": tables.to_csv(tables.curves(measurement, label)),
        "spectra.csv": tables.to_csv(tables.spectra(measurement, label)),
        "settings.json": measurement.settings.to_json().encode(),
        "record.json": measurement.record.to_json().encode(),
    }
    made = _missing_folders(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _place(contents, folder)
    except BaseException as error:
        _remove_empty(made)
        if isinstance(error, OSError):
            raise OutputError(f"Cannot write into {folder}: {error.strerror or error}.") from error
        raise


def _place(contents: Mapping[str, bytes], folder: Path) -> tuple[Path, ...]:
    # Beside their final place, so that the last step is a rename: a full disk is met before anything is replaced.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".oversmooth-") as beside:
        for name, content in contents.items():
            (Path(beside) / name).write_bytes(content)
        return tuple((Path(beside) / name).replace(folder / name) for name in contents)


def _missing_folders(folder: Path) -> list[Path]:
    """The folders that writing will make, the innermost first."""
    return [path for path in (folder, *folder.parents) if not path.exists()]


def _remove_empty(folders: list[Path]) -> None:
    for path in folders:
        with contextlib.suppress(OSError):
            path.rmdir()
