"""Texts that strangers might type, made from a seed: every plane of Unicode, and what breaks naive readers."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from workers import WORDS

SPECIAL = ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", "<s>", "</s>", "<pad>", "<unk>", "<|endoftext|>", "<0x0A>")
MARKUP = ("<script>alert(1)</script>", "![x](http://x.org/y.png)", "$\\href{x}{y}$", "%{z}", "&lt;", "**", "`", "{0}")
PATHS = ("../../etc/passwd", "C:\\x", "\\\\host\\share", "'; DROP TABLE texts; --", "$HOME", "%s%n", "NaN", "Infinity")
SPACES = " \t\n\r\v\f\x85\xa0\u1680\u2000\u2003\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u200b\ufeff\u2060\u180e"
BIDI = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c"
MARKS = "\u0300\u0301\u0308\u0323\u034f\u0489\u1ab0\u20dd\u20e3\ufe0f\U000e0100\u0e33\u0943"
EMOJI = ("👩‍💻", "👨‍👩‍👧‍👦", "❤️‍🔥", "🏳️‍🌈", "🧑🏽‍🚀", "1️⃣", "🇩🇪", "🙂", "\u200d", "\ufe0f", "🏿")
LETTERS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?-_#@/\\\"'()[]{}<>|~^*+=",
    "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    "القطةجلستعلىالحصير٠١٢٣",
    "清晨的市场很热闹ねこがいる고양이",
    "हिन्दीक्षत्रज्ञแมวกำลังนั่ง",
    "ÄÖÜßéèêñçøåİıǅﬁﬀſ",
    "𝔘𝓷𝕚𝖈𝗼𝘥𝚎Ⅻⅷ½²ªﾊ㌔ℌ",
)
PLANES = (0x0, 0x1, 0x2, 0x3, 0xE, 0xF, 0x10)

HALF = re.compile("[\ud800-\udfff]")
"""Half a character, as ``\\ud800`` in a JSON file gives it."""
INTERNAL = re.compile(r"Traceback|File \"|line \d+, in|\w+Error\b|object at 0x")
"""What a program says of itself."""


def sentence(message: str) -> None:
    """Make sure that a refusal is for a person: a sentence in one line that tells nothing of the program."""
    assert "\n" not in message, message
    assert len(message) < 400, message
    assert message[0].isupper(), message
    assert message.endswith("."), message
    assert not INTERNAL.search(message), message


def texts(number: int, seed: int) -> Iterator[str]:
    """That many texts, the same for the same seed; one in a hundred or so holds half a character."""
    chance = random.Random(seed)
    for _ in range(number):
        made = [chance.choice(KINDS)(chance) for _ in range(chance.choice((1, 1, 1, 2, 3)))]
        yield chance.choice(("", " ", " ", "\n")).join(made)


def _any_characters(chance: random.Random) -> str:
    """Of any plane, assigned or not; no surrogates."""
    points = (0x10000 * chance.choice(PLANES) + chance.randrange(0x10000) for _ in range(chance.randint(1, 12)))
    return "".join(chr(point) for point in points if not 0xD800 <= point < 0xE000)


def _below(chance: random.Random, end: int) -> str:
    return "".join(chr(chance.randrange(end)) for _ in range(chance.randint(1, 16)))


def _of(chance: random.Random, signs: Sequence[str], most: int = 12) -> str:
    return "".join(chance.choices(signs, k=chance.randint(1, most)))


def _words(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS.split(), k=chance.randint(1, 10)))


def _script(chance: random.Random) -> str:
    return " ".join(_of(chance, chance.choice(LETTERS), 6) for _ in range(chance.randint(1, 5)))


def _stack(chance: random.Random) -> str:
    """A letter under more marks than any script puts on one."""
    return chance.choice("aeoخक ") + chance.choice(MARKS) * chance.randint(1, 40) + _of(chance, MARKS)


def _bidirectional(chance: random.Random) -> str:
    return "".join(chance.choice(BIDI) + _of(chance, chance.choice(LETTERS), 4) for _ in range(chance.randint(1, 5)))


def _long_word(chance: random.Random) -> str:
    return _of(chance, chance.choice(LETTERS), 3) * chance.randint(30, 200)


def _number(chance: random.Random) -> str:
    return chance.choice(("{:d}", "{:e}", "-{:,d}", "0x{:X}", "{:.3f}")).format(chance.randrange(10**9))


def _half(chance: random.Random) -> str:
    """A word that ends in half a character."""
    return chance.choice(WORDS.split()) + chr(chance.randrange(0xD800, 0xE000)) if chance.random() < 0.2 else ""


KINDS: tuple[Callable[[random.Random], str], ...] = (
    _any_characters,
    _any_characters,
    partial(_below, end=0x100),
    partial(_below, end=0x3000),
    partial(_of, signs=[chr(code) for code in (*range(0x20), 0x7F, *range(0x80, 0xA0))]),
    partial(_of, signs=SPACES),
    partial(_of, signs=SPECIAL, most=5),
    partial(_of, signs=(*MARKUP, *PATHS), most=3),
    partial(_of, signs=EMOJI),
    _words,
    _words,
    _script,
    _script,
    _stack,
    _bidirectional,
    _long_word,
    _number,
    _half,
)
