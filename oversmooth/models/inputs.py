"""Texts become token ids: cut to a safe length, tokenised under a deadline, checked, and padded into batches."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Self, TypeVar, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from oversmooth.core.errors import InputError
from oversmooth.core.pairs import Input, parts
from oversmooth.core.texts import no_words
from oversmooth.core.tokens import Tokens
from oversmooth.core.wording import count
from oversmooth.models.describing import classification, describe, warnings
from oversmooth.models.encodings import Encoded, Encoding, Values, tokenise
from oversmooth.models.families import GlobalAttention
from oversmooth.models.loaded import LoadedModel

Result = TypeVar("Result")

CHARACTERS_PER_TOKEN = 16
EXTRA_CHARACTERS = 1024
"""A text is cut to this many characters per token it may have, plus these, before a tokenizer sees it: ten megabytes
take seconds to tokenise and all but the first tokens would be thrown away."""
TOKENIZER_SECONDS = 20.0
"""For each text."""
TEXTS_TOGETHER = 64
"""Texts that are tokenised ahead of the first that is described: bounds what waits."""
BATCH_TOKENS = 4096
"""Padded tokens in one forward pass: bounds the memory of activations, not the number of texts."""

_stuck = threading.Event()


def stuck() -> bool:
    """Whether a tokenizer call of this process never came back, so that a thread of it still runs."""
    return _stuck.is_set()


def encode(text: Input, model: LoadedModel, *, max_tokens: int, special_tokens: bool) -> Encoded:
    """Tokenise one text, or one pair.

    Raises:
        InputError: where nothing is left to measure, or the tokenizer fails or does not come back.
    """
    return next(encode_all((text,), model, max_tokens=max_tokens, special_tokens=special_tokens))


def encode_all(
    texts: Sequence[Input], model: LoadedModel, *, max_tokens: int, special_tokens: bool
) -> Iterator[Encoded]:
    """Tokenise texts and pairs in order, several under one guard; refuses as :func:`encode`, each in its place."""
    limit = token_limit(model, max_tokens)
    most = CHARACTERS_PER_TOKEN * limit + EXTRA_CHARACTERS
    for first in range(0, len(texts), TEXTS_TOGETHER):
        together = [parts(text) for text in texts[first : first + TEXTS_TOGETHER]]
        readable = takewhile(lambda given: not _unreadable(given, model, limit), together)
        kept = [tuple(part[:most] for part in given) for given in readable]
        calls = [partial(tokenise, model.tokenizer, given, limit) for given in kept]
        tokenised = zip(kept, _guarded(calls, model.record.name), strict=True)
        for given in together:
            if refusal := _unreadable(given, model, limit):
                raise InputError(refusal)
            cut, encoding = next(tokenised)
            left_out = encoding.total - len(encoding.ids), sum(map(len, given)) - sum(map(len, cut))
            tokens = Tokens(describe(encoding, cut, model, special_tokens=special_tokens), *left_out)
            _require_content(tokens, cut, model)
            _require_embedded(encoding.ids, tokens, model)
            _require_pair(encoding, given, model)
            _require_types(encoding, model)
            yield Encoded(
                ids=encoding.ids,
                tokens=tokens,
                classification=classification(encoding, model.tokenizer.cls_token_id),
                warnings=tuple(warnings(tokens, limit, max_tokens, pair=len(given) > 1)),
                others=_others(encoding, model),
            )


def _unreadable(given: Sequence[str], model: LoadedModel, limit: int) -> str:
    """Why no tokenizer is asked, in a sentence; empty where one is."""
    if refusal := no_words(given):
        return refusal
    added = model.tokenizer.num_special_tokens_to_add(pair=len(given) > 1)
    if limit < added + len(given):
        what = "text" if len(given) == 1 else "a pair"
        return (
            f"A limit of {count(limit, 'token')} leaves no room for {what}: {model.record.name} adds "
            f"{count(added, 'special token')}. Raise the limit to at least {added + len(given)}."
        )
    return ""


def _require_content(tokens: Tokens, kept: Sequence[str], model: LoadedModel) -> None:
    for part, text in enumerate(kept):
        if any(token.kind != "special" and token.segment == part for token in tokens.items):
            continue
        what = "text" if len(kept) == 1 else ("first text of the pair", "second text of the pair")[part]
        cut = f"first {count(len(text), 'character')} of the {what} have"
        place = cut if tokens.characters_left_out else f"{what} has"
        raise InputError(
            f"The {place} no content tokens: the tokenizer of {model.record.name} turned it into special tokens only."
        )


def _require_pair(encoding: Encoding, given: Sequence[str], model: LoadedModel) -> None:
    if len(given) > 1 and not encoding.apart:
        raise InputError(
            f"The tokenizer of {model.record.name} has no form for a pair of texts: it puts nothing between them, so "
            "that the model would read them as one. Give one text, in which the two stand as the model knows them."
        )


def _require_types(encoding: Encoding, model: LoadedModel) -> None:
    known = model.anatomy.token_types
    given = encoding.others.get("token_type_ids", ()) if "token_type_ids" in model.anatomy.takes else ()
    if known is not None and max(given, default=0) >= known:
        raise InputError(
            f"The tokenizer of {model.record.name} gives tokens the type {max(given)}, and its network knows "
            f"{count(known, 'type')}, counted from 0. Give one text instead of a pair, or take “token_type_ids” out of "
            "“model_input_names” in tokenizer_config.json."
        )


def _others(encoding: Encoding, model: LoadedModel) -> dict[str, Values]:
    """What the network reads of each token beside its id."""
    found = {name: values for name, values in encoding.others.items() if name in model.anatomy.takes}
    chosen = model.anatomy.global_attention
    if chosen is not None:
        found["global_attention_mask"] = tuple(map(int, attended_globally(encoding, chosen)))
    # A few networks, such as GPT-2, add something of their own for a given type 0 that they do not add without types.
    return {name: values for name, values in found.items() if any(np.any(each) for each in values)}


def attended_globally(encoding: Encoding, chosen: GlobalAttention) -> list[bool]:
    """Which tokens attend to all others, and all others to them; in a single text at most the first."""
    places = range(len(encoding.ids))
    if chosen == "first":
        return [place == 0 for place in places]
    if 1 not in encoding.segments:
        return [False for _ in places]
    second = encoding.segments.index(1)
    if chosen == "choice":
        return [place >= second for place in places]
    last = max(place for place, segment in enumerate(encoding.segments) if segment == 0)
    return [place <= last for place in places]


def _require_embedded(ids: Sequence[int], tokens: Tokens, model: LoadedModel) -> None:
    # Some published tokenizers know more tokens than the network: what does not use them is measured all the same.
    rows = _embedded(model)
    beyond = next((token for number, token in zip(ids, tokens.items, strict=True) if number >= rows), None)
    if beyond is not None:
        raise InputError(
            f"The network of {model.record.name} does not know the token “{beyond.text}” of its tokenizer: its number "
            f"is {beyond.id:,}, and the network has {rows:,}. Leave it out of the text."
        )


def _embedded(model: LoadedModel) -> int:
    """Tokens for which the network has an embedding."""
    try:
        weight = model.network.get_input_embeddings().weight
    except NotImplementedError:
        return sys.maxsize  # Some networks hash characters instead.
    return len(cast(Tensor, weight))


def token_limit(model: LoadedModel, max_tokens: int) -> int:
    """How many tokens a text may have: the setting, the model's positions, and what its tokenizer declares."""
    limits = [max_tokens, int(model.tokenizer.model_max_length)]
    if model.anatomy.max_positions is not None:
        limits.append(model.anatomy.max_positions)
    return min(limits)


