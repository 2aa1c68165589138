"""Texts become tokens: what is kept, what is left out, and what is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiny import WORDS, minilm, tiny, tokenizer
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from oversmooth.core.errors import InputError
from oversmooth.models import inputs
from oversmooth.models.encodings import Encoded
from oversmooth.models.inputs import (
    CHARACTERS_PER_TOKEN,
    EXTRA_CHARACTERS,
    batch,
    encode,
    encode_all,
    stuck,
    token_limit,
)
from oversmooth.models.loaded import LoadedModel


def read(
    text: str, model: LoadedModel | None = None, *, max_tokens: int = 512, special_tokens: bool = False
) -> Encoded:
    return encode(text, model or minilm(), max_tokens=max_tokens, special_tokens=special_tokens)


def refusal(text: str, model: LoadedModel | None = None, *, max_tokens: int = 512) -> str:
    with pytest.raises(InputError) as raised:
        read(text, model, max_tokens=max_tokens)
    return str(raised.value)


def words(encoded: Encoded) -> list[str]:
    return [token.text for token in encoded.tokens.items if token.kind != "special"]


class TestOrdinaryText:
    def test_tokens_with_kind_and_place(self) -> None:
        text = "The cat sat."
        encoded = read(text)
        items = encoded.tokens.items
        assert [token.text for token in items] == ["[CLS]", "the", "cat", "sat", ".", "[SEP]"]
        assert [token.kind for token in items] == ["special", *["content"] * 4, "special"]
        assert [text[token.start : token.end] for token in items] == ["", "The", "cat", "sat", ".", ""]
        assert encoded.ids == tuple(token.id for token in items)
        assert (encoded.tokens.left_out, encoded.tokens.characters_left_out) == (0, 0)
        assert encoded.warnings == ()
        assert encoded.classification == 0

    @pytest.mark.parametrize("special_tokens", [False, True])
    def test_special_tokens_count_only_where_asked_for(self, special_tokens: bool) -> None:
        encoded = read("the cat sat", special_tokens=special_tokens)
        measured = [token.text for token in encoded.tokens.measured]
        assert measured == (["[CLS]", "the", "cat", "sat", "[SEP]"] if special_tokens else ["the", "cat", "sat"])

    def test_one_token_is_read(self) -> None:
        assert words(read("cat")) == ["cat"]

    def test_unknown_text_is_told(self) -> None:
        encoded = read("the xyzzy cat plugh", tiny("bert"))
        assert [token.kind for token in encoded.tokens.measured] == ["content", "unknown", "content", "unknown"]
        (warning,) = encoded.warnings
        assert "2 tokens of 4 (50 %)" in warning
        assert "does not know" in warning

    def test_one_long_word_is_one_unknown_token_and_told(self) -> None:
        encoded = read("a" * 4000)
        assert [token.kind for token in encoded.tokens.measured] == ["unknown"]
        assert any("1 token of 1 (100 %)" in warning for warning in encoded.warnings)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("<b>x</b> &amp;", ["<", "b", ">", "x", "<", "/", "b", ">", "&", "amp", ";"]),
            ("<script>alert(1)</script>", ["<", "script", ">", "alert", "(", "1", ")", "<", "/", "script", ">"]),
            ("<s> </s>", ["<", "s", ">", "<", "/", "s", ">"]),
            ("שלום", ["ש", "ל", "ו", "ם"]),
            ("日 x\x07y\x00z", ["日", "xy", "##z"]),
            ("a\u200bb\u202ec", ["abc"]),
        ],
    )
    def test_awkward_text_is_shown_as_the_model_sees_it(self, text: str, expected: list[str]) -> None:
        assert "".join(words(read(text))) == "".join(expected).replace("##", "")

    def test_an_emoji_that_the_vocabulary_lacks_keeps_its_place(self) -> None:
        text = "sun 🙂 rain"
        (unknown,) = [token for token in read(text).tokens.items if token.kind == "unknown"]
        assert text[unknown.start : unknown.end] == "🙂"


class TestNothingToMeasure:
    @pytest.mark.parametrize("text", ["", " ", "\n\t \r\n", "\u2003\u00a0"])
    def test_blank(self, text: str) -> None:
        assert refusal(text) == "The text is empty: type or paste at least two words."

    @pytest.mark.parametrize("text", ["\x00", "\x00 \n", "\u200b", "\u200e \x07"])
    def test_only_characters_that_the_tokenizer_drops(self, text: str) -> None:
        assert refusal(text) == (
            "The text has no content tokens: the tokenizer of all-MiniLM-L6-v2 turned it into special tokens only."
        )

    def test_only_blanks_in_the_part_that_is_read(self) -> None:
        sentence = refusal(" " * 100_000 + "cat", max_tokens=64)
        assert f"The first {CHARACTERS_PER_TOKEN * 64 + EXTRA_CHARACTERS:,} characters of the text have" in sentence

    @pytest.mark.parametrize("limit", [1, 2])
    def test_a_limit_that_special_tokens_fill(self, limit: int) -> None:
        sentence = refusal("the cat sat", max_tokens=limit)
        assert "leaves no room for text" in sentence
        assert "at least 3" in sentence
        assert words(read("the cat sat", max_tokens=3)) == ["the"]


class TestTooLong:
    @pytest.mark.parametrize(("limit", "length"), [(3, 200), (7, 200), (128, 200), (511, 1500)])
    def test_the_first_tokens_are_kept_and_the_others_counted(self, limit: int, length: int) -> None:
        text = " ".join(WORDS[number % len(WORDS)] for number in range(length))
        encoded = read(text, max_tokens=limit)
        full = minilm().tokenizer(text, verbose=False)["input_ids"]
        assert encoded.ids == (*full[: limit - 1], full[-1])
        assert encoded.tokens.left_out == len(full) - limit
        (warning,) = encoded.warnings
        assert f"the first {limit:,} of {len(full):,} tokens" in warning
        assert "the limit that was set" in warning

    def test_positions_limit_before_the_setting(self) -> None:
        encoded = read("cat " * 600, max_tokens=8192)
        assert len(encoded.ids) == 512
        assert encoded.tokens.left_out == 602 - 512
        assert "as many as the model's positions allow" in encoded.warnings[0]

    def test_the_limit_is_the_smallest_of_setting_positions_and_tokenizer(self) -> None:
        model = tiny("bert")
        assert token_limit(model, 8192) == 64
        assert token_limit(model, 10) == 10
        assert token_limit(replace(model, tokenizer=tokenizer(limit=20)), 8192) == 20
        assert token_limit(replace(model, tokenizer=tokenizer(limit=10**30)), 8192) == 64
        assert token_limit(replace(tiny("roberta"), tokenizer=tokenizer(limit=10**30)), 8192) == 62
        assert token_limit(replace(tiny("t5"), tokenizer=tokenizer(limit=10**30)), 8192) == 8192

    def test_a_tokenizer_that_would_keep_the_end_keeps_the_beginning(self) -> None:
        tokens = tokenizer()
        tokens.truncation_side = "left"
        assert words(read("the cat sat on the mat", replace(tiny("bert"), tokenizer=tokens), max_tokens=4)) == [
            "the",
            "cat",
        ]

    def test_characters_beyond_the_cut_are_counted_on_top(self) -> None:
        text = "cat " * 5000
        encoded = read(text, max_tokens=64)
        kept = CHARACTERS_PER_TOKEN * 64 + EXTRA_CHARACTERS
        assert encoded.tokens.characters_left_out == len(text) - kept
        assert encoded.tokens.left_out == kept // 4 + 2 - 64
        (warning,) = encoded.warnings
        assert f"{kept // 4 + 2 - 64} tokens and a further {len(text) - kept:,} characters were left out" in warning

    def test_a_text_of_few_tokens_that_was_cut_says_so(self) -> None:
        text = "cat " + " " * 100_000 + "dog"
        encoded = read(text, max_tokens=64)
        assert words(encoded) == ["cat"]
        (warning,) = encoded.warnings
        assert "only its beginning was read, which gave 3 tokens" in warning
        assert "positions" not in warning

    @settings(max_examples=300, deadline=None)
    @given(
        st.lists(
            st.one_of(
                st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12),
                # Not what BERT's normaliser drops: a text of that alone may have fewer tokens than the cut allows.
                st.text(st.characters(exclude_categories=["C", "M", "Z"]), min_size=1, max_size=6),
                st.sampled_from(["日本語", "שלום", "🙂", "<b>", "1234567", "naïve", "über", "[SEP]", "co-op", "…"]),
            ),
            min_size=1,
            max_size=30,
        ),
        st.integers(3, 60),
    )
    @example(["日本語の文章です。"], 10)
    @example(["antidisestablishmentarianism"], 5)
    def test_cutting_characters_first_never_changes_the_kept_tokens(self, parts: list[str], limit: int) -> None:
        block = " ".join(parts) + " "
        text = "x " + block * (2 * (CHARACTERS_PER_TOKEN * limit + EXTRA_CHARACTERS) // len(block))
        full = minilm().tokenizer(text, verbose=False)["input_ids"]
        expected = full if len(full) <= limit else [*full[: limit - 1], full[-1]]
        assert list(read(text, max_tokens=limit).ids) == expected


class Unruly:
    """A tokenizer that behaves but for being called."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._tokens = tokenizer()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokens, name)

    def __call__(self, text: str, **options: Any) -> Any:
        return self._call(text)


