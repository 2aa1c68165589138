"""Ready-made models for tests: tiny random ones with a tokenizer, and the embedded one."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import torch
import transformers
from families import FAMILIES, VOCABULARY, build
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, PreTrainedModel, PreTrainedTokenizerFast

from oversmooth.models.anatomy import dissect
from oversmooth.models.loaded import LoadedModel, ModelRecord, Prediction
from oversmooth.models.loading import load

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


def loaded(
    network: PreTrainedModel,
    tokens: PreTrainedTokenizerFast | None = None,
    whole: PreTrainedModel | None = None,
    prediction: Prediction | None = None,
) -> LoadedModel:
    """A network from memory as a model that can be measured; with the same one under a head, where that is given."""
    anatomy = dissect(network)
    record = ModelRecord(
        name="tiny",
        source="memory",
        identifier="tiny",
        revision=None,
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
        tokenizer_sha256={},
        limits=anatomy.limits,
    )
    return LoadedModel(network, tokens or tokenizer(), anatomy, torch.device("cpu"), record, whole, prediction)


def head(family: str) -> PreTrainedModel:
    """The tiny random model of a family with its language-model head, whose predictions are far from uniform."""
    declared = FAMILIES[family]
    automatic: Any = AutoModelForCausalLM if declared.causal else AutoModelForMaskedLM
    config = getattr(transformers, declared.config)(**declared.arguments)
    torch.manual_seed(3)
    whole: PreTrainedModel = automatic.from_config(config)
    for parameter in whole.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    whole.train(False)
    return whole


def beneath(whole: PreTrainedModel, prediction: Prediction, tokens: PreTrainedTokenizerFast) -> LoadedModel:
    """The network beneath a head, measurable together with it."""
    return loaded(cast(PreTrainedModel, whole.base_model), tokens, whole, prediction)


def with_head(family: str) -> LoadedModel:
    """That model, measurable; a masked one has a tokenizer that knows [MASK]."""
    whole, tokens = head(family), tokenizer()
    if not FAMILIES[family].causal:
        tokens.add_special_tokens({"mask_token": "[MASK]"})
    return beneath(whole, "causal" if FAMILIES[family].causal else "masked", tokens)


@cache
def tiny(family: str) -> LoadedModel:
    """The tiny random model of a family, with the word-level tokenizer."""
    return loaded(build(family))


@cache
def minilm() -> LoadedModel:
    """The embedded default model."""
    return load("all-MiniLM-L6-v2", device="cpu")
