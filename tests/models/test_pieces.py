"""Vocabulary pieces shown as what they stand for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiny import minilm, tiny
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from torch.nn import Embedding
from transformers import PreTrainedTokenizerFast

from oversmooth.models.inputs import encode
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.pieces import decode

BYTE_LEVEL = repr(decoders.ByteLevel())
WORD_PIECE = repr(decoders.WordPiece())
METASPACE = repr(decoders.Metaspace())
BYTE_FALLBACK = repr(decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]))


def shown(pieces: Sequence[str], decoder: str) -> list[str]:
    return list(decode(pieces, [0] * len(pieces), decoder))


def with_tokenizer(backend: Tokenizer, **special: str) -> LoadedModel:
    """A tiny causal model that reads through this tokenizer."""
    wrapped = PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=64, **special)
    network = SimpleNamespace(get_input_embeddings=lambda: Embedding(len(wrapped), 1))
    return replace(tiny("gpt2"), tokenizer=wrapped, network=cast(Any, network))


def texts_of(text: str, model: LoadedModel) -> list[str]:
    return [token.text for token in encode(text, model, max_tokens=64, special_tokens=False).tokens.items]


def byte_level(merges: Sequence[tuple[str, str]] = ()) -> LoadedModel:
    """A byte-level vocabulary of the 256 bytes and these merges."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: number for number, piece in enumerate([*alphabet, *(a + b for a, b in merges)])}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges)))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.post_processor = processors.ByteLevel(trim_offsets=True)
    backend.decoder = decoders.ByteLevel()
    return with_tokenizer(backend)


def byte_fallback() -> LoadedModel:
    """A SentencePiece-like vocabulary, as in Llama 2: characters, ``▁`` for space, bytes for what it lacks."""
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    words = ["<unk>", "<s>", *bytes_, "▁", "a", "▁a", "#", "##", "▁##"]
    backend = Tokenizer(
        models.BPE(
            vocab={piece: number for number, piece in enumerate(words)},
            merges=[("▁", "a"), ("#", "#"), ("▁", "##")],
            byte_fallback=True,
            unk_token="<unk>",
        )
    )
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return with_tokenizer(backend, unk_token="<unk>", bos_token="<s>")


def unigram() -> LoadedModel:
    """A Unigram vocabulary with metaspaces, as in T5 and ALBERT."""
    backend = Tokenizer(models.Unigram([("<unk>", 0.0), ("▁", -2.0), ("▁the", -3.0), ("cat", -3.0)], unk_id=0))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    return with_tokenizer(backend, unk_token="<unk>")


class TestByteLevel:
    def test_spaces_tabs_and_line_ends_are_themselves(self) -> None:
        assert shown(["Ġthe", "Ġ", "Ċ", "ĉ", "cat"], BYTE_LEVEL) == [" the", " ", "\n", "\t", "cat"]

    def test_a_character_of_several_bytes_in_one_piece(self) -> None:
        assert shown(["cafÃ©", "ĠæĹ¥æľ¬"], BYTE_LEVEL) == ["café", " 日本"]

    def test_a_split_character_is_shown_with_its_share(self) -> None:
        assert texts_of("🙂", byte_level()) == ["🙂 (1/4)", "🙂 (2/4)", "🙂 (3/4)", "🙂 (4/4)"]
        assert texts_of("🙂é", byte_level([("ð", "Ł")])) == [
            "🙂 (1/3)", "🙂 (2/3)", "🙂 (3/3)", "é (1/2)", "é (2/2)",
        ]  # fmt: skip

    def test_a_space_joined_to_the_first_bytes_of_a_character(self) -> None:
        # GPT-2's own vocabulary has this piece, `ĠðŁ`.
        model = byte_level([("ð", "Ł"), ("Ġ", "ðŁ")])
        assert texts_of("a 🙂", model) == ["a", " 🙂 (1/3)", "🙂 (2/3)", "🙂 (3/3)"]

    def test_the_end_of_one_character_joined_to_the_start_of_the_next(self) -> None:
        # 日 is E6 97 A5 and 本 is E6 9C AC: the middle piece holds A5 E6.
        assert shown(["æĹ", "¥æ", "ľ¬"], BYTE_LEVEL) == ["日 (1/2)", "日 (2/2)本 (1/2)", "本 (2/2)"]

    def test_a_character_that_a_cut_left_incomplete(self) -> None:
        assert shown(["a", "ðŁ"], BYTE_LEVEL) == ["a", "��"]

    def test_an_added_token_stands_as_it_is(self) -> None:
        # GPT-NeoX has runs of spaces as added tokens, unspelt.
        assert shown(["    ", "日"], BYTE_LEVEL) == ["    ", "日"]

    @settings(max_examples=200, deadline=None)
    @given(st.text(min_size=1, max_size=12).filter(lambda text: text.strip() != ""))
    @example("‏שלום‎ \u200d🧑🏽‍🚀")
    def test_whole_texts_come_back_from_their_pieces(self, text: str) -> None:
        vocabulary = byte_level()
        pieces = vocabulary.tokenizer.tokenize(text)
        found = shown(pieces, BYTE_LEVEL)
        assert len(found) == len(text.encode())
        whole = [each.removesuffix(f" (1/{len(character.encode())})") for each, character in starts(found, text)]
        assert "".join(whole) == text


