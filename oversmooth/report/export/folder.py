"""A measurement or a comparison as a folder of files: numbers, figures, settings and record together."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from oversmooth.core.errors import OutputError
from oversmooth.report.export.contents import Parts, belongs, contents, files_beside_figures
from oversmooth.report.export.formats import folders
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

_NAMED = 6
"""Files that a refusal names."""


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
        present = list(_present(folder))
        blocked = [name for name in present if (folder / name).is_dir()]
        blocked += [name for name in folders() if (folder / name).is_file()]
    except OSError as error:
        raise OutputError(f"Cannot write into {folder}: {error.strerror or error}.") from error
    if blocked:
        other = "a folder" if (folder / blocked[0]).is_dir() else "a file"
        raise OutputError(f"Cannot write {folder / blocked[0]}: there is {other} of that name.")
    if present and not force:
        more = f" and {len(present) - _NAMED} more" if len(present) > _NAMED else ""
        raise OutputError(
            f"{folder} already holds {', '.join(present[:_NAMED])}{more}. "
            "Choose another folder, or pass --force (in Python: force=True) to replace the files."
        )


def write(
    result: Measurement | Comparison, folder: Path, parts: Parts | None = None, *, force: bool = False
) -> tuple[Path, ...]:
    """Write numbers, ``settings.json``, ``record.json`` and, where asked for, figures into a folder.

    Numbers are ``curves`` and ``spectra``; ``means`` where there are several texts; of a comparison ``deltas`` too;
    ``outputs`` where a language-model head was measured. The folder is made if it is missing. Either all files are
    written or none.

    Args:
        result: what was measured.
        folder: where to write.
        parts: formats of the numbers, and which figures; without it CSV, and no figures.
        force: whether files of an earlier result are replaced; those that the new one does not have are removed.

    Returns:
        The paths of the files written.

    Raises:
        OutputError: where the folder cannot take the files, or a figure cannot be drawn; nothing is left behind.
    """
    check(folder, force=force)
    found = contents(result, parts or Parts())
    # The innermost first.
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _place(found, folder)
    except BaseException as error:
        _remove_empty(made)
        if isinstance(error, OSError):
            raise OutputError(f"Cannot write into {folder}: {error.strerror or error}.") from error
        raise


def _present(folder: Path) -> Iterator[str]:
    """Files of an earlier result, by their path in the folder."""
    below = (
        f"{name}/{path.name}" for name in folders() if (folder / name).is_dir() for path in (folder / name).iterdir()
    )
    for name in (*files_beside_figures(), *sorted(filter(belongs, below))):
        if (folder / name).exists() or (folder / name).is_symlink():
            yield name


def _place(found: Mapping[str, bytes], folder: Path) -> tuple[Path, ...]:
    # Beside their final place, so that the last step is a rename: a full disk is met before anything is replaced.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".oversmooth-") as beside:
        for name, content in found.items():
            (Path(beside) / name).parent.mkdir(exist_ok=True)
            (Path(beside) / name).write_bytes(content)
        for name in found:
            (folder / name).parent.mkdir(exist_ok=True)
        placed = tuple((Path(beside) / name).replace(folder / name) for name in found)
    # What the earlier result had must not lie beside the new one as if it were its own.
    for name in set(_present(folder)) - set(found):
        (folder / name).unlink()
    _remove_empty([folder / name for name in folders()])
    return placed


def _remove_empty(folders: list[Path]) -> None:
    for path in folders:
        with contextlib.suppress(OSError):
            path.rmdir()
