"""What the page that explains says, and the numbers behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, cast

import numpy as np
import pytest
import torch
import transformers
import xarray as xr
from synthetic import measurement
from synthetic_explanation import explained
from tiny import TEXT, WORDS, loaded, minilm, tiny

from oversmooth import Settings, measure
from oversmooth.core.texts import bundled
from oversmooth.report.findings.collapse import COLLAPSED_SHARE, collapsed_by, shrinkage
from oversmooth.report.findings.explanations import explanation_headline, in_words, where
from oversmooth.report.findings.mechanisms import (
    bound_sentence,
    bounds,
    circuits_sentence,
    contractions,
    is_vacuous,
    kinds,
    low_pass,
    measured_low_pass,
    mixing,
    mixing_sentence,
)
from oversmooth.report.findings.readings import carrying_share, outlier_warning, outliers, readings
from oversmooth.report.findings.whether import common_share, mostly_common, offsets, own_from, whether
from oversmooth.results.measurement import Measurement

METRICS = ("token_cosine", "high_frequency_share", "distance_to_mean", "mean_token_norm")
BLOCKS = 7
SENTENCES = tuple(sentence.text for sentence in bundled())


def settings(texts: Sequence[str], metrics: Sequence[str] = METRICS) -> Settings:
    return Settings.of(texts=texts, metrics=metrics, explanation=True, similarity=False, device="cpu")


@cache
def random_network() -> transformers.BertModel:
    """A BERT whose weights were drawn with the deviation 0.1, which is known to collapse."""
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(minilm().tokenizer),
        hidden_size=256,
        num_hidden_layers=BLOCKS,
        num_attention_heads=4,
        intermediate_size=1024,
        initializer_range=0.1,
    )
    network = transformers.BertModel(config)
    network.train(False)
    return network


@pytest.fixture(scope="module")
def collapsing() -> Measurement:
    return measure(settings(SENTENCES[::4]), model=loaded(random_network(), cast(Any, minilm().tokenizer)))


@pytest.fixture(scope="module")
def trained() -> Measurement:
    """The default model on the bundled sentences."""
    return measure(settings(SENTENCES, METRICS[:2]), model=minilm())


def states(network: Any, texts: Sequence[str]) -> list[list[np.ndarray[Any, Any]]]:
    """Content tokens of each text at the embedding and after each block, from transformers' own hidden states."""
    found = []
    for text in texts:
        batch = minilm().tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            hidden = network(**batch, output_hidden_states=True).hidden_states
        found.append([state[0, 1:-1].double().numpy() for state in hidden])
    return found


def test_a_random_bert_is_told_to_collapse_by_block_4_to_6(collapsing: Measurement) -> None:
    block = collapsed_by(collapsing)
    assert block is not None
    assert 4 <= int(block) <= 6
    shares = np.zeros(BLOCKS + 1)
    texts = SENTENCES[::4]
    for text in states(random_network(), texts):
        for layer, tokens in enumerate(text):
            shares[layer] += np.sum((tokens - tokens.mean(axis=0)) ** 2) / np.sum(tokens**2) / len(texts)
    expected = [layer for layer in range(BLOCKS) if (shares[layer + 1 :] <= COLLAPSED_SHARE).all()]
    assert int(block) == expected[0]
    assert explanation_headline(collapsing).startswith(f"Tokens collapse by block {block}: ")
    assert whether(collapsing)[0] == explanation_headline(collapsing)


def test_a_collapse_tells_what_became_of_the_tokens(collapsing: Measurement) -> None:
    away, mean = shrinkage(collapsing, "5")
    logarithms = []
    for text in states(random_network(), SENTENCES[::4]):
        before, after = text[0], text[6]
        pairs = [
            [np.linalg.norm(each - each.mean(axis=0)), np.linalg.norm(each.mean(axis=0))] for each in (before, after)
        ]
        logarithms.append(np.log(pairs[1]) - np.log(pairs[0]))
    assert [away, mean] == pytest.approx(np.exp(np.mean(logarithms, axis=0)).tolist(), rel=1e-3)
    said = " ".join(whether(collapsing))
    assert "the distance to the mean token became 0.0" in said
    assert "Different texts stay apart" in said
    assert "anisotropy" not in said