@dataclass(frozen=True)
class Batches:
    """Texts in the batches in which they go through a model: each time it is iterated over, what the network reads."""

    texts: Sequence[Encoded]
    model: LoadedModel
    numbers: tuple[tuple[int, ...], ...]
    """Of the texts of each batch, the shortest first."""

    @classmethod
    def of(cls, texts: Sequence[Encoded], model: LoadedModel, most: int = sys.maxsize) -> Self:
        """Texts of like length together, or of equal length where padding would change what the model computes.

        ``most`` is the largest number of tokens of a batch, padding included, unless a single text has more; it is
        never more than ``BATCH_TOKENS``.
        """
        lengths = [len(text.ids) for text in texts]
        found: list[list[int]] = []
        for number in sorted(range(len(texts)), key=lambda number: lengths[number]):
            padded = model.anatomy.padding_is_safe or (found and lengths[number] == lengths[found[-1][0]])
            if found and padded and lengths[number] * (len(found[-1]) + 1) <= min(most, BATCH_TOKENS):
                found[-1].append(number)
            else:
                found.append([number])
        return cls(texts, model, tuple(map(tuple, found)))

    def __iter__(self) -> Iterator[tuple[Sequence[int], dict[str, Tensor]]]:
        """The numbers of the texts of a batch, and what the network reads of them."""
        for numbers in self.numbers:
            yield numbers, batch([self.texts[number] for number in numbers], self.model)


def batch(texts: Sequence[Encoded], model: LoadedModel) -> dict[str, Tensor]:
    """What the network reads of several texts, padded at the end (batch, token)."""
    # Any id does: the mask keeps padding out of attention and nothing reads its states. Position counting from the
    # padding id, as in RoBERTa, needs the true one.
    padding = model.tokenizer.pad_token_id or 0
    if padding >= _embedded(model):
        padding = 0
    columns = {
        "input_ids": _padded([text.ids for text in texts], padding),
        "attention_mask": _padded([(1,) * len(text.ids) for text in texts], 0),
    }
    for name in dict.fromkeys(name for text in texts for name in text.others):
        columns[name] = _padded([text.others.get(name, (0,) * len(text.ids)) for text in texts], 0)
    return {name: values.to(model.device) for name, values in columns.items()}


def _padded(rows: Sequence[Values], padding: int) -> Tensor:
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=padding)


def _guarded(calls: Sequence[Callable[[], Result]], model: str) -> Iterator[Result]:
    """Results of tokenizer calls, each of which may panic (not an ``Exception``) or never come back.

    One thread makes all of them, since starting one for each takes longer than the call; each has the time for itself.
    """
    results: list[Result] = []
    errors: list[BaseException] = []
    given_up = threading.Event()
    current = 0, time.monotonic()  # Which call is being made, and since when.

    def run() -> None:
        nonlocal current
        for number, call in enumerate(calls):
            current = number, time.monotonic()
            try:
                results.append(call())
            except BaseException as error:  # a Rust panic is no Exception
                errors.append(error)
            if errors or given_up.is_set():
                return

    thread = threading.Thread(target=run, daemon=True, name="tokenizer")
    thread.start()
    while thread.is_alive():
        number, began = current
        left = began + TOKENIZER_SECONDS - time.monotonic()
        if left <= 0:
            given_up.set()
            _stuck.set()
            yield from results[:number]
            raise InputError(
                f"The tokenizer of {model} did not finish within {TOKENIZER_SECONDS:g} seconds on this text. "
                "Try a shorter text; the tokenizer's files may be damaged or hostile."
            )
        thread.join(left)
    yield from results
    if errors:
        raise InputError(f"The tokenizer of {model} failed on this text ({type(errors[0]).__name__}).") from errors[0]