def starts(found: Sequence[str], text: str) -> list[tuple[str, str]]:
    """The first piece of each character of the text, where each byte is one piece."""
    position, pairs = 0, []
    for character in text:
        pairs.append((found[position], character))
        position += len(character.encode())
    return pairs


class TestWordPiece:
    def test_continuations_lose_their_sign(self) -> None:
        assert shown(["smooth", "##ing", "##s"], WORD_PIECE) == ["smooth", "ing", "s"]

    def test_number_signs_of_the_text_stay(self) -> None:
        assert texts_of("## #", minilm())[1:-1] == ["#", "#", "#"]

    def test_a_metaspace_of_the_text_stays(self) -> None:
        assert shown(["▁"], WORD_PIECE) == ["▁"]

    def test_a_word_is_shown_as_the_model_sees_it(self) -> None:
        assert texts_of("Über-Smoothing", minilm())[1:-1] == ["uber", "-", "smoothing"]

    def test_special_tokens_keep_their_spelling(self) -> None:
        assert decode(["[CLS]", "##x", "[SEP]"], [1, 0, 1], WORD_PIECE) == ("[CLS]", "x", "[SEP]")


class TestSentencePiece:
    def test_metaspaces_are_spaces(self) -> None:
        assert texts_of("the cat", unigram()) == [" the", " ", "cat"]
        assert shown(["▁the", "▁"], METASPACE) == [" the", " "]

    def test_bytes_of_a_character_outside_the_vocabulary(self) -> None:
        assert texts_of("a é", byte_fallback()) == [" a", " ", "é (1/2)", "é (2/2)"]
        assert shown(["<0x0A>"], BYTE_FALLBACK) == ["\n"]

    def test_number_signs_are_no_continuation(self) -> None:
        assert texts_of("## ##", byte_fallback()) == [" ##", " ##"]

    def test_what_only_looks_like_a_byte_stays(self) -> None:
        assert shown(["<0xZZ>", "<0x3>"], BYTE_FALLBACK) == ["<0xZZ>", "<0x3>"]
        assert shown(["<0x0A>"], METASPACE) == ["<0x0A>"]


def test_without_a_decoder_pieces_are_words() -> None:
    assert shown(["##a", "▁b", "Ġc", "<0x0A>"], repr(None)) == ["##a", "▁b", "Ġc", "<0x0A>"]


@pytest.mark.parametrize("text", ["smoothing <b>bold</b> & co", "a\tb  c\n\nd", "مرحبا 你好 🙂 naïve"])
@pytest.mark.parametrize("make", [byte_level, byte_fallback, unigram, minilm])
def test_no_spelling_of_a_vocabulary_is_left(text: str, make: Any) -> None:
    found = texts_of(text, make())
    assert found
    for shown_text in found:
        assert not any(mark in shown_text for mark in ("Ġ", "Ċ", "▁", "##", "<0x")), shown_text


def test_decoders_of_real_tokenizers_describe_themselves_as_expected() -> None:
    """The description of a decoder is read for these words; a release that words it otherwise must fail here."""
    assert "ByteLevel" in BYTE_LEVEL
    assert "WordPiece" in WORD_PIECE
    assert "▁" in METASPACE
    assert "▁" in BYTE_FALLBACK
    assert "ByteFallback" in BYTE_FALLBACK
    backend = Tokenizer.from_str(minilm().tokenizer.backend_tokenizer.to_str())
    assert json.loads(backend.to_str())["decoder"]["type"] in repr(backend.decoder)
