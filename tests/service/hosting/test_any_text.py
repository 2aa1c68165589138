"""Whatever a stranger types is measured or refused in a sentence, whichever way the model reads."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from any_texts import HALF, sentence, texts
from any_tokenizers import Reader, readers
from tokenizers import processors

from oversmooth import Measurement, OversmoothError, Settings, measure
from oversmooth.core.pairs import Input
from oversmooth.core.tokens import Token, Tokens

NUMBER = 10_000
PAIRS = 200
BATCH = 100
KINDS = ("WordPiece", "byte-level BPE", "Unigram", "BPE with byte fallback", "bytes", "characters")
SHARES = re.compile(r"(.) \((\d+)/\d+\)", re.DOTALL)
"""A character shown at each of the tokens that hold its bytes: 🙂 (1/4), 🙂 (2/4), …"""
PLACE = re.compile(r"Text (\d+): ")
SIGNS = ("a", " ", "\n", "\0", "1", "🙂", "\u0301", "\u202e", "清", "<s>", "[CLS]", "a ")
HUGE = tuple(1_000_000 * sign for sign in SIGNS)

known = cache(readers)


def attempt(reader: Reader, settings: Settings) -> Measurement:
    try:
        return measure(settings, model=reader.model)
    except OversmoothError:
        raise
    except BaseException as error:  # a panic of the tokenizer is no Exception
        if len(settings.texts) == 1:
            pytest.fail(f"{settings.texts[0]!r} gave {error!r}")
        for text in settings.texts:
            attempt(reader, settings.model_copy(update={"texts": (text,), "shown": 0}))
        raise


def outcome(reader: Reader, given: Sequence[Input], chance: random.Random) -> Measurement | None:
    """The measurement of all texts that are not refused, each of which is in a sentence that names it."""
    left = list(given)
    most, special = chance.choice((8, 24, 40)), chance.random() < 0.5
    while left:
        shown = chance.randrange(len(left))
        settings = Settings.of(texts=left, max_tokens=most, special_tokens=special, shown=shown, device="cpu")
        try:
            return attempt(reader, settings)
        except OversmoothError as error:
            refusal = str(error)
        sentence(refusal)
        named = PLACE.match(refusal)
        assert (named is not None) == (len(left) > 1), refusal
        left.pop(int(named[1]) - 1 if named else 0)
    return None


def check(reader: Reader, found: Measurement) -> None:
    assert len(found.tokens) == len(found.settings.texts)
    for text, tokens in zip(found.settings.texts, found.tokens, strict=True):
        assert isinstance(text, str)
        check_tokens(reader, text, tokens)
    check_numbers(found)


def check_tokens(reader: Reader, text: str, tokens: Tokens) -> None:
    """Every token stands for its place in the text, and only spaces and signs without meaning are between them."""
    assert 0 < len(tokens.items) <= 40, text
    assert any(token.kind != "special" for token in tokens.items), text
    # Special tokens that are typed stand in the text as well.
    content = [token for token in tokens.items if token.segment is not None]
    ends = [0, *(token.end or 0 for token in content)]
    assert ends == sorted(ends), text
    cut = tokens.left_out > 0 or tokens.characters_left_out > 0
    covered = text[: ends[-1]] if cut else text
    if reader.spells:
        joined = SHARES.sub(lambda share: share[1] if share[2] == "1" else "", "".join(token.text for token in content))
        expected, joined = reader.normalised(covered), joined.rstrip("\ufffd") if cut else joined
        if reader.backend.normalizer is not None:  # it puts a space before whatever follows a special token
            expected, joined = expected.replace(" ", ""), joined.replace(" ", "")
        assert expected.startswith(joined) if cut else expected == joined, text
        return
    position = 0
    for token in content:
        assert reader.normalised(text[position : token.start]).strip() == "", (text, token)
        check_token(reader, text, token)
        position = max(position, token.end or 0)
    assert reader.normalised(covered[position:]).strip() == "", text


def check_token(reader: Reader, text: str, token: Token) -> None:
    stands_for = text[token.start : token.end]
    assert stands_for, (text, token)
    if token.kind == "content":
        # A sign may become several, as ﬀ does, and these a token each.
        forms = stands_for, reader.normalised(stands_for)
        assert any(token.text.strip() in form for form in forms), (text, token)


def check_numbers(found: Measurement) -> None:
    """A number is finite, or a note says why it is not."""
    noted = {(note.input, note.point, note.metric) for note in found.notes if note.kind == "missing"}
    points = found.points
    for name, values in found.curves.data_vars.items():
        assert not np.isinf(values.values).any(), name
        for text, point in np.argwhere(np.isnan(values.values)):
            assert (int(text), points[point], str(name)) in noted, (found.settings.texts[text], name, points[point])
    assert all(note.reason for note in found.notes)
    assert found.similarity is not None
    cosines = found.similarity.values[~np.isnan(found.similarity.values)]
    assert (np.abs(cosines) <= 1 + 1e-6).all()
    raw = found.spectra["raw"].values
    missing = np.isnan(raw)
    # Only behind the last singular value.
    assert (missing == np.maximum.accumulate(missing, axis=2)).all()
    assert np.isfinite(found.spectra["floor"].values).all()


def batches(seed: int, number: int) -> Iterator[list[str]]:
    made = list(texts(number, seed))
    for start in range(0, number, BATCH):
        yield made[start : start + BATCH]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_generated_texts_are_measured_or_refused_in_a_sentence(kind: str) -> None:
    reader, seed = known()[kind], KINDS.index(kind)
    chance = random.Random(seed)
    done = measured = refused = 0
    for given in batches(seed, -(-NUMBER // len(KINDS))):
        whole = [text for text in given if not HALF.search(text)]
        for text in set(given) - set(whole):
            with pytest.raises(OversmoothError, match="half a character") as error:
                Settings.from_json(json.dumps({"texts": [text]}))
            sentence(str(error.value))
        found = outcome(reader, whole, chance)
        assert found is not None
        check(reader, found)
        done, measured = done + len(given), measured + len(found.settings.texts)
    refused = done - measured
    assert done * len(KINDS) >= NUMBER
    # Were the texts all good, or all bad, little would have been tried.
    assert measured > 0.8 * done
    assert refused > 0.01 * done


@pytest.mark.parametrize("kind", KINDS)
def test_millions_of_one_sign_are_cut_before_they_cost_anything(kind: str) -> None:
    reader, chance = known()[kind], random.Random(1)
    found = outcome(reader, HUGE, chance)
    assert found is not None
    check(reader, found)
    assert all(tokens.characters_left_out > 990_000 for tokens in found.tokens)


@pytest.mark.parametrize("kind", KINDS)
def test_generated_pairs_are_measured_or_refused_in_a_sentence(kind: str) -> None:
    reader, seed = paired(known()[kind]), 100 + KINDS.index(kind)
    made = [text for text in texts(2 * PAIRS, seed) if not HALF.search(text)]
    pairs = list(zip(made[::2], made[1::2], strict=False))
    found = outcome(reader, pairs, random.Random(seed))
    assert found is not None
    assert len(found.tokens) > 0.6 * len(pairs)
    for given, tokens in zip(found.settings.texts, found.tokens, strict=True):
        check_pair(reader, given, tokens)
    check_numbers(found)


def paired(reader: Reader) -> Reader:
    """The same with a form for pairs: a mark behind each text."""
    tokens = copy.deepcopy(reader.model.tokenizer)
    mark = str(tokens.eos_token or tokens.cls_token)
    tokens.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {mark}",
        pair=f"$A {mark} $B:1 {mark}:1",
        special_tokens=[(mark, tokens.convert_tokens_to_ids(mark))],
    )
    return replace(reader, model=replace(reader.model, tokenizer=tokens))


def check_pair(reader: Reader, given: Input, tokens: Tokens) -> None:
    """Tokens of the first text come before those of the second, each in its own text and in its order."""
    owners = [token.segment for token in tokens.items if token.segment is not None]
    assert owners == sorted(owners), given
    assert set(owners) == {0, 1}, given
    for part, text in enumerate(given):
        own = [token for token in tokens.items if token.segment == part]
        assert any(token.kind != "special" for token in own), given
        assert all(token.start is not None for token in own) or all(token.start is None for token in own), given
        starts = [token.start for token in own if token.start is not None]
        assert starts == sorted(starts), given
        if starts and not reader.spells:
            for token in own:
                check_token(reader, text, token)
