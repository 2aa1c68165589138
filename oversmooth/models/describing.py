"""The tokens of a text as a reader is told of them: what each stands for, which count, and what was left out."""

from collections.abc import Iterator, Sequence

from oversmooth.core.tokens import Token, TokenKind, Tokens, visible
from oversmooth.core.wording import count, enumerated
from oversmooth.models.encodings import Encoding
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.pieces import decode, spelling

MOST_TOLD = 5
"""Different special tokens that a warning names."""


def describe(
    encoding: Encoding, parts: Sequence[str], model: LoadedModel, *, special_tokens: bool
) -> tuple[Token, ...]:
    """Every token with its kind; ``special_tokens`` says whether special ones count.

    A token is special where the tokenizer added it, and by its id wherever it stands: ``[SEP]`` typed in a text is to
    the model the very mark that the tokenizer puts at its end.
    """
    tokenizer = model.tokenizer
    spelled = tokenizer.convert_ids_to_tokens(list(encoding.ids))
    spans = encoding.spans or (None,) * len(encoding.ids)
    places = zip(encoding.ids, encoding.segments, spans, strict=True)
    kinds = [
        _kind(number, segment, "" if segment is None or span is None else parts[segment][slice(*span)], model)
        for number, segment, span in places
    ]
    special = [kind == "special" for kind in kinds]
    texts = decode(spelled, special, spelling(tokenizer))
    return tuple(
        Token(
            number,
            text,
            kind,
            None if span is None else span[0],
            None if span is None else span[1],
            measured=special_tokens or kind != "special",
            segment=segment,
        )
        for number, text, kind, span, segment in zip(encoding.ids, texts, kinds, spans, encoding.segments, strict=True)
    )


def _kind(number: int, segment: int | None, covered: str, model: LoadedModel) -> TokenKind:
    if segment is None:
        return "special"
    if number == model.tokenizer.unk_token_id:
        # What is not in the vocabulary becomes the same token as its name does where that is typed.
        return "special" if covered.strip() == str(model.tokenizer.unk_token) else "unknown"
    return "special" if number in model.special_ids else "content"


def classification(encoding: Encoding, cls: int | None) -> int | None:
    """Position of the [CLS] token that the tokenizer added, wherever in the text others were typed."""
    places = zip(encoding.ids, encoding.segments, strict=True)
    return next((place for place, (number, segment) in enumerate(places) if segment is None and number == cls), None)


def warnings(tokens: Tokens, limit: int, max_tokens: int, *, pair: bool) -> Iterator[str]:
    """What a reader must know of the tokens, in sentences."""
    reason = "the limit that was set" if limit == max_tokens else "as many as the model's positions allow"
    cut = _pair_cut(tokens, reason) if pair else _cut(tokens, reason)
    if cut:
        yield cut
    yield from _typed(tokens, "pair" if pair else "text")
    content = [token for token in tokens.items if token.kind != "special"]
    unknown = sum(token.kind == "unknown" for token in content)
    if unknown:
        share = 100 * unknown / len(content)
        yield (
            f"The model's vocabulary does not know what {count(unknown, 'token')} of {len(content):,} "
            f"({share:.0f} %) stood for in the text: unknown tokens look alike to the model from the start."
        )


def _cut(tokens: Tokens, reason: str) -> str:
    seen = len(tokens.items)
    if tokens.characters_left_out and not tokens.left_out:
        return (
            f"The text was cut: only its beginning was read, which gave {count(seen, 'token')}; a further "
            f"{count(tokens.characters_left_out, 'character')} were left out."
        )
    if tokens.characters_left_out:
        return (
            f"The text was cut: the first {count(seen, 'token')} were measured ({reason}); "
            f"{count(tokens.left_out, 'token')} and a further {count(tokens.characters_left_out, 'character')} were "
            "left out."
        )
    if tokens.left_out:
        return (
            f"The text was cut: the first {seen:,} of {count(seen + tokens.left_out, 'token')} were measured "
            f"({reason}); {count(tokens.left_out, 'token')} were left out."
        )
    return ""


def _pair_cut(tokens: Tokens, reason: str) -> str:
    left = [
        *([count(tokens.left_out, "token")] if tokens.left_out else []),
        *([count(tokens.characters_left_out, "character")] if tokens.characters_left_out else []),
    ]
    if not left:
        return ""
    return (
        f"The pair was cut at the ends of its texts, the longer one first: {count(len(tokens.items), 'token')} were "
        f"measured ({reason}); {enumerated(left)} were left out."
    )


def _typed(tokens: Tokens, what: str) -> Iterator[str]:
    typed = [token for token in tokens.items if token.kind == "special" and token.segment is not None]
    if not typed:
        return
    names = list(dict.fromkeys(f"“{visible(token.text)}”" for token in typed))
    told = enumerated(names, MOST_TOLD)
    count_too = typed[0].measured
    yield (
        f"The {what} holds {count(len(typed), 'special token')} written out ({told}): the model takes such for its own "
        f"marks, so they {'count' if count_too else 'are left out'} like those that the tokenizer adds."
    )
