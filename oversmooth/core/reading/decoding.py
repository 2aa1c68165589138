"""The characters of a text file: which encoding it is in, and what was assumed where it does not say."""

import unicodedata
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from dataclasses import dataclass
from typing import Final

from oversmooth.core.errors import InputError

_MARKS: Final = (
    # UTF-32 first: its mark begins like that of UTF-16.
    (BOM_UTF32_LE, "UTF-32"),
    (BOM_UTF32_BE, "UTF-32"),
    (BOM_UTF16_LE, "UTF-16"),
    (BOM_UTF16_BE, "UTF-16"),
    (BOM_UTF8, "UTF-8"),
)
_KINDS: Final = (
    (b"PK\x03\x04", "a zip archive, as spreadsheets (.xlsx) are"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet or document of Office"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard"),
    (b"%PDF-", "a PDF"),
    (b"PAR1", "a table in Parquet"),
    (b"ARROW1", "a table in Arrow"),
    (b"SQLite format 3", "a database of SQLite"),
)
"""What files of other kinds begin with."""
_POINTER: Final = b"version https://git-lfs.github.com/spec/"
MOST_FOREIGN: Final = 0.25
"""Share of a text's signs beyond ASCII in any language written with Windows-1252: above, it is another encoding."""


@dataclass(frozen=True)
class Decoded:
    """The characters of a file."""

    text: str
    notices: tuple[str, ...] = ()
    """What was assumed of its encoding, in a sentence."""


def decoded(content: bytes, name: str) -> Decoded:
    """The characters of a text file in the encoding that its byte-order mark names, else in UTF-8.

    Without a mark, a file that is no UTF-8 is read as UTF-16 where every second byte is zero, and as Windows-1252, in
    which spreadsheets of western Europe save, where that gives words of these languages. Both is said. Anything else is
    refused.
    """
    _refuse_other_kinds(content, name)
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return Decoded(_without_nul(_marked(content, mark, encoding, name), name))
    if halves := _wide(content):
        return Decoded(_without_nul(halves, name), (f"{name} does not name its encoding and was read as UTF-16.",))
    try:
        return Decoded(_without_nul(content.decode(), name))
    except UnicodeDecodeError as error:
        western = _western(content)
        if western is not None:
            return Decoded(
                _without_nul(western, name),
                (f"{name} is not UTF-8 and was read as Windows-1252. If letters are wrong, save it as UTF-8.",),
            )
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"Line {line:,} of {name} is not UTF-8: it is in another encoding, or mixes several. Save it as UTF-8."
        ) from error


def _refuse_other_kinds(content: bytes, name: str) -> None:
    if content.startswith(_POINTER):
        raise InputError(f"{name} is not the file but a pointer of Git LFS to it: fetch it with “git lfs pull”.")
    for start, kind in _KINDS:
        if content.startswith(start):
            raise InputError(f"{name} is {kind}, whatever its name says. Save its text in UTF-8, as .txt or .csv.")


def _marked(content: bytes, mark: bytes, encoding: str, name: str) -> str:
    try:
        return content.removeprefix(mark).decode() if encoding == "UTF-8" else content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "UTF-8":
            line = content.count(b"\n", 0, error.start) + 1
            raise InputError(
                f"Line {line:,} of {name} is not UTF-8, though its mark says so. Save it as UTF-8."
            ) from error
        raise InputError(f"{name} begins as {encoding} and is not all of it. Save it as UTF-8.") from error


def _without_nul(text: str, name: str) -> str:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"Line {line:,} of {name} holds a NUL character: this is no text file. Save it as UTF-8.")
    return text


def _wide(content: bytes) -> str:
    """The text where it is UTF-16 without a mark; empty where it is not.

    Separators, digits, spaces and line ends are ASCII in any language, so that one byte of their two is zero: always
    the same one.
    """
    zeros = content[0::2].count(0), content[1::2].count(0)
    if len(content) % 2 or min(zeros) or max(zeros) < len(content) / 20:
        return ""
    try:
        text = content.decode("utf-16-le" if zeros[1] else "utf-16-be")
    except UnicodeDecodeError:
        return ""
    strange = sum(unicodedata.category(sign) in ("Cc", "Cn", "Co") and sign not in "\t\n\r" for sign in text)
    return "" if strange else text


def _western(content: bytes) -> str | None:
    """The text where it can be Windows-1252; None where it is not."""
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return None
    # Part of it in UTF-8 is a file of several encodings.
    if any(sign.isalpha() for sign in content.decode(errors="ignore") if not sign.isascii()):
        return None
    signs = [sign for sign in text if not sign.isspace()]
    foreign = sum(not sign.isascii() for sign in signs)
    controls = any(unicodedata.category(sign) == "Cc" and sign not in "\t\n\r\x0b\x0c" for sign in text)
    return None if controls or foreign > MOST_FOREIGN * len(signs) else text
