"""Tiny models of two layers that read through each kind of tokenizer, with vocabularies learnt from a few sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import transformers
from families import FAMILIES
from sentences import SENTENCES
from tiny import loaded
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from oversmooth.models.loaded import LoadedModel

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
FALLBACK = [f"<0x{byte:02X}>" for byte in range(256)]


@dataclass(frozen=True)
class Reader:
    """A model, and what its tokenizer keeps of a text."""

    model: LoadedModel
    backend: Tokenizer
    spells: bool
    """Whether every byte of the text is in its tokens."""

    def normalised(self, text: str) -> str:
        """The text as the vocabulary sees it, spaces for its signs of spaces."""
        normaliser = self.backend.normalizer
        return (text if normaliser is None else normaliser.normalize_str(text)).replace("▁", " ")


def readers() -> dict[str, Reader]:
    """One of each kind, by the name that users know it by."""
    return {
        "WordPiece": _reader("bert", _word_piece()),
        "byte-level BPE": _reader("gpt2", _byte_level(200), spells=True),
        "Unigram": _reader("t5", _unigram()),
        "BPE with byte fallback": _reader("llama", _byte_fallback(), spells=True),
        "bytes": _reader("roberta", _byte_level(0), spells=True),
        "characters": _reader("electra", _characters()),
    }


def _reader(family: str, backend: Tokenizer, *, spells: bool = False) -> Reader:
    special = {token.content for token in backend.get_added_tokens_decoder().values()}
    names = {"[UNK]": "unk_token", "<unk>": "unk_token", "[CLS]": "cls_token", "<s>": "bos_token", "</s>": "eos_token"}
    named = {name: piece for piece, name in names.items() if piece in special}
    padding = next((piece for piece in ("[PAD]", "<pad>") if piece in special), None)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, model_max_length=64, **named, **({"pad_token": padding} if padding else {})
    )
    return Reader(loaded(_network(family, backend.get_vocab_size()), tokenizer), backend, spells)


def _network(family: str, vocabulary: int) -> PreTrainedModel:
    declared = FAMILIES[family]
    sizes = {"vocab_size": vocabulary, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    sizes |= {name: 2 for name in ("num_hidden_layers", "n_layer", "num_layers") if name in declared.arguments}
    sizes |= {name: 72 for name in ("max_position_embeddings",) if name in declared.arguments}
    torch.manual_seed(0)
    network = declared.model(getattr(transformers, declared.config)(**declared.arguments | sizes))
    network.train(False)
    return network


def _signs_and_words() -> tuple[list[str], list[str]]:
    """Of the sentences, in small letters; every second word, so that others are read in pieces."""
    text = " ".join(SENTENCES).lower()
    return sorted({*text} - {" "}), sorted(set(re.findall(r"\w+", text)))[::2]


def _word_piece() -> Tokenizer:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    signs, words = _signs_and_words()
    pieces = dict.fromkeys([*special, *signs, *(f"##{sign}" for sign in signs), *words])
    backend = Tokenizer(models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    backend.add_special_tokens(special)
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return backend


def _byte_level(merges: int) -> Tokenizer:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=merges > 0)
    backend.decoder = decoders.ByteLevel()
    special = ["<pad>", "<s>", "</s>", "<|endoftext|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=len(BYTES) + len(special) + merges,
        initial_alphabet=BYTES,
        special_tokens=special,
        show_progress=False,
    )
    backend.train_from_iterator(SENTENCES, trainer)
    backend.post_processor = processors.ByteLevel(trim_offsets=False)
    if not merges:
        backend.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
        )
    return backend


def _unigram() -> Tokenizer:
    special = ["<pad>", "</s>", "<unk>"]
    signs, words = _signs_and_words()
    scores = [*((f"▁{word}", -6.0) for word in words), *((word, -7.0) for word in words if len(word) > 1)]
    pieces = dict([*((piece, 0.0) for piece in special), ("▁", -5.0), *((sign, -9.0) for sign in signs), *scores])
    backend = Tokenizer(models.Unigram(list(pieces.items()), unk_id=2))
    backend.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    backend.add_special_tokens(special)
    backend.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return backend


def _byte_fallback() -> Tokenizer:
    words = ["<unk>", "<s>", "</s>", *FALLBACK, "▁", *"abcdefghijklmnopqrstuvwxyz", "th", "▁th", "▁the"]
    merges = [("t", "h"), ("▁", "th"), ("▁th", "e")]
    vocabulary = {piece: number for number, piece in enumerate(words)}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, byte_fallback=True, unk_token="<unk>"))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    backend.add_special_tokens(["<unk>", "<s>", "</s>"])
    backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return backend


def _characters() -> Tokenizer:
    known: Sequence[str] = sorted(set("".join(SENTENCES)))
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {piece: number for number, piece in enumerate([*special, *known])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex("(?m:.)"), "isolated")
    backend.add_special_tokens(special)
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return backend
