"""What a tokenizer makes of a text or of a pair: ids, the place of each, and what else the network reads of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from transformers import PreTrainedTokenizerBase

from oversmooth.core.tokens import Tokens

Values = tuple[Any, ...]
"""Of each token: a number, or a list of them as for a box on a page."""

_ASIDE: Final = frozenset({"input_ids", "attention_mask", "offset_mapping", "special_tokens_mask"})


@dataclass(frozen=True)
class Encoding:
    """Tokens in order, cut to what may be read."""

    ids: tuple[int, ...]
    segments: tuple[int | None, ...]
    """Which text each token is of, from 0; None for a token that the tokenizer added."""
    spans: tuple[tuple[int, int], ...] | None
    """Characters that each token covers in its text; None where the tokenizer does not tell."""
    others: Mapping[str, Values]
    """What else the tokenizer says of each token, by the name under which a network takes it."""
    total: int
    """Tokens before the cut."""

    @property
    def apart(self) -> bool:
        """Whether something tells the network where the second text of a pair begins."""
        places = [[place for place, each in enumerate(self.segments) if each == segment] for segment in (0, 1)]
        if not all(places):
            return False
        first, second = max(places[0]), min(places[1])
        kinds = self.others.get("token_type_ids")
        return second > first + 1 or (kinds is not None and kinds[first] != kinds[second])


def tokenise(tokenizer: PreTrainedTokenizerBase, parts: Sequence[str], limit: int) -> Encoding:
    """A text, or the two of a pair, in the tokenizer's own form; of a pair, the longer text is cut first."""
    tokenizer.truncation_side = "right"  # Some tokenizers come set to keep the end of a text.
    wanted: dict[str, Any] = {"return_special_tokens_mask": True, "verbose": False}
    if tokenizer.is_fast:
        wanted["return_offsets_mapping"] = True
    found = tokenizer(*parts, **wanted)
    total = len(found["input_ids"])
    if total > limit:
        found = tokenizer(*parts, truncation="longest_first", max_length=limit, **wanted)
    ids = tuple(found["input_ids"])
    if tokenizer.is_fast:
        owners = zip(found["special_tokens_mask"], found.sequence_ids(0), strict=True)
        segments = tuple(None if added else owner for added, owner in owners)
    else:
        segments = _segments(tokenizer, parts, max(0, total - limit))
    if len(segments) != len(ids):
        raise ValueError("the tokenizer does not tell which tokens it added")
    others = {
        name: tuple(values)
        for name, values in found.items()
        if name not in _ASIDE and isinstance(values, list) and len(values) == len(ids)
    }
    spans = tuple(found["offset_mapping"]) if tokenizer.is_fast else None
    return Encoding(ids, segments, spans, others, total)


def _segments(tokenizer: Any, parts: Sequence[str], cut: int) -> tuple[int | None, ...]:  # noqa: ANN401
    """Where a tokenizer in Python puts the tokens of each text, by the way that numbers for them go through it."""
    # Below every id, so that none of them is one.
    alone = [tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"] for text in parts]
    numbers = [[-1 - part] * len(ids) for part, ids in enumerate(alone)]
    pair = numbers[1] if len(parts) > 1 else None
    first, second, _ = tokenizer.truncate_sequences(numbers[0], pair, num_tokens_to_remove=cut)
    built = tokenizer.build_inputs_with_special_tokens(first, second)
    return tuple({-1: 0, -2: 1}.get(each) for each in built)


@dataclass(frozen=True)
class Encoded:
    """One text, or one pair, as the model will see it."""

    ids: tuple[int, ...]
    tokens: Tokens
    classification: int | None
    """Position of the [CLS] token that the tokenizer added."""
    warnings: tuple[str, ...]
    others: Mapping[str, Values] = field(default_factory=dict)
    """What else the network reads of each token, by its name there, such as ``token_type_ids``; without what is 0 for
    every token, for which the network has its own default."""
