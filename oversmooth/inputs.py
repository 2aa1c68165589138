"""Texts become token ids: cut to a safe length, tokenised under a deadline, checked, and padded into batches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from oversmooth.errors import InputError
from oversmooth.measurement import Token, TokenKind, Tokens
from oversmooth.pieces import decode
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
    if not text.strip():
        raise InputError("The text is empty: type or paste at least two words.")
    limit = token_limit(model, max_tokens)
    added = model.tokenizer.num_special_tokens_to_add()
    if limit <= added:
        raise InputError(
            f"A limit of {count(limit, 'token')} leaves no room for text: {model.record.name} adds "
            f"{count(added, 'special token')}. Raise the limit to at least {added + 1}."
        )
    kept = text[: CHARACTERS_PER_TOKEN * limit + EXTRA_CHARACTERS]
    tokenizer = model.tokenizer
    whole = _guarded(lambda: _tokenise(tokenizer, kept), model.record.name)
    total = len(whole["input_ids"])
    if total > limit:
        whole = _guarded(lambda: _tokenise(tokenizer, kept, limit), model.record.name)
    tokens = _describe(whole, tokenizer, special_tokens)
    left_out = max(0, total - len(whole["input_ids"]))
    described = Tokens(tokens, left_out, len(text) - len(kept))
    if not any(token.kind != "special" for token in tokens):
        place = f"first {count(len(kept), 'character')} of the text have" if len(kept) < len(text) else "text has"
        raise InputError(
            f"The {place} no content tokens: the tokenizer of {model.record.name} turned it into special tokens only."
        )
    return Encoded(
        ids=tuple(whole["input_ids"]),
        tokens=described,
        classification=_classification(whole["input_ids"], tokenizer),
        warnings=tuple(_warnings(described, limit, max_tokens)),
    )


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
    ids = torch.full((len(texts), width), padding, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text.ids)] = torch.tensor(text.ids)
        mask[row, : len(text.ids)] = 1
    return {"input_ids": ids.to(model.device), "attention_mask": mask.to(model.device)}


def _tokenise(tokenizer: PreTrainedTokenizerBase, text: str, limit: int | None = None) -> dict[str, Any]:
    tokenizer.truncation_side = "right"  # Some tokenizers come set to keep the end of a text.
    encoding = tokenizer(
        text,
        truncation=limit is not None,
        max_length=limit,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        verbose=False,
    )
    return dict(encoding)


def _guarded(call: Callable[[], Result], model: str) -> Result:
    """Run a tokenizer call that may panic (not an ``Exception``) or never come back."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # a Rust panic is no Exception
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="tokenizer")
    thread.start()
    thread.join(TOKENIZER_SECONDS)
    if thread.is_alive():
        _stuck.set()
        raise InputError(
            f"The tokenizer of {model} did not finish within {TOKENIZER_SECONDS:g} seconds on this text. "
            "Try a shorter text; the tokenizer's files may be damaged or hostile."
        )
    if errors:
        raise InputError(f"The tokenizer of {model} failed on this text ({type(errors[0]).__name__}).") from errors[0]
    return results[0]


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
