"""Whether tokens of one text grow alike at all, or share an offset with every text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from oversmooth.core import points
from oversmooth.core.numerals import between, number, pair
from oversmooth.report.findings.absences import explained
from oversmooth.report.findings.collapse import collapse_sentence, collapsed_by, shrinkage_sentence
from oversmooth.results.measurement import Measurement

MOSTLY: Final = 0.5
"""Share of the cosine from which an offset common to all texts is most of it."""
NOT_ALIKE: Final = 0.02
"""A mean cosine below it is none that could be shared out."""
SAME: Final = 0.99
"""Mean cosine from which collapsed tokens of different texts are one vector."""
_NO_REASON: Final = "Several texts have to be set beside each other."
Kind = Literal["common", "own", "crossed", "apart"]


@dataclass(frozen=True)
class Offset:
    """The mean cosine at one point, within a text and between texts."""

    within: float
    """Of tokens of one text."""
    between: float
    """Of tokens of different texts: what is common to all of them, where no texts share words."""

    @property
    def own(self) -> float:
        """What the tokens of one text share beyond that."""
        return self.within - self.between

    @property
    def share(self) -> float:
        """The common part of ``within``, in [0, 1]; NaN where there is none to share out, or it is not a part of it."""
        if self.kind in ("apart", "crossed") or not math.isfinite(self.own):
            return math.nan
        return max(self.between / self.within, 0.0)

    @property
    def kind(self) -> Kind:
        """What the tokens of one text have in common, as far as it is known.

        ``apart``: less than ``NOT_ALIKE``. ``crossed``: less than tokens of different texts have, as where texts share
        words. ``common``: mostly what all texts have, ``own``: mostly the text's own.
        """
        if not math.isfinite(self.own) or max(self.within, self.between) < NOT_ALIKE:
            return "apart"
        if self.own < 0:
            return "crossed"
        return "common" if self.between > MOSTLY * self.within else "own"


def offsets(measurement: Measurement, form: str = "raw") -> dict[str, Offset]:
    """By point, the embedding, blocks and final norm in order; empty where texts were not set beside each other.

    ``form`` is “raw”, “centred” (the mean of all tokens of all texts removed) or “standardised” (by dimension, too).
    """
    corpus = explained(measurement, "corpus", "within")
    if corpus is None:
        return {}
    found = corpus[["within", "between"]].sel(form=form)
    names = [str(point) for point in found.coords["point"].values if not points.is_sub_layer(str(point))]
    return {name: Offset(*(float(found[each].sel(point=name)) for each in ("within", "between"))) for name in names}


def common_share(found: Mapping[str, Offset]) -> float:
    """The share of the curve, Σ between / Σ within over the outputs of the blocks, that all texts have in common.

    In [0, 1]; NaN where no tokens are alike, or those of different texts more than those of one.
    """
    return _over_blocks(found).share


def mostly_common(found: Mapping[str, Offset]) -> tuple[str, ...]:
    """The blocks at which more than half of the cosine is common to all texts: anisotropy."""
    return _of_kind(found, "common")


def own_from(found: Mapping[str, Offset]) -> str | None:
    """The first block from which, up to the last, more than half of the cosine is the text's own; None without one."""
    first = None
    for point, each in _blocks(found).items():
        first = (first or point) if each.kind == "own" else None
    return first


def offset_sentence(found: Mapping[str, Offset]) -> str:
    """How much of the curve is common to all texts, in a sentence; empty where there is nothing to share out."""
    over = _over_blocks(found)
    if over.kind == "apart":
        return ""
    if over.kind == "crossed":
        between, within = pair(over.between, over.within)
        return (
            f"Over all blocks, tokens of different texts are more alike (mean cosine {between}) than those of one text "
            f"({within}), as where texts share words: a common offset cannot be told from that."
        )
    return f"Over all blocks, {100 * over.share:.0f} % of the mean cosine is an offset common to all texts."


def own_clause(found: Mapping[str, Offset]) -> str:
    """From where on most of it is the text's own, in a clause after :func:`offset_sentence`; empty without that."""
    if math.isnan(common_share(found)) or not mostly_common(found):
        return ""
    block, blocks = own_from(found), _blocks(found)
    if block is not None:
        earlier = [each.kind for point, each in blocks.items() if int(point) < int(block)]
        only = "only " if set(earlier) == {"common"} else ""
        return f"; {only}from {points.title(block)} on is most of it the text's own"
    if list(blocks.values())[-1].kind == "common":
        return "; at the last block most of it still is"
    return ""


