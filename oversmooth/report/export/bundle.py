"""Everything of a result in one zip file: what a reader of a paper needs to see and to repeat it."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from oversmooth.core.errors import OutputError
from oversmooth.core.progress import Report, silent
from oversmooth.core.tokens import visible
from oversmooth.report.export.contents import Parts, contents
from oversmooth.report.export.formats import IMAGES, figure_formats
from oversmooth.report.paper.presets import Preset
from oversmooth.results.comparison import Comparison
from oversmooth.results.files.formats import number_formats
from oversmooth.results.files.names import RECORD, SETTINGS
from oversmooth.results.files.tables import all_tables, sides_of
from oversmooth.results.measurement import Measurement

README: Final = "README.txt"
_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""The first that a zip can hold: equal results give equal bytes."""
_MODE: Final = 0o100644 << 16
_UNIX: Final = 3

_MEANT: Final = {
    SETTINGS: "what was measured: repeats the run",
    RECORD: "how the numbers came about: model, weights, versions, device, texts, warnings",
}


def bundle(
    result: Measurement | Comparison, preset: Preset, *, dpi: int = 300, point: str | None = None, lines: bool = False
) -> bytes:
    """A zip with figures, numbers, settings, record, LaTeX and a ``README.txt`` that says what each file is.

    Its layout is that of the folder that :func:`oversmooth.report.export.folder.write` writes. Equal results give equal
    bytes.

    Args:
        result: what was measured.
        preset: size and type of the figures.
        dpi: dots per inch of PNG.
        point: where maps and spectra are drawn; None for the last block.
        lines: whether curves have a thin line for each of several texts.

    Raises:
        OutputError: for a figure that cannot be written.
        SettingsError: where the result has no such point.
    """
    return zip_of(result, Parts(tuple(number_formats()), figures_in_it(), preset, dpi, point, lines))


def figures_in_it() -> tuple[str, ...]:
    """The formats of figures that a bundle has."""
    return tuple(name for name, each in figure_formats().items() if each.bundled)


def zip_of(result: Measurement | Comparison, parts: Parts, report: Report = silent) -> bytes:
    """The zip of :func:`bundle` with some parts alone."""
    found = contents(result, parts, report)
    return zipped({README: _readme(result, found).encode(), **found})


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Files by their path in one zip; equal files give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr, entry.create_system = _MODE, _UNIX
            archive.writestr(entry, content)
    return buffer.getvalue()


def check(path: Path, *, force: bool = False) -> None:
    """Refuse a path that cannot take the bundle, before the result is computed.

    Raises:
        OutputError: where it is a folder, its folder is missing or cannot be written to, or it is there and ``force``
            is not set.
    """
    try:
        if path.is_dir():
            raise OutputError(f"Cannot write {path}: it is a folder. Give the name of a zip file.")
        if not path.parent.is_dir():
            raise OutputError(f"Cannot write {path}: there is no folder {path.parent}.")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise OutputError(f"Cannot write {path}: you may not write to {path.parent}.")
        if (path.exists() or path.is_symlink()) and not force:
            raise OutputError(f"{path} is there already. Choose another name, or pass --force to replace it.")
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror or error}.") from error


def place(content: bytes, path: Path, *, force: bool = False) -> None:
    """Put a bundle where the user asked for it, all of it or nothing.

    Raises:
        OutputError: where the path cannot take it; an earlier file stays as it was.
    """
    check(path, force=force)
    try:
        # Beside its final place, so that the last step is a rename.
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".oversmooth-") as beside:
            (Path(beside) / path.name).write_bytes(content)
            (Path(beside) / path.name).replace(path)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror or error}.") from error


def _readme(result: Measurement | Comparison, names: Iterable[str]) -> str:
    compared = isinstance(result, Comparison)
    sides = sides_of(result)
    record = next(iter(sides.values())).record
    command = "oversmooth run settings.json --out repeated"
    lines = [
        f"A {'comparison' if compared else 'measurement'} by Oversmooth {record.environment.oversmooth}, "
        f"{record.created}: how alike the tokens of a text become through {visible(record.model.name)}.",
        *([f"Labels of the sides: {'; '.join(map(visible, sides))}"] if compared else []),
        "",
        "Files",
        "",
        *_told(list(names)),
        "",
        "A missing value is an empty field in CSV, null in Parquet and JSON, NaN in NPZ; data.json says why.",
        "Points are the embedding, each block by its number from 0, and the final norm. Inputs count from 0.",
        "CSV files hold labels as they were given. A spreadsheet may take one that begins with =, +, - or @ for a",
        "formula: import the file there, with its first column as text, rather than open it.",
        "",
        "To repeat it",
        "",
        f"    {command}",
        "",
        "in the unpacked folder, or `oversmooth run THIS.zip --out repeated`. It compares versions, weights and",
        "numbers with those here, and says what differs. On the same machine and versions, the CSV files are the same",
        "bytes.",
    ]
    return "\n".join(lines) + "\n"


def _told(names: list[str]) -> list[str]:
    """A line for each file, one for all images."""
    formats = number_formats().values()
    known = _MEANT | {each.file: each.meaning for each in formats if each.file}
    known |= {f"{name}.{each.name}": table.meaning for name, table in all_tables().items() for each in formats}
    lines = {name: known[name] for name in names if name in known}
    images = sorted({name.rpartition(".")[2] for name in names if name.startswith(f"{IMAGES}/")})
    if images:
        lines[f"{IMAGES}/"] = f"every figure as {', '.join(images)}; each carries the record in its metadata"
    lines |= {
        each.file: each.meaning
        for each in figure_formats().values()
        if each.file and any(name.startswith(each.file) for name in names)
    }
    width = max(map(len, lines))
    return [f"{name.ljust(width)}  {meaning}" for name, meaning in lines.items()]
