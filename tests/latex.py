"""What LaTeX would make of a source, as far as its signs tell."""

from __future__ import annotations

import re

COMMAND = re.compile(r"\\(?:[A-Za-z]+|.)")
SPECIAL = set("#$%&_^~")


def assert_harmless(source: str) -> None:
    """No command character stands for itself, braces are balanced, and nothing begins a line of its own."""
    bare = COMMAND.sub("", source)
    assert not SPECIAL & set(bare), source
    assert "\n" not in source
    depth = 0
    for sign in bare:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0, source
    assert depth == 0, source
    assert not re.search(r"--|,,|''|``|\?`|!`|<<|>>", source), source
