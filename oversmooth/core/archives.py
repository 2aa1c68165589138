"""A file of a zip archive that nobody trusts, read within bounds."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from oversmooth.core.errors import SettingsError

_READ: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""How a file may be packed: the readers of other methods unpack without a bound whatever little they are given."""
_ENCRYPTED: Final = 0x1
_DAMAGES: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    ArithmeticError,
    MemoryError,
)
"""What Python's reader raises for archives that are damaged, or made to be."""


@contextmanager
def opened(file: IO[bytes], failing: str) -> Iterator[zipfile.ZipFile]:
    """An archive in a file; what goes wrong while it is read is a SettingsError: ``failing``, a reason in brackets."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except _DAMAGES as error:
        raise SettingsError(f"{failing} ({str(error) or 'it ends too early'}).") from error


def member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A file of an archive; of one that is larger than ``most`` bytes, the first ``most`` and one more.

    One that is encrypted, or packed in a way that cannot be unpacked within bounds, is a ``BadZipFile``.
    """
    entry = archive.getinfo(name)
    if entry.flag_bits & _ENCRYPTED:
        raise zipfile.BadZipFile(f"{entry.filename} is encrypted: pack it without a password")
    if entry.compress_type not in _READ:
        raise zipfile.BadZipFile(f"{entry.filename} is packed in an unusual way: unpack it, and give the file itself")
    with archive.open(entry) as packed:
        # Whatever size the archive claims.
        return packed.read(most + 1)
