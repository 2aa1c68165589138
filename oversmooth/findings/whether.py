"""Whether tokens of one text grow alike at all, or share an offset with every text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oversmooth import points
from oversmooth.findings.collapse import collapse_sentence, collapsed_by, shrinkage_sentence
from oversmooth.findings.numerals import between, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oversmooth.measurement import Measurement

MOSTLY: Final = 0.5
"""Share of the cosine from which an offset common to all texts is most of it."""
NOT_ALIKE: Final = 0.02
"""A mean cosine below it is none that could be shared out."""

SAME: Final = 0.99
"""Mean cosine from which collapsed tokens of different texts are one vector."""
_NO_REASON: Final = "Several texts have to be set beside each other."


@dataclass(frozen=True)
class Offset:
    """The mean cosine at one point, within a text and between texts."""

    within: float
    """Of tokens of one text."""
    between: float
    """Of tokens of different texts: what is common to all of them."""

    @property
    def own(self) -> float:
        """What the tokens of one text share beyond that."""
        return self.within - self.between

    @property
    def share(self) -> float:
        """The common part of ``within``, in [0, 1]; NaN where tokens are not alike to begin with."""
        if not (math.isfinite(self.own) and self.within >= NOT_ALIKE):
            return math.nan
        return min(max(self.between / self.within, 0.0), 1.0)


def offsets(measurement: Measurement, form: str = "raw") -> dict[str, Offset]:
    """By point, the embedding, blocks and final norm in order; empty where texts were not set beside each other.

    Args:
        measurement: with an explanation.
        form: "raw", "centred" (the mean of all tokens of all texts removed) or "standardised" (by dimension, too).
    """
    corpus = None if measurement.explanation is None else measurement.explanation.corpus
    if corpus is None or "within" not in corpus:
        return {}
    found = corpus[["within", "between"]].sel(form=form)
    names = [str(point) for point in found.coords["point"].values if not points.is_sub_layer(str(point))]
    return {name: Offset(*(float(found[each].sel(point=name)) for each in ("within", "between"))) for name in names}


def common_share(found: Mapping[str, Offset]) -> float:
    """The share of the curve, Σ between / Σ within over the outputs of the blocks, that all texts have in common.

    NaN where no block has alike tokens.
    """
    blocks = [each for point, each in found.items() if points.is_block(point) and math.isfinite(each.own)]
    within = sum(each.within for each in blocks)
    if not blocks or within < NOT_ALIKE * len(blocks):
        return math.nan
    return min(max(sum(each.between for each in blocks) / within, 0.0), 1.0)


def mostly_common(found: Mapping[str, Offset]) -> tuple[str, ...]:
    """The blocks at which more than half of the cosine is common to all texts: anisotropy."""
    return tuple(point for point, each in found.items() if points.is_block(point) and each.share > MOSTLY)


def own_from(found: Mapping[str, Offset]) -> str | None:
    """The first block from which, up to the last, more than half of the cosine is the text's own; None without one."""
    first = None
    for point, each in found.items():
        if points.is_block(point):
            first = (first or point) if each.share <= MOSTLY else None
    return first


def offset_sentence(found: Mapping[str, Offset]) -> str:
    """How much of the curve is common to all texts, in a sentence; empty where there is nothing to share out."""
    share = common_share(found)
    if math.isnan(share):
        return ""
    return f"Over all blocks, {100 * share:.0f} % of the mean cosine is an offset common to all texts."


def own_clause(found: Mapping[str, Offset]) -> str:
    """From where on most of it is the text's own, in a clause after :func:`offset_sentence`; empty without that."""
    if math.isnan(common_share(found)) or not mostly_common(found):
        return ""
    block = own_from(found)
    if block is None:
        return "; at the last block most of it still is"
    return f"; only from {points.title(block)} on is most of it the text's own"


def whether(measurement: Measurement) -> tuple[str, ...]:
    """The sentences of the part “Whether”, in order."""
    found = offsets(measurement)
    if collapsed_by(measurement) is not None:
        said = (collapse_sentence(measurement), shrinkage_sentence(measurement), _one_vector(found))
        return tuple(filter(None, said))
    sentences = [collapse_sentence(measurement), offset_sentence(found)]
    if not any(math.isfinite(each.own) for each in found.values()):
        why = "" if measurement.explanation is None else measurement.explanation.reasons.get("corpus", "")
        sentences.append(f"Over-smoothing and a common offset cannot be told apart here. {why or _NO_REASON}")
    elif math.isnan(common_share(found)):
        sentences.append("Tokens of one text are hardly alike at any block, so there is nothing to share out.")
    else:
        sentences += [_where_common(found), _where_own(found), _centred(measurement)]
    return tuple(filter(None, sentences))


def _one_vector(found: Mapping[str, Offset]) -> str:
    """Whether the tokens of all texts collapsed into one vector; empty where texts were not set beside each other."""
    last = _last_block(found)
    if not last or not math.isfinite(found[last].own):
        return ""
    means = f"mean cosine {number(found[last].between, 2)} at {points.title(last)}"
    if found[last].between >= SAME:
        return f"Tokens of different texts are one vector too: {means}."
    return f"Different texts stay apart: {means}."


def _last_block(found: Mapping[str, Offset]) -> str:
    """Empty where there is no block."""
    return max((point for point in found if points.is_block(point)), key=int, default="")


def _where_common(found: Mapping[str, Offset]) -> str:
    blocks = mostly_common(found)
    if not blocks:
        return "At no block is more than half of it common to all texts."
    values = [found[block] for block in blocks]
    low, high = (extreme(each.own for each in values) for extreme in (min, max))
    return (
        f"{places(blocks)} mostly anisotropy: tokens of one text are more alike than tokens of different texts by "
        f"{number(low, 2) if low == high else between(low, high)}."
    )


def _where_own(found: Mapping[str, Offset]) -> str:
    block = own_from(found)
    if block is None:
        return "At no block up to the last do the tokens of one text share more among themselves than with all texts."
    last = _last_block(found)
    at = found[last]
    return (
        f"From {points.title(block)} on, tokens of one text truly grow alike: at {points.title(last)} their mean "
        f"cosine is {number(at.within, 2)}, that of different texts {number(at.between, 2)}."
    )


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
