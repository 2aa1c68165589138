"""An earlier run read back from its settings, a folder or a bundle, and run again."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from oversmooth.core import archives
from oversmooth.core.errors import SettingsError
from oversmooth.core.pairs import digest, parts
from oversmooth.core.progress import Report, silent
from oversmooth.core.wording import bytes_in_words
from oversmooth.measuring.comparing import compare
from oversmooth.results.comparison_settings import ComparisonSettings, from_json
from oversmooth.results.files.names import RECORD, SETTINGS
from oversmooth.results.record import ComparisonRecord, Record
from oversmooth.results.settings import Settings, read_document, read_file

if TYPE_CHECKING:
    from oversmooth.results.comparison import Comparison
    from oversmooth.results.measurement import Measurement

LARGEST: Final = 2**28
"""Bytes of one file: far beyond any real one, and small enough not to fill the memory."""


@dataclass(frozen=True)
class _Files:
    """The files of an earlier run, wherever they lie."""

    get: Callable[[str], bytes | None]
    """The content of a file; None where there is none of that name."""
    name: Callable[[str], str]
    """What a file is called in an error."""


@dataclass(frozen=True)
class Earlier:
    """What is left of an earlier run."""

    settings: Settings | ComparisonSettings
    record: Record | ComparisonRecord | None
    tables: Mapping[str, bytes]
    """The CSV files that are there, by their names."""
    strange: str = ""
    """A record that lies beside the settings and is of another run; empty where there is none."""

    @property
    def records(self) -> Mapping[str, Record]:
        """By the label of the side; a single measurement's is ``""``."""
        return records_of(self.record) if self.record is not None else {}


def read(path: Path) -> Earlier:
    """An earlier run from its ``settings.json``, from the folder that it wrote, or from its bundle.

    The record and the tables are those that lie beside the settings, where they belong to them.

    Raises:
        SettingsError: where there are no settings, or something beside them cannot be read.
    """
    if path.is_dir():
        return _read(_in_folder(path), SETTINGS)
    if zipfile.is_zipfile(path):
        return _read_zip(path)
    return _read(_in_folder(path.parent), path.name)


def repeat(settings: Settings | ComparisonSettings, *, report: Report = silent) -> Measurement | Comparison:
    """Run it again.

    Raises:
        OversmoothError: where the model, or the baseline of a comparison, cannot be measured.
    """
    if isinstance(settings, ComparisonSettings):
        return compare(settings.baseline, dict(settings.variants), report=report)
    from oversmooth.measuring.measuring import measure

    return measure(settings, report=report)


def records_of(record: Record | ComparisonRecord) -> Mapping[str, Record]:
    """By the label of the side; a single measurement's is ``""``."""
    return record.measurements if isinstance(record, ComparisonRecord) else {"": record}


def _in_folder(folder: Path) -> _Files:
    def get(name: str) -> bytes | None:
        path = folder / name
        if path.is_file() and path.stat().st_size > LARGEST:
            raise _too_large(str(path))
        return read_file(path) if path.exists() else None

    return _Files(get, lambda name: str(folder / name))


def _read_zip(path: Path) -> Earlier:
    try:
        file = path.open("rb")
    except OSError as error:
        raise SettingsError(f"Cannot read the bundle {path}: {error.strerror or error}.") from error
    with file, archives.opened(file, f"Cannot read the bundle {path}: it is damaged") as archive:
        names = sorted((name for name in archive.namelist() if PurePosixPath(name).name == SETTINGS), key=len)
        if not names:
            raise SettingsError(f"{path} holds no {SETTINGS}: it is no bundle of Oversmooth's.")
        return _read(_in_archive(archive, PurePosixPath(names[0]).parent, path), SETTINGS)


def _in_archive(archive: zipfile.ZipFile, folder: PurePosixPath, path: Path) -> _Files:
    def get(name: str) -> bytes | None:
        entry = str(folder / name)
        if entry not in archive.namelist():
            return None
        content = archives.member(archive, entry, LARGEST)
        if len(content) > LARGEST:
            raise _too_large(f"{name} in {path}")
        return content

    return _Files(get, lambda name: f"{name} in {path}")


def _too_large(file: str) -> SettingsError:
    return SettingsError(f"{file} holds more than {bytes_in_words(LARGEST)}: it is none of Oversmooth's files.")


def _read(files: _Files, name: str) -> Earlier:
    text = files.get(name)
    if text is None:
        raise SettingsError(f"Cannot read the settings file {files.name(name)}: No such file or directory.")
    settings = from_json(text, files.name(name))
    beside = files.get(RECORD)
    if beside is None:
        return Earlier(settings, None, {})
    kind = ComparisonRecord if "measurements" in read_document(beside, files.name(RECORD)) else Record
    record = kind.from_json(beside, files.name(RECORD))
    if not _belongs(record, settings):
        return Earlier(settings, None, {}, strange=files.name(RECORD))
    # Only now: it needs pandas.
    from oversmooth.results.files.tables import all_tables

    tables = {f"{table}.csv": files.get(f"{table}.csv") for table in all_tables()}
    return Earlier(settings, record, {name: found for name, found in tables.items() if found is not None})


def _belongs(record: Record | ComparisonRecord, settings: Settings | ComparisonSettings) -> bool:
    """Whether a record is of a run with these settings: they may have been changed since, or moved beside another."""
    records = records_of(record)
    if isinstance(settings, Settings):
        return isinstance(record, Record) and _is_of(record, settings)
    sides = [settings.baseline, *(side for _, side in settings.variants)]
    labels = [label for label, _ in settings.variants]
    return list(records)[1:] == labels and all(map(_is_of, records.values(), sides))


def _is_of(record: Record, settings: Settings) -> bool:
    texts = [tuple(map(digest, parts(text))) for text in settings.texts]
    read = [tuple(filter(None, (each.text_sha256, each.pair_sha256))) for each in record.inputs]
    return (
        record.model.name == settings.model
        and read == texts
        and record.mitigations == settings.mitigations
        and (record.special_tokens_measured, record.max_tokens) == (settings.special_tokens, settings.max_tokens)
        and record.environment.dtype == settings.precision
    )