def test_blocks_0_to_4_of_minilm_are_told_to_be_mostly_anisotropy(trained: Measurement) -> None:
    found = offsets(trained)
    assert mostly_common(found) == ("0", "1", "2", "3", "4")
    assert own_from(found) == "5"
    assert collapsed_by(trained) is None
    said = " ".join(whether(trained))
    assert "Blocks 0–4 are mostly anisotropy" in said
    assert "From block 5 on, tokens of one text truly grow alike" in said
    share = round(100 * common_share(found))
    assert f"{share} % of the mean cosine is an offset common to all texts" in explanation_headline(trained)
    assert "only from block 5 on is most of it the text's own" in explanation_headline(trained)


def test_the_common_share_is_that_of_all_pairs_of_tokens(trained: Measurement) -> None:
    texts = states(minilm().anatomy.network, SENTENCES)
    lengths = np.array([len(text[0]) for text in texts])
    starts = np.cumsum(lengths) - lengths
    within, between = np.zeros(6), np.zeros(6)
    for layer in range(6):
        tokens = np.concatenate([text[layer + 1] for text in texts])
        tokens /= np.linalg.norm(tokens, axis=1, keepdims=True)
        sums = np.add.reduceat(np.add.reduceat(tokens @ tokens.T, starts, axis=0), starts, axis=1)
        within[layer] = np.mean((sums.diagonal() - lengths) / (lengths * (lengths - 1)))
        between[layer] = np.mean((sums / np.outer(lengths, lengths))[~np.eye(len(texts), dtype=bool)])
    found = offsets(trained)
    assert [found[str(layer)].within for layer in range(6)] == pytest.approx(within.tolist(), abs=1e-5)
    assert [found[str(layer)].between for layer in range(6)] == pytest.approx(between.tolist(), abs=1e-5)
    assert common_share(found) == pytest.approx(between.sum() / within.sum(), abs=1e-4)


def test_one_text_is_told_not_to_tell_smoothing_from_an_offset() -> None:
    alone = measure(settings((TEXT,)), model=tiny("bert"))
    assert math.isnan(common_share(offsets(alone)))
    assert any("cannot be told apart" in sentence for sentence in whether(alone))
    assert "common to all texts" not in in_words(alone)


@pytest.mark.parametrize("family", ["bert", "llama", "phi", "bloom", "deberta-v2"])
def test_every_family_gets_four_readings_with_every_part_said_or_its_absence(family: str) -> None:
    found = measure(
        Settings.of(texts=(TEXT, " ".join(WORDS[3:12])), explanation=True, device="cpu"), model=tiny(family)
    )
    four = readings(found)
    assert [reading.name for reading in four] == ["attention", "norms", "circuits", "spectrum"]
    for reading in four:
        assert reading.found != "Nothing is known of it here."
        assert all(sentence.endswith(".") for _, sentence in reading.labelled)
    assert found.explanation is not None
    for part in ("bound", "circuits", "dominance"):
        if part in found.explanation.reasons:
            assert found.explanation.reasons[part] in " ".join(reading.found for reading in four)


def test_where_names_the_step_that_changes_most() -> None:
    names = ["embedding", "0.attention_branch", "0.attention", "0.attention_norm", "0.mlp_branch", "0.mlp", "0"]
    values = [0.5, 0.9, 0.56, 0.42, 0.8, 0.47, 0.45]
    found = measurement({"token_cosine": values}, points=names, blocks=1)
    (sentence,) = where(found)
    assert sentence.startswith("Block 0's attention output norm removes 0.14 from the token cosine similarity")
    assert "block 0's attention branch with its residual add (+0.060)" in sentence


def test_where_without_the_inside_of_blocks_says_so() -> None:
    sentences = where(measurement({"token_cosine": [0.1, 0.2, 0.6]}, blocks=2, final_norm=False))
    assert sentences[0].startswith("Block 1 as a whole adds 0.40 to")
    assert "a step is a whole block" in sentences[1]


def with_parts(**parts: Any) -> Measurement:
    found = explained(blocks=2, heads=2, texts=2)
    assert found.explanation is not None
    return replace(found, explanation=replace(found.explanation, **parts))


def by_head(first: list[list[float]], second: list[list[float]] | None = None) -> tuple[tuple[str, ...], Any]:
    return ("input", "layer", "head"), np.array([first, second or first])


def test_heads_that_contract_are_counted_beside_their_null_model() -> None:
    roots, null = [[0.5, 0.9], [1.2, 2.0]], [[0.6, 0.8], [1.5, 1.0]]
    # The mean over texts counts: 0.5 and 1.7 are 1.1 together.
    others = [[1.7, 0.9], [1.2, 2.0]]
    found = with_parts(
        attention=xr.Dataset(
            {"attention_root_lambda": by_head(roots, others), "attention_root_lambda_null": by_head(null)}
        )
    )
    read = mixing(found)
    assert read is not None
    assert (read.low, read.high, read.heads, read.contracting, read.below_null) == (0.9, 2.0, 4, 1, 1)
    assert "over 4 heads" in mixing_sentence(found)
    assert "below 1 in 1" in mixing_sentence(found)


