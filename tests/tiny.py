"""Ready-made models for tests: tiny random ones with a tokenizer, and the embedded one."""

from __future__ import annotations

from functools import cache

import torch
from families import VOCABULARY, build
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from oversmooth.models.anatomy import dissect
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load
from oversmooth.record import ModelRecord

TEXT = "the cat sat on mat and dog saw rain sun moon tree bird sky river stone house door key bread"
WORDS = TEXT.split()


def tokenizer(limit: int = 64) -> PreTrainedTokenizerFast:
    """A word-level tokenizer with [CLS] and [SEP], small enough for every tiny family."""
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    assert len(vocabulary) <= VOCABULARY
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=limit,
    )


def loaded(network: PreTrainedModel, tokens: PreTrainedTokenizerFast | None = None) -> LoadedModel:
    """A network from memory as a model that can be measured."""
    anatomy = dissect(network)
    record = ModelRecord(
        name="tiny",
        source="memory",
        identifier="tiny",
        commit=None,
        family=anatomy.family,
        architecture=type(network).__name__,
        layers=len(anatomy.blocks),
        hidden_size=anatomy.hidden_size,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        weights_sha256={},
        checkpoint_dtype="float32",
        causal=anatomy.causal,
        tokenizer="PreTrainedTokenizerFast",
        limits=anatomy.limits,
    )
    return LoadedModel(network, tokens or tokenizer(), anatomy, torch.device("cpu"), record)


@cache
def tiny(family: str) -> LoadedModel:
    """The tiny random model of a family, with the word-level tokenizer."""
    return loaded(build(family))


@cache
def minilm() -> LoadedModel:
    """The embedded default model."""
    return load("all-MiniLM-L6-v2", device="cpu")
