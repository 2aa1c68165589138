"""The reference as one Markdown document, for readers without the dashboard."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from oversmooth.core.papers import Paper
from oversmooth.mitigations import Mitigation
from oversmooth.mitigations.parameters import Parameter
from oversmooth.report.glossary import ABOUT, Entry, entries, grouped

INTRODUCTION: Final = """\
# Reference: every number and method

Written by `scripts/reference` from what the code declares; the page Reference of the dashboard shows the same, with
small examples computed live. X is the n × d matrix of the measured tokens at one layer, x_i its rows, x̄ their mean, σ_i
its singular values in descending order; A is a head's attention matrix, Â what takes its place; R takes the mean token
away.
"""
_SIGNS: Final = re.compile(r"([\\`*_<>\[\]|$])")
LEAKS: Final = "no: in a causal model earlier tokens come to know of later ones"


def document() -> str:
    """All entries, kind after kind, each under an anchor of its name."""
    groups = grouped(entries())
    parts = [INTRODUCTION]
    for kind, found in groups.items():
        links = ", ".join(f"[{_plain(entry.title)}](#{entry.name})" for entry in found)
        parts.append(f"- **{kind.value}**: {links}")
    for kind, found in groups.items():
        parts.append(f"\n## {kind.value}\n\n{_plain(ABOUT[kind])}")
        parts += map(_entry, found)
    return "\n".join(parts) + "\n"


def _entry(entry: Entry) -> str:
    facts = [f"`{entry.name}`"] + [f"in {_plain(entry.range_text)}"] * bool(entry.range_text) + [_paper(entry.paper)]
    said = [
        f'\n<a id="{entry.name}"></a>',
        f"\n### {_plain(entry.title)}",
        " · ".join(facts),
        f"$$\n{entry.formula}\n$$",
        f"{_plain(entry.tells)} **But:** {_plain(entry.caveat)}",
    ]
    if entry.method is not None:
        said += _method(entry.method)
    return "\n\n".join(said)


def _paper(paper: Paper | None) -> str:
    return f"[{_plain(paper.cite())}]({paper.url}), *{_plain(paper.title)}*" if paper else "from no paper"


def _method(method: type[Mitigation]) -> Sequence[str]:
    said = method.declaration
    facts = [f"Acts on: {_plain(said.position)}."]
    if said.paper:
        facts.append(f"In its paper: {_plain(said.paper_position)}.")
    facts.append(f"Causal-safe: {'yes' if said.causal_safe else LEAKS}.")
    if said.excludes:
        facts.append(f"Not in the same layers as: {', '.join(f'`{name}`' for name in said.excludes)}.")
    rows = ["| parameter | in | default | paper | meaning |", "|---|---|---|---|---|"]
    rows += map(_row, method.parameters().values())
    return " ".join(facts), "\n".join(rows)


def _row(parameter: Parameter) -> str:
    paper = "–" if parameter.paper is None else parameter.write(parameter.paper)
    cells = (parameter.range_text(), parameter.write(parameter.default), paper, parameter.meaning)
    return f"| `{parameter.name}` | {' | '.join(map(_plain, cells))} |"


def _plain(sentence: str) -> str:
    """The sentence with the signs escaped that Markdown reads."""
    return _SIGNS.sub(r"\\\1", sentence)
