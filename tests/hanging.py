"""A model whose tokenizer does not come back."""

from __future__ import annotations

from pathlib import Path

from tiny import tiny, tokenizer
from tokenizers import normalizers

SNOWMAN = "the cat sat on ☃"
"""A text that its tokenizer works on for minutes, in bounded memory; any other is read at once."""


def hanging(folder: Path) -> str:
    """Save such a model; its name."""
    tokens = tokenizer()
    steps = [normalizers.Replace("☃", "☃☃")] * 20
    steps += [normalizers.Replace("☃", "☂"), normalizers.Replace("☂", "☃")] * 100
    tokens.backend_tokenizer.normalizer = normalizers.Sequence(steps)
    tiny("bert").network.save_pretrained(folder)
    tokens.save_pretrained(folder)
    return str(folder)