@pytest.mark.parametrize(
    ("values", "vacuous", "told"),
    [([[5e4, 2e5]], True, "vacuous"), ([[1.0, 3.0]], True, "vacuous"), ([[0.4, 3.0]], False, "must smooth")],
)
def test_a_bound_of_1_or_more_everywhere_is_told_to_say_nothing(
    values: list[list[float]], vacuous: bool, told: str
) -> None:
    dims = ("input", "layer")
    found = with_parts(bound=xr.Dataset({"smoothing_bound": (dims, values), "contraction": (dims, [[1.2, 0.7]])}))
    assert is_vacuous(found) is vacuous
    assert told in bound_sentence(found)
    assert bounds(found) is not None
    measured = contractions(found)
    assert measured is not None
    assert (measured.low, measured.low_layer, measured.high, measured.high_layer) == (0.7, 1, 1.2, 0)


def test_a_block_is_low_pass_by_the_majority_of_its_heads() -> None:
    read = [["smoothing", "smoothing", "sharpening"], ["smoothing", "sharpening", "neutral"]]
    found = with_parts(dominance=xr.Dataset({"dominant_kind": (("layer", "head"), np.array(read))}))
    assert kinds(found) == {"smoothing": 3, "sharpening": 2, "neutral": 1}
    assert low_pass(found) == {0: True, 1: False}
    assert "3 read as smoothing, 2 as sharpening and 1 as neutral; block 0 is low-pass" in circuits_sentence(found)


def test_measured_low_pass_is_a_larger_gain_of_the_mean_than_of_the_rest() -> None:
    names = ["embedding", "0.attention", "0", "1.attention", "1"]
    # Attention of block 0 doubles the mean and leaves the rest; that of block 1 the other way round.
    mean, rest = [1.0, 2.0, 1.0, 1.0, 1.0], [3.0, 3.0, 3.0, 6.0, 6.0]
    found = measurement({"mean_token_norm": mean, "distance_to_mean": rest}, points=names, blocks=2)
    assert measured_low_pass(found) == {0: True, 1: False}


def sized(tokens: np.ndarray[Any, Any]) -> Measurement:
    """A measurement of one block with these states (token, dim)."""
    sizes, mean = np.linalg.norm(tokens, axis=1), tokens.mean(axis=0)
    values = {
        "mean_norm": sizes.mean(),
        "mean_token_norm": np.linalg.norm(mean),
        "distance_to_mean": np.linalg.norm(tokens - mean),
        "max_activation_ratio": np.abs(tokens).max() / np.median(np.abs(tokens)),
    }
    words = [f"word{number}" for number in range(len(tokens))]
    curves = {name: [float(value)] * 2 for name, value in values.items()}
    return measurement(curves, points=["embedding", "0"], blocks=1, words=words)


def test_one_massive_token_is_told_to_carry_the_spectrum() -> None:
    tokens = np.random.default_rng(0).standard_normal((20, 48))
    assert outlier_warning(sized(tokens)) == ""
    tokens[0] *= 40
    found = sized(tokens)
    sizes = np.linalg.norm(tokens, axis=1)
    share = sizes.sum() ** 2 / (sizes**2).sum() / len(tokens)
    assert carrying_share(found)["0"] == pytest.approx(share)
    assert share < 0.2
    assert set(outliers(found).tokens) == {"embedding", "0"}
    assert f"that of {100 * share:.0f} % of its tokens" in outlier_warning(found)
    assert "describes outliers, not smoothing" in outlier_warning(found)


def test_one_massive_dimension_is_told_to_carry_the_spectrum() -> None:
    tokens = np.random.default_rng(0).standard_normal((20, 48))
    tokens[:, 7] = 3000 + tokens[:, 7]
    found = sized(tokens)
    assert not outliers(found).tokens
    assert set(outliers(found).activations) == {"embedding", "0"}
    assert "times the median" in outlier_warning(found)


def test_everything_in_words_has_each_part_once(trained: Measurement) -> None:
    text = in_words(trained)
    for title in ("Where\n", "Why: Attention as a graph", "Why: LayerNorm", "Why: Eigenspectrum", "Whether\n"):
        assert text.count(title) == 1
    assert text.startswith(explanation_headline(trained))
    assert "nan" not in text
