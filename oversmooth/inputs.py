"""Texts become token ids: cut to a safe length, tokenised under a deadline, checked, and padded into batches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
from torch import Tensor

from oversmooth.errors import InputError
from oversmooth.measurement import Token, TokenKind, Tokens
from oversmooth.pieces import decode
from oversmooth.texts import require_words
from oversmooth.wording import count

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

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

_stuck = threading.Event()


def stuck() -> bool:
    """Whether a tokenizer call of this process never came back, so that a thread of it still runs."""
    return _stuck.is_set()


@dataclass(frozen=True)
class Encoded:
    """One text as the model will see it."""

    ids: tuple[int, ...]
    tokens: Tokens
    classification: int | None
    """Position of the [CLS] token."""
    warnings: tuple[str, ...]


def encode(text: str, model: LoadedModel, *, max_tokens: int, special_tokens: bool) -> Encoded:
    """Tokenise one text.

    Raises:
        InputError: where nothing is left to measure, or the tokenizer fails or does not come back.
    """
    return next(encode_all((text,), model, max_tokens=max_tokens, special_tokens=special_tokens))


def encode_all(texts: Sequence[str], model: LoadedModel, *, max_tokens: int, special_tokens: bool) -> Iterator[Encoded]:
    """Tokenise texts, in their order, several under one guard.

    Raises:
        InputError: as :func:`encode` does, in the place of the text that it is about.
    """
    limit = token_limit(model, max_tokens)
    added = model.tokenizer.num_special_tokens_to_add()
    for first in range(0, len(texts), TEXTS_TOGETHER):
        together = texts[first : first + TEXTS_TOGETHER]
        readable = takewhile(str.strip, together) if limit > added else ()
        kept = [text[: CHARACTERS_PER_TOKEN * limit + EXTRA_CHARACTERS] for text in readable]
        calls = [partial(_tokenise, model.tokenizer, text, limit) for text in kept]
        tokenised = zip(kept, _guarded(calls, model.record.name), strict=True)
        for text in together:
            require_words((text,))
            if limit <= added:
                raise InputError(
                    f"A limit of {count(limit, 'token')} leaves no room for text: {model.record.name} adds "
                    f"{count(added, 'special token')}. Raise the limit to at least {added + 1}."
                )
            part, (total, encoding) = next(tokenised)
            left_out = max(0, total - len(encoding["input_ids"])), len(text) - len(part)
            tokens = Tokens(_describe(encoding, model.tokenizer, special_tokens), *left_out)
            _require_content(tokens, part, model)
            _require_embedded(encoding["input_ids"], tokens, model)
            yield Encoded(
                ids=tuple(encoding["input_ids"]),
                tokens=tokens,
                classification=_classification(encoding["input_ids"], model.tokenizer),
                warnings=tuple(_warnings(tokens, limit, max_tokens)),
            )


def _require_content(tokens: Tokens, kept: str, model: LoadedModel) -> None:
    if any(token.kind != "special" for token in tokens.items):
        return
    place = f"first {count(len(kept), 'character')} of the text have" if tokens.characters_left_out else "text has"
    raise InputError(
        f"The {place} no content tokens: the tokenizer of {model.record.name} turned it into special tokens only."
    )


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
    weight = model.network.get_input_embeddings().weight
    return len(cast(Tensor, weight))


def token_limit(model: LoadedModel, max_tokens: int) -> int:
    """How many tokens a text may have: the setting, the model's positions, and what its tokenizer declares."""
    limits = [max_tokens, int(model.tokenizer.model_max_length)]
    if model.anatomy.max_positions is not None:
        limits.append(model.anatomy.max_positions)
    return min(limits)


def batch(texts: Sequence[Encoded], model: LoadedModel) -> dict[str, Tensor]:
    """Ids and attention mask of several texts, padded at the end (batch, token)."""
    width = max(len(text.ids) for text in texts)
    # Any id does: the mask keeps padding out of attention and nothing reads its states. Position counting from the
    # padding id, as in RoBERTa, needs the true one.
    padding = model.tokenizer.pad_token_id or 0
    if padding >= _embedded(model):
        padding = 0
    ids = torch.full((len(texts), width), padding, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text.ids)] = torch.tensor(text.ids)
        mask[row, : len(text.ids)] = 1
    return {"input_ids": ids.to(model.device), "attention_mask": mask.to(model.device)}


def _tokenise(tokenizer: PreTrainedTokenizerBase, text: str, limit: int) -> tuple[int, dict[str, Any]]:
    """How many tokens the text has, and the encoding of as many as it may have."""
    tokenizer.truncation_side = "right"  # Some tokenizers come set to keep the end of a text.
    wanted: dict[str, Any] = {"return_offsets_mapping": True, "return_special_tokens_mask": True, "verbose": False}
    encoding = tokenizer(text, **wanted)
    total = len(encoding["input_ids"])
    if total > limit:
        encoding = tokenizer(text, truncation=True, max_length=limit, **wanted)
    return total, dict(encoding)


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


def _describe(encoding: dict[str, Any], tokenizer: PreTrainedTokenizerBase, special_tokens: bool) -> tuple[Token, ...]:
    ids: list[int] = encoding["input_ids"]
    spans: list[tuple[int, int]] = encoding["offset_mapping"]
    special: list[int] = encoding["special_tokens_mask"]
    pieces = decode(tokenizer.convert_ids_to_tokens(ids), special, repr(tokenizer.backend_tokenizer.decoder))
    unknown = tokenizer.unk_token_id
    tokens = []
    for number, piece, (start, end), is_special in zip(ids, pieces, spans, special, strict=True):
        kind: TokenKind = "special" if is_special else "content"
        if number == unknown and not is_special:
            kind = "unknown"
        tokens.append(Token(number, piece, kind, start, end, measured=special_tokens or kind != "special"))
    return tuple(tokens)


def _classification(ids: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> int | None:
    cls = tokenizer.cls_token_id
    return ids.index(cls) if cls is not None and cls in ids else None


def _warnings(tokens: Tokens, limit: int, max_tokens: int) -> list[str]:
    warnings = []
    seen = len(tokens.items)
    reason = "the limit that was set" if limit == max_tokens else "as many as the model's positions allow"
    if tokens.characters_left_out and not tokens.left_out:
        warnings.append(
            f"The text was cut: only its beginning was read, which gave {count(seen, 'token')}; a further "
            f"{count(tokens.characters_left_out, 'character')} were left out."
        )
    elif tokens.characters_left_out:
        warnings.append(
            f"The text was cut: the first {count(seen, 'token')} were measured ({reason}); "
            f"{count(tokens.left_out, 'token')} and a further {count(tokens.characters_left_out, 'character')} were "
            "left out."
        )
    elif tokens.left_out:
        warnings.append(
            f"The text was cut: the first {seen:,} of {count(seen + tokens.left_out, 'token')} were measured "
            f"({reason}); {count(tokens.left_out, 'token')} were left out."
        )
    content = [token for token in tokens.items if token.kind != "special"]
    unknown = sum(token.kind == "unknown" for token in content)
    if unknown:
        share = 100 * unknown / len(content)
        warnings.append(
            f"The model's vocabulary does not know what {count(unknown, 'token')} of {len(content):,} "
            f"({share:.0f} %) stood for in the text: unknown tokens look alike to the model from the start."
        )
    return warnings
