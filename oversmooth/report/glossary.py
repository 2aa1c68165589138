"""Every metric, mitigation and quantity of an explanation as entries of one reference, and that as Markdown."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from oversmooth import metrics, mitigations
from oversmooth.core.papers import Paper
from oversmooth.metrics import Definition, mechanisms
from oversmooth.mitigations import Mitigation
from oversmooth.mitigations.parameters import Parameter

INTRODUCTION: Final = """\
# Reference: every number and method

Written by `scripts/reference` from what the code declares; the page Reference of the dashboard shows the same, with
small examples computed live. X is the n × d matrix of the measured tokens at one layer, x_i its rows, x̄ their mean, σ_i
its singular values in descending order; A is a head's attention matrix, Â what takes its place; R takes the mean token
away.
"""
_SIGNS: Final = re.compile(r"([\\`*_<>\[\]|$])")
LEAKS: Final = "no: in a causal model earlier tokens come to know of later ones"


class Kind(Enum):
    """What an entry is, in the order in which kinds are shown; the value is the heading."""

    METRIC = "Metrics"
    FIDELITY = "Beside a baseline"
    INFERENCE = "Mitigations for frozen weights"
    TRAINING = "Mitigations trained in their papers"
    ABLATION = "Ablations"
    CONTROL = "Controls"
    EXPLANATION = "Quantities of an explanation"


ABOUT = {
    Kind.METRIC: "Numbers of the tokens of one text at one layer.",
    Kind.FIDELITY: "What a variant leaves of its baseline; every comparison measures them.",
    Kind.INFERENCE: "Meant for a model as it is.",
    Kind.TRAINING: "Their papers train the model with them, and other weights may not bear the papers' values.",
    Kind.ABLATION: "Take a part of the model away, to show what that part does.",
    Kind.CONTROL: "No remedies, but what a remedy must beat.",
    Kind.EXPLANATION: "Numbers of attention, norms and weights that say why tokens grow alike.",
}
"""What the entries of each kind have in common, in a sentence."""


@dataclass(frozen=True)
class Entry:
    """One thing that has a name, and what is said of it wherever it is shown."""

    kind: Kind
    name: str
    """In exports, in specifications and on the command line; of one entry alone."""
    title: str
    formula: str
    paper: Paper | None
    tells: str
    """What a number tells, or what a mitigation does, in one sentence."""
    caveat: str
    definition: Definition | None = None
    """Of a number; None for a mitigation."""
    method: type[Mitigation] | None = None
    """Of a mitigation; None for a number."""

    @property
    def range_text(self) -> str:
        """Where a number lies, with its unit; empty for a mitigation."""
        return f"{self.definition.range_text()} {self.definition.unit}".rstrip() if self.definition else ""

    def mentions(self, word: str) -> bool:
        """Whether a word is part of the title, the name, the kind or the paper's authors, year and title."""
        paper = f"{self.paper.cite()} {self.paper.title}" if self.paper else ""
        return word.casefold() in f"{self.title} {self.name} {self.kind.value} {paper}".casefold()


def entries() -> tuple[Entry, ...]:
    """All entries, kind after kind, in the order of the registries."""
    found = [_number(Kind.METRIC, metric) for metric in metrics.all_metrics()]
    found += [_number(Kind.FIDELITY, metrics.get(name)) for name in metrics.fidelity_names()]
    found += [_method(method) for method in mitigations.all_mitigations()]
    found += [_number(Kind.EXPLANATION, mechanisms.get(name)) for name in mechanisms.names()]
    order = list(Kind)
    return tuple(sorted(found, key=lambda entry: order.index(entry.kind)))


def find(name: str) -> Entry | None:
    """The entry of that name; None for an unknown one."""
    return next((entry for entry in entries() if entry.name == name), None)


def matching(words: str, kinds: Collection[Kind] = ()) -> tuple[Entry, ...]:
    """The entries that mention every one of the words, of the given kinds; of all kinds without any."""
    return tuple(
        entry
        for entry in entries()
        if (not kinds or entry.kind in kinds) and all(entry.mentions(word) for word in words.split())
    )


def nearest(word: str) -> Entry | None:
    """The entry whose name or title is most like a word; None where none is near."""
    known = {entry.title.casefold(): entry for entry in entries()} | {entry.name: entry for entry in entries()}
    near = difflib.get_close_matches(word.casefold(), list(known), n=1)
    return known[near[0]] if near else None


def grouped(found: Sequence[Entry]) -> dict[Kind, list[Entry]]:
    """The same by kind; kinds without entries are left out."""
    groups: dict[Kind, list[Entry]] = {}
    for entry in found:
        groups.setdefault(entry.kind, []).append(entry)
    return groups


def _number(kind: Kind, item: Definition) -> Entry:
    return Entry(kind, item.name, item.title, item.formula, item.paper, item.reads, item.caveat, definition=item)


def _method(method: type[Mitigation]) -> Entry:
    said = method.declaration
    kind = Kind[said.meant.upper()]
    return Entry(kind, said.name, said.title, said.formula, said.paper, said.does, said.caveat, method=method)


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
        said += _method_said(entry.method)
    return "\n\n".join(said)


def _paper(paper: Paper | None) -> str:
    return f"[{_plain(paper.cite())}]({paper.url}), *{_plain(paper.title)}*" if paper else "from no paper"


def _method_said(method: type[Mitigation]) -> Sequence[str]:
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
