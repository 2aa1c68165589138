"""What a token of a vocabulary stands for, in characters: byte-level and word-piece spellings undone."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from transformers import PreTrainedTokenizerBase

WORD_START = "▁"
"""SentencePiece writes a leading space as this."""
CONTINUATION = "##"
"""WordPiece writes the inside of a word behind this."""
CONTINUED = "@@"
"""BPE of subword-nmt writes this behind a piece that does not end its word."""
WORD_END = "</w>"
"""Other BPE writes this behind a piece that ends its word."""
BYTES: Final = "bytes"
"""The spelling in which each sign is the byte of its code point."""
BYTE = re.compile("<0x([0-9A-F]{2})>")
"""SentencePiece writes a byte of a character outside its vocabulary like this."""


def _byte_alphabet() -> dict[str, int]:
    """The byte that each character of a byte-level vocabulary stands for (GPT-2's table, from its rule)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): byte for byte in printable}
    # Bytes without a printable character of their own are moved, in order, behind the first 256.
    return table | {chr(256 + offset): byte for offset, byte in enumerate(others)}


BYTE_ALPHABET = _byte_alphabet()


_SPELLINGS: Final = (
    ("ByT5Tokenizer PerceiverTokenizer", BYTES),
    ("BertweetTokenizer PhobertTokenizer CTRLTokenizer BlenderbotSmallTokenizer", CONTINUED),
    ("XLMTokenizer FlaubertTokenizer FSMTTokenizer BioGptTokenizer", WORD_END),
    ("BertJapaneseTokenizer BertTokenizerLegacy RoCBertTokenizer TapasTokenizer ProphetNetTokenizer", "WordPiece"),
    ("MarianTokenizer M2M100Tokenizer Speech2TextTokenizer CpmTokenizer", f"ByteFallback {WORD_START}"),
)
"""How tokenizers in Python spell, by the names of their classes."""


def spelling(tokenizer: PreTrainedTokenizerBase) -> str:
    """How the vocabulary of a tokenizer spells, for :func:`decode`."""
    if tokenizer.is_fast:
        return repr(tokenizer.backend_tokenizer.decoder)
    if hasattr(tokenizer, "sp_model") or getattr(tokenizer, "subword_tokenizer_type", "") == "sentencepiece":
        return f"ByteFallback {WORD_START}"
    name = type(tokenizer).__name__
    return next((words for names, words in _SPELLINGS if name in names.split()), "")


def decode(pieces: Sequence[str], special: Sequence[int], decoder: str) -> tuple[str, ...]:
    """The characters that each vocabulary piece stands for.

    A piece that holds only some bytes of a character is shown as that character with its share, ``🙂 (2/3)``.

    Args:
        pieces: as the vocabulary spells them.
        special: 1 for special tokens, whose spelling is kept.
        decoder: how the tokenizer's decoder describes itself, as :func:`spelling` gives it. It alone says how the
            vocabulary spells: the same piece ``##`` continues a word in WordPiece and is two number signs elsewhere.
    """
    raw = [b"" if skip else _bytes(piece, decoder) for piece, skip in zip(pieces, special, strict=True)]
    texts = [piece if skip else "" for piece, skip in zip(pieces, special, strict=True)]
    for whole, run in groupby(range(len(raw)), key=lambda index: _is_text(raw[index])):
        indices = list(run)
        parts = [raw[index] for index in indices]
        shown = [part.decode() for part in parts] if whole else _shared(parts)
        for index, text in zip(indices, shown, strict=True):
            texts[index] += text
    return tuple(texts)


def _shared(raw: Sequence[bytes]) -> list[str]:
    """Texts of neighbouring pieces that hold parts of characters."""
    texts = [""] * len(raw)
    owners = [index for index, part in enumerate(raw) for _ in part]
    position = 0
    for character in _characters(b"".join(raw)):
        parts = [index for index, _ in groupby(owners[position : position + len(character)])]
        for number, index in enumerate(parts, 1):
            share = f" ({number}/{len(parts)})" if len(parts) > 1 else ""
            texts[index] += character.decode(errors="replace") + share
        position += len(character)
    return texts


def _bytes(piece: str, decoder: str) -> bytes:
    """UTF-8 of what a piece stands for; a part of a character where the piece is one."""
    # Added tokens stand as they are even in a byte-level vocabulary.
    if "ByteLevel" in decoder and BYTE_ALPHABET.keys() >= set(piece):
        return bytes(BYTE_ALPHABET[char] for char in piece)
    if "ByteFallback" in decoder and (byte := BYTE.fullmatch(piece)):
        return bytes([int(byte[1], 16)])
    if decoder == BYTES and all(ord(sign) < 256 for sign in piece):
        return piece.encode("latin-1")
    if "WordPiece" in decoder:
        piece = piece.removeprefix(CONTINUATION)
    elif decoder == CONTINUED or WORD_END in decoder:
        piece = piece.removesuffix(CONTINUED if decoder == CONTINUED else WORD_END)
    elif WORD_START in decoder:
        piece = piece.replace(WORD_START, " ")
    return piece.encode(errors="replace")


def _characters(stream: bytes) -> list[bytes]:
    """The stream cut into characters; a byte that belongs to none, as at the end of a cut text, stands alone."""
    characters = []
    position = 0
    while position < len(stream):
        size = next((size for size in range(1, 5) if _is_text(stream[position : position + size])), 1)
        characters.append(stream[position : position + size])
        position += size
    return characters


def _is_text(part: bytes) -> bool:
    try:
        part.decode()
    except UnicodeDecodeError:
        return False
    return True
