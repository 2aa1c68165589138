"""What a token of a vocabulary stands for, in characters: byte-level and word-piece spellings undone."""

from __future__ import annotations

from collections.abc import Sequence

WORD_START = "▁"
"""SentencePiece writes a leading space as this."""
CONTINUATION = "##"
"""WordPiece writes the inside of a word behind this."""


def _byte_alphabet() -> dict[str, int]:
    """The byte that each character of a byte-level vocabulary stands for (GPT-2's table, from its rule)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): byte for byte in printable}
    # Bytes without a printable character of their own are moved, in order, behind the first 256.
    return table | {chr(256 + offset): byte for offset, byte in enumerate(others)}


BYTE_ALPHABET = _byte_alphabet()


def decode(
    pieces: Sequence[str],
    spans: Sequence[tuple[int, int]],
    special: Sequence[int],
    text: str,
    *,
    byte_level: bool,
) -> tuple[str, ...]:
    """The characters that each vocabulary piece stands for.

    A piece that holds only some bytes of a character is shown as that character with its share, ``🙂 (2/3)``.

    Args:
        pieces: as the vocabulary spells them.
        spans: the characters of ``text`` that each covers.
        special: 1 for special tokens, whose spelling is kept.
        text: what was tokenised.
        byte_level: whether the vocabulary spells bytes (GPT-2, RoBERTa, Llama 3) rather than characters.
    """
    decoded = []
    for index, (piece, is_special) in enumerate(zip(pieces, special, strict=True)):
        if is_special:
            decoded.append(piece)
        elif byte_level and BYTE_ALPHABET.keys() >= set(piece):
            decoded.append(_from_bytes(bytes(BYTE_ALPHABET[char] for char in piece), index, spans, text))
        elif piece.startswith("<0x") and piece.endswith(">") and len(piece) == 6:
            decoded.append(_from_bytes(bytes([int(piece[3:5], 16)]), index, spans, text))
        else:
            decoded.append(piece.removeprefix(CONTINUATION).replace(WORD_START, " "))
    return tuple(decoded)


def _from_bytes(raw: bytes, index: int, spans: Sequence[tuple[int, int]], text: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        start, end = spans[index]
        sharing = [position for position, span in enumerate(spans) if span == (start, end)]
        return f"{text[start:end] or '�'} ({sharing.index(index) + 1}/{len(sharing)})"