def whether(measurement: Measurement) -> tuple[str, ...]:
    """The sentences of the part “Whether”, in order."""
    found = offsets(measurement)
    if collapsed_by(measurement) is not None:
        said = (collapse_sentence(measurement), shrinkage_sentence(measurement), _one_vector(found))
        return tuple(filter(None, said))
    sentences = [collapse_sentence(measurement), offset_sentence(found)]
    if not _blocks(found):
        why = "" if measurement.explanation is None else measurement.explanation.reasons.get("corpus", "")
        sentences.append(f"Over-smoothing and a common offset cannot be told apart here. {why or _NO_REASON}")
    elif {each.kind for each in _blocks(found).values()} == {"apart"}:
        sentences.append("Tokens of one text are hardly alike at any block, so there is nothing to share out.")
    else:
        sentences += [_where_crossed(found), _where_common(found), _where_own(found), _centred(measurement)]
    return tuple(filter(None, sentences))


def _blocks(found: Mapping[str, Offset]) -> dict[str, Offset]:
    """The blocks with both numbers, in order."""
    return {point: each for point, each in found.items() if points.is_block(point) and math.isfinite(each.own)}


def _of_kind(found: Mapping[str, Offset], kind: Kind) -> tuple[str, ...]:
    return tuple(point for point, each in _blocks(found).items() if each.kind == kind)


def _over_blocks(found: Mapping[str, Offset]) -> Offset:
    """Means over the blocks; NaN without one."""
    blocks = _blocks(found).values()
    if not blocks:
        return Offset(math.nan, math.nan)
    return Offset(*(sum(values) / len(blocks) for values in zip(*((b.within, b.between) for b in blocks), strict=True)))


def _one_vector(found: Mapping[str, Offset]) -> str:
    """Whether the tokens of all texts collapsed into one vector; empty where texts were not set beside each other."""
    blocks = _blocks(found)
    if not blocks:
        return ""
    last = list(blocks)[-1]
    means = f"mean cosine {number(found[last].between)} at {points.title(last)}"
    if found[last].between >= SAME:
        return f"Tokens of different texts are one vector too: {means}."
    return f"Different texts stay apart: {means}."


def _where_crossed(found: Mapping[str, Offset]) -> str:
    crossed = _of_kind(found, "crossed")
    if not crossed:
        return ""
    worst = min(crossed, key=lambda point: found[point].own)
    return (
        f"Tokens of different texts are more alike than those of one text at {points.places(crossed, 'block')}, by "
        f"{number(-found[worst].own, 2)} at most ({points.title(worst)}): texts that share words are."
    )


def _where_common(found: Mapping[str, Offset]) -> str:
    blocks = mostly_common(found)
    if not blocks:
        return "" if _of_kind(found, "crossed") else "At no block is more than half of it common to all texts."
    values = [found[block] for block in blocks]
    low, high = (extreme(each.own for each in values) for extreme in (min, max))
    if high == 0:
        return (
            f"{places(blocks)} mostly anisotropy: tokens of one text are no more alike than those of different texts."
        )
    return (
        f"{places(blocks)} mostly anisotropy: tokens of one text are more alike than tokens of different texts by "
        f"{number(low, 2) if low == high else between(low, high)}."
    )


def _where_own(found: Mapping[str, Offset]) -> str:
    block, own = own_from(found), _of_kind(found, "own")
    if not own:
        return "At no block do the tokens of one text share more among themselves than with all texts."
    if block is None:
        verb = "is" if len(own) == 1 else "are"
        return f"Mostly the text's own {verb} {points.places(own, 'block')}, not those up to the last."
    last = list(_blocks(found))[-1]
    at = found[last]
    within, others = pair(at.within, at.between)
    numbers = f"at {points.title(last)} their mean cosine is {within}, that of different texts {others}"
    if at.own <= _before(found, block).own or at.own < found[block].own:
        return f"From {points.title(block)} on, most of it is the text's own: {numbers}."
    return f"From {points.title(block)} on, tokens of one text truly grow alike: {numbers}."


def _before(found: Mapping[str, Offset], block: str) -> Offset:
    """The last point with both numbers before a block; unknown without one."""
    earlier = list(found)[: list(found).index(block)]
    known = [found[point] for point in earlier if math.isfinite(found[point].own)]
    return known[-1] if known else Offset(math.nan, math.nan)


def _centred(measurement: Measurement) -> str:
    within = {
        point: each.within
        for point, each in offsets(measurement, "centred").items()
        if points.is_block(point) and math.isfinite(each.within)
    }
    if not within:
        return ""
    most = max(within, key=lambda point: within[point])
    return (
        "With the mean of all texts removed, the mean cosine within a text is at most "
        f"{number(within[most], 2)} ({points.title(most)})."
    )


def places(blocks: tuple[str, ...]) -> str:
    """``Block 3 is``, ``Blocks 0–4 are``, ``Blocks 0, 2 and 5 are``."""
    numbers = [int(block) for block in blocks]
    if len(numbers) == 1:
        return f"Block {numbers[0]} is"
    runs: list[list[int]] = []
    for each in numbers:
        if runs and each == runs[-1][-1] + 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    words = [f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    told = " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    return f"Blocks {told} are"