class PanicException(BaseException):
    """As the Rust binding raises it: not an Exception."""


def unruly(call: Any) -> LoadedModel:
    model: LoadedModel = replace(tiny("bert"), tokenizer=Unruly(call))  # type: ignore[arg-type]
    return model


class TestUnrulyTokenizer:
    def test_a_panic_is_a_sentence(self) -> None:
        def panic(text: str) -> None:
            raise PanicException("index out of bounds")

        assert refusal("the cat", unruly(panic)) == "The tokenizer of tiny failed on this text (PanicException)."
        assert not stuck()

    def test_a_real_panic(self, capfd: pytest.CaptureFixture[str]) -> None:
        backend = Tokenizer(models.BPE(vocab={"a": 0, "b": 1}, merges=[]))
        backend.pre_tokenizer = pre_tokenizers.Split(Regex("(a+)+$"), "isolated")
        hostile = PreTrainedTokenizerFast(tokenizer_object=backend)
        sentence = refusal("a" * 40 + "b", replace(tiny("gpt2"), tokenizer=hostile))
        assert sentence == "The tokenizer of tiny failed on this text (PanicException)."

    def test_text_that_is_no_unicode_is_a_sentence(self) -> None:
        assert "The tokenizer of all-MiniLM-L6-v2 failed on this text" in refusal("a \ud800 b")

    @pytest.fixture
    def endless(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoadedModel]:
        monkeypatch.setattr(inputs, "TOKENIZER_SECONDS", 0.05)
        monkeypatch.setattr(inputs, "_stuck", threading.Event())
        release = threading.Event()
        yield unruly(lambda text: release.wait(60))
        release.set()
        for thread in threading.enumerate():
            if thread.name == "tokenizer":
                thread.join(60)

    def test_one_that_hangs_is_given_up_and_known_to_be_stuck(self, endless: LoadedModel) -> None:
        assert not stuck()
        sentence = refusal("the cat", endless)
        assert "The tokenizer of tiny did not finish within 0.05 seconds on this text." in sentence
        assert stuck()

    def test_the_next_text_is_read_all_the_same(self, endless: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
        refusal("the cat", endless)
        monkeypatch.setattr(inputs, "TOKENIZER_SECONDS", 20.0)
        assert words(read("the cat", tiny("bert"))) == ["the", "cat"]


def read_until_refused(texts: Sequence[str], model: LoadedModel, *, max_tokens: int = 512) -> tuple[list[str], str]:
    """The words of each text that is read, joined, and what is said of the first that is not."""
    found: list[str] = []
    arriving = encode_all(texts, model, max_tokens=max_tokens, special_tokens=False)
    try:
        found.extend(" ".join(words(encoded)) for encoded in arriving)
    except InputError as error:
        return found, str(error)
    return found, ""


class Clock:
    """Stands still but for what a tokenizer adds, and says when the thread that waits for it has looked."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.looked_at = threading.Event()

    def read(self) -> float:
        if threading.current_thread().name != "tokenizer":
            self.looked_at.set()
        return self.seconds


class TestSeveralTexts:
    TEXTS = ("the cat sat", "rain", "the xyzzy cat", "sun and moon " * 40, "a bird", "rain")

    @pytest.mark.parametrize("together", [1, 2, 3, 64])
    def test_each_is_read_as_alone(self, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(inputs, "TEXTS_TOGETHER", together)
        found = list(encode_all(self.TEXTS, tiny("bert"), max_tokens=20, special_tokens=True))
        assert found == [read(text, tiny("bert"), max_tokens=20, special_tokens=True) for text in self.TEXTS]

    def test_none_is_none(self) -> None:
        assert list(encode_all((), tiny("bert"), max_tokens=20, special_tokens=True)) == []

    @pytest.mark.parametrize("together", [1, 2, 64])
    def test_the_first_that_cannot_be_read_is_told_in_its_place(
        self, together: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(inputs, "TEXTS_TOGETHER", together)
        tokens = tokenizer()

        def call(text: str) -> Any:
            if text == "moon":
                raise PanicException("index out of bounds")
            return tokens(text, return_offsets_mapping=True, return_special_tokens_mask=True)

        model = unruly(call)
        failed = "The tokenizer of tiny failed on this text (PanicException)."
        empty = "The text is empty: type or paste at least two words."
        assert read_until_refused(["the cat", "rain", "moon", "sun", " "], model) == (["the cat", "rain"], failed)
        assert read_until_refused(["the cat", " ", "moon"], model) == (["the cat"], empty)
        assert read_until_refused(["moon", " "], model) == ([], failed)
        nothing, sentence = read_until_refused(["the cat", "moon"], model, max_tokens=2)
        assert nothing == []
        assert "leaves no room for text" in sentence

    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> Clock:
        clock = Clock()
        monkeypatch.setattr(inputs, "TOKENIZER_SECONDS", 0.05)
        monkeypatch.setattr(inputs, "_stuck", threading.Event())
        monkeypatch.setattr("oversmooth.models.inputs.time.monotonic", clock.read)
        return clock

    def test_one_that_hangs_is_told_in_its_place_and_no_further_one_is_tried(self, clock: Clock) -> None:
        tokens, release, tried = tokenizer(), threading.Event(), []

        def call(text: str) -> Any:
            tried.append(text)
            if text == "moon":
                clock.seconds += 1.0
                release.wait(60)
            return tokens(text, return_offsets_mapping=True, return_special_tokens_mask=True)

        found, sentence = read_until_refused(["the cat", "moon", "sun", "rain"], unruly(call))
        assert found == ["the cat"]
        assert "did not finish within 0.05 seconds on this text" in sentence
        assert stuck()
        release.set()
        for thread in threading.enumerate():
            if thread.name == "tokenizer":
                thread.join(60)
        assert tried == ["the cat", "moon"]

    def test_each_has_the_time_for_itself(self, clock: Clock) -> None:
        tokens = tokenizer()

        def call(text: str) -> Any:
            clock.seconds += 0.04
            clock.looked_at.clear()
            assert clock.looked_at.wait(60)
            return tokens(text, return_offsets_mapping=True, return_special_tokens_mask=True)

        found = list(encode_all(["the cat", "rain", "moon"], unruly(call), max_tokens=20, special_tokens=False))
        assert [words(each) for each in found] == [["the", "cat"], ["rain"], ["moon"]]
        assert not stuck()


class TestBatch:
    def padded(self, name: str, texts: Sequence[str]) -> dict[str, Any]:
        model = tiny(name)
        return {key: value.tolist() for key, value in batch([read(text, model) for text in texts], model).items()}

    def test_texts_are_padded_at_the_end_and_masked(self) -> None:
        made = self.padded("bert", ["the cat sat", "rain"])
        assert made["attention_mask"] == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
        first, second = made["input_ids"]
        assert first == [2, *(4 + WORDS.index(word) for word in ("the", "cat", "sat")), 3]
        assert second == [2, 4 + WORDS.index("rain"), 3, 0, 0]

    def test_one_text_has_no_padding(self) -> None:
        assert self.padded("gpt2", ["the cat"])["attention_mask"] == [[1, 1, 1, 1]]


class TestTokensBeyondTheNetwork:
    """A tokenizer that knows more tokens than the network has embeddings, as some published ones do."""

    def model(self) -> LoadedModel:
        known = tiny("bert")
        extended = tokenizer()
        rows = known.network.config.vocab_size
        extended.add_tokens([f"new{number}" for number in range(rows - len(extended) + 1)])
        extended.add_special_tokens({"pad_token": "[NEWPAD]"})
        return replace(known, tokenizer=extended)

    def test_a_text_without_them_is_read(self) -> None:
        model = self.model()
        assert words(read("the cat new0", model))[-1] == "new0"
        made = batch([read("the cat sat", model), read("rain", model)], model)
        assert int(made["input_ids"].max()) < tiny("bert").network.config.vocab_size
        assert made["attention_mask"].tolist()[1] == [1, 1, 1, 0, 0]

    def test_the_first_of_them_is_named(self) -> None:
        model = self.model()
        last = f"new{len(model.tokenizer) - 2 - len(tokenizer())}"
        assert f"does not know the token “{last}”" in refusal(f"the cat {last}", model)
