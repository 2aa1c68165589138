"""Vocabularies of SentencePiece as they are published, and tokenizers in Python: read and recorded, or refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import transformers
from sentences import SENTENCES

from oversmooth.core.errors import ModelError
from oversmooth.models.inputs import encode
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load

TEXT = "The cat sat on the wet mat."
SIZES = {"num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 16, "intermediate_size": 32}
SIZES |= {"vocab_size": 400, "max_position_embeddings": 64}
BRACKETS = {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3, "user_defined_symbols": ["[MASK]"]}
BRACKETS |= {"pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]"}
PLAIN = {"unk_id": 0, "bos_id": 1, "eos_id": 2, "pad_id": -1}


def vocabulary(folder: Path, file: str, **options: Any) -> Any:
    """A small SentencePiece vocabulary in the folder, and its own reader."""
    (folder / "corpus").write_text("\n".join(SENTENCES * 30), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "corpus"), model_prefix=str(folder / "made"), vocab_size=120, hard_vocab_limit=False,
        minloglevel=2, **options,
    )  # fmt: skip
    (folder / "made.model").rename(folder / file)
    for each in ("corpus", "made.vocab"):
        (folder / each).unlink()
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / file))


def network(folder: Path, name: str, **config: Any) -> None:
    built = getattr(transformers, f"{name}Config")(**config)
    kind = "T5EncoderModel" if name == "T5" else f"{name}Model"
    getattr(transformers, kind)(built).save_pretrained(folder)


def configured(folder: Path, **fields: Any) -> None:
    (folder / "tokenizer_config.json").write_text(json.dumps(fields))


T5 = {"vocab_size": 400, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}
PUBLISHED: dict[str, tuple[str, str, dict[str, Any], dict[str, Any], str]] = {
    "DeBERTa-v3": ("DebertaV2", "spm.model", SIZES | {"relative_attention": True, "type_vocab_size": 0}, BRACKETS, ""),
    "ALBERT": ("Albert", "spiece.model", SIZES | {"embedding_size": 8}, BRACKETS, ""),
    "Llama 2": ("Llama", "tokenizer.model", SIZES, PLAIN | {"model_type": "bpe"}, "LlamaTokenizer"),
    "T5": ("T5", "spiece.model", T5, {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1, "pad_piece": "<pad>"}, ""),
    "XLM-R": ("XLMRoberta", "sentencepiece.bpe.model", SIZES, PLAIN, "XLMRobertaTokenizer"),
    "CamemBERT": ("Camembert", "sentencepiece.bpe.model", SIZES, PLAIN, ""),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_vocabulary_alone_is_read_as_sentencepiece_reads_it(name: str, tmp_path: Path) -> None:
    kind, file, config, options, tokenizer_class = PUBLISHED[name]
    network(tmp_path, kind, **config)
    own = vocabulary(tmp_path, file, **options)
    if tokenizer_class:
        configured(tmp_path, tokenizer_class=tokenizer_class, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    model = load(str(tmp_path), device="cpu")
    text = TEXT.lower() if name == "ALBERT" else TEXT
    content = [token for token in read(model, text) if token.kind != "special"]
    # SentencePiece's own pieces, whose mark stands for a space.
    assert [token.text.replace(" ", "▁") for token in content] == own.encode(text, out_type=str)
    covered = [text[token.start : token.end].strip() for token in content]
    assert covered == [token.text.strip() or covered[place] for place, token in enumerate(content)]
    assert model.record.tokenizer_sha256[file] == hashlib.sha256((tmp_path / file).read_bytes()).hexdigest()


def read(model: LoadedModel, text: str) -> Any:
    return encode(text, model, max_tokens=64, special_tokens=False).tokens.items


def marian(folder: Path) -> str:
    own = vocabulary(folder, "source.spm", unk_id=1, eos_id=0, bos_id=-1, pad_id=-1)
    shutil.copy(folder / "source.spm", folder / "target.spm")
    pieces = {own.id_to_piece(number): number for number in range(len(own))}
    (folder / "vocab.json").write_text(json.dumps(pieces | {"<pad>": len(pieces)}))
    configured(folder, source_lang="en", target_lang="de", tokenizer_class="MarianTokenizer")
    sizes = {f"{side}_{what}": 2 for side in ("encoder", "decoder") for what in ("layers", "attention_heads")}
    sizes |= {f"{side}_ffn_dim": 32 for side in ("encoder", "decoder")} | {"max_position_embeddings": 64, "d_model": 16}
    network(folder, "Marian", vocab_size=len(pieces) + 1, pad_token_id=len(pieces), **sizes)
    return "".join(own.encode(TEXT, out_type=str)).replace("▁", " ")


def byt5(folder: Path) -> str:
    network(folder, "T5", **T5)
    transformers.ByT5Tokenizer().save_pretrained(folder)
    return TEXT


def esm(folder: Path) -> str:
    letters = ["<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWC", "<mask>"]
    (folder / "vocab.txt").write_text("\n".join(letters))
    network(folder, "Esm", **SIZES | {"vocab_size": len(letters), "pad_token_id": 1, "mask_token_id": 24})
    configured(folder, tokenizer_class="EsmTokenizer")
    return "MKTAYIAKQR"


@pytest.mark.parametrize("made", [marian, byt5, esm])
def test_a_tokenizer_in_python_is_read_and_says_what_it_does_not_tell(
    made: Callable[[Path], str], tmp_path: Path
) -> None:
    text = made(tmp_path)
    model = load(str(tmp_path), device="cpu")
    tokens = read(model, text.strip())
    assert [token.segment for token in tokens][-1] is None
    assert tokens[-1].kind == "special"
    content = [token for token in tokens if token.segment == 0]
    assert "".join(token.text for token in content).strip() == text.strip()
    assert {token.start for token in tokens} == {None}
    assert any("does not tell which characters its tokens cover" in limit for limit in model.record.limits)
    assert model.record.tokenizer_sha256


def test_signs_of_several_bytes_are_shown_in_their_parts(tmp_path: Path) -> None:
    byt5(tmp_path)
    texts = [token.text for token in read(load(str(tmp_path), device="cpu"), "é!")]
    assert texts == ["é (1/2)", "é (2/2)", "!", "</s>"]


def test_halves_of_a_pair_and_typed_special_tokens_are_told_without_places(tmp_path: Path) -> None:
    esm(tmp_path)
    tokenizer = load(str(tmp_path), device="cpu")
    encoded = encode(("MK<mask>T", "AYI"), tokenizer, max_tokens=9, special_tokens=False)
    wanted = tokenizer.tokenizer("MK<mask>T", "AYI", truncation="longest_first", max_length=9)["input_ids"]
    assert list(encoded.ids) == wanted
    assert [token.segment for token in encoded.tokens.items] == [None, 0, 0, 0, None, 1, 1, 1, None]
    assert [token.kind for token in encoded.tokens.items].count("special") == 4


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 500, bytes(range(256)) * 9, None], ids=str)
def test_a_damaged_vocabulary_is_a_sentence(content: bytes | None, tmp_path: Path) -> None:
    network(tmp_path, "DebertaV2", **SIZES)
    vocabulary(tmp_path, "spm.model", **BRACKETS)
    whole = (tmp_path / "spm.model").read_bytes()
    (tmp_path / "spm.model").write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(ModelError, match=r"spm.model of .* is damaged, or no vocabulary of SentencePiece"):
        load(str(tmp_path), device="cpu")


def japanese(folder: Path, **fields: Any) -> Path:
    network(folder, "Bert", **SIZES)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"word{number}" for number in range(60))]
    (folder / "vocab.txt").write_text("\n".join(words))
    configured(folder, tokenizer_class="BertJapaneseTokenizer", **fields)
    return folder


def test_a_package_that_is_missing_is_named(tmp_path: Path) -> None:
    japanese(tmp_path, word_tokenizer_type="mecab", mecab_kwargs={"mecab_dic": "unidic_lite"})
    with pytest.raises(ModelError, match="needs the Python package fugashi"):
        load(str(tmp_path), device="cpu")


@pytest.mark.parametrize(
    "fields",
    [
        {"word_tokenizer_type": "mecab", "mecab_kwargs": {"mecab_dic": "ipadic", "mecab_option": "-o /tmp/written"}},
        {"word_tokenizer_type": "mecab", "mecab_kwargs": {"mecab_dic": "/tmp/elsewhere"}},
        {"vocab_file": "/etc/hostname"},
        {"spm_file": "/etc/hostname"},
        {"word_tokenizer_type": "sudachi", "sudachi_kwargs": {"sudachi_config_path": "/etc/hostname"}},
    ],
)
def test_options_that_lead_away_are_refused(fields: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="leads away from the tokenizer's own files"):
        load(str(japanese(tmp_path, **fields)), device="cpu")


def test_random_sampling_by_options_is_refused(tmp_path: Path) -> None:
    marian(tmp_path)
    configured(tmp_path, tokenizer_class="MarianTokenizer", sp_model_kwargs={"enable_sampling": True})
    with pytest.raises(ModelError, match="sp_model_kwargs"):
        load(str(tmp_path), device="cpu")


def test_a_family_whose_class_needs_no_file_is_refused_without_one(tmp_path: Path) -> None:
    network(tmp_path, "T5", **T5)
    with pytest.raises(ModelError, match="no usable tokenizer"):
        load(str(tmp_path), device="cpu")
