"""An outlier is told beside every finding, and no collapse is told of it."""

from __future__ import annotations

import re
from functools import cache
from typing import cast

import alternatives
import numpy as np
import pytest
import torch
from families import build
from tiny import TEXT, WORDS, loaded, tiny, tokenizer
from transformers import GPT2Model

from oversmooth import Settings, measure
from oversmooth.report.export.latex import caption
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.findings import comparison_headline, headline, warnings_beside
from oversmooth.report.findings.collapse import collapse_sentence, collapsed_by, states
from oversmooth.report.findings.explanations import explanation_headline, in_words
from oversmooth.report.findings.whether import whether
from oversmooth.results.comparison import Comparison
from oversmooth.results.measurement import Measurement

TEXTS = (TEXT, " ".join(WORDS[4:16]))
SIZE = 4000.0
TOLD = re.compile(r"[Mm]assive activation.* ([\d,]+) times the median")


def with_outlier(block: int = 0) -> GPT2Model:
    """A tiny GPT-2 one of whose blocks adds the same large value to one dimension of every token."""
    network = cast(GPT2Model, build("gpt2"))
    torch.nn.init.normal_(network.wte.weight, std=4.0)
    with torch.no_grad():
        network.get_parameter(f"h.{block}.mlp.c_proj.bias")[3] = SIZE
    return network


@cache
def explained() -> Measurement:
    settings = Settings.of(texts=TEXTS, explanation=True, device="cpu")
    return measure(settings, model=loaded(with_outlier()))


def states_at(block: int, text: str) -> np.ndarray:
    """Of the content tokens, from transformers."""
    ids = tokenizer()(text, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        hidden = with_outlier()(ids, output_hidden_states=True).hidden_states
    return np.asarray(hidden[block + 1][0, 1:-1].double().numpy())


def mean_cosine(tokens: np.ndarray) -> float:
    unit = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
    cosines = unit @ unit.T
    return float((cosines.sum() - len(unit)) / (len(unit) * (len(unit) - 1)))


def test_one_dimension_is_no_collapse() -> None:
    result = explained()
    tokens = states_at(0, TEXT)
    # What the curves say is all of one dimension.
    assert mean_cosine(tokens) > 0.9999
    assert mean_cosine(np.delete(tokens, 3, axis=1)) < 0.6
    assert result.curve("high_frequency_share")["0"] < 1e-4

    assert set(states(result).values()) == {"outlier"}
    assert collapsed_by(result) is None
    for words in (explanation_headline(result), headline(result), in_words(result), *whether(result)):
        assert "Tokens collapse" not in words
        assert "grow alike" not in words.split("\n\n")[0]
    assert collapse_sentence(result).startswith("No collapse is told: the high-frequency share is ")


def test_what_a_headline_tells_is_not_warned_of_again() -> None:
    long = measure(Settings.of(texts=TEXT, max_tokens=8, device="cpu"), model=loaded(with_outlier()))
    told = [each for each in long.record.warnings if TOLD.search(each)]
    assert len(told) == 1
    assert TOLD.search(headline(long))
    assert warnings_beside(long) == tuple(each for each in long.record.warnings if each not in told)
    assert "The text was cut" in warnings_beside(long)[0]
    calm = measure(Settings.of(texts=TEXT, max_tokens=8, device="cpu"), model=tiny("gpt2"))
    assert warnings_beside(calm) == calm.record.warnings


def test_it_stands_beside_every_finding() -> None:
    result = explained()
    plain = measure(Settings.of(texts=TEXTS, device="cpu"), model=loaded(with_outlier()))
    variant = measure(
        Settings.of(texts=TEXTS, mitigations=("attnscale:omega=0.5",), device="cpu"), model=loaded(with_outlier())
    )
    comparison = Comparison({"baseline": plain, "a": variant}, {})
    ratios = [np.abs(states_at(0, text)).max() / np.median(np.abs(states_at(0, text))) for text in TEXTS]
    figures = figures_of(plain)
    compared = figures_of(comparison)
    said = {
        "measure": headline(plain),
        "explain": explanation_headline(result),
        "compare": comparison_headline(comparison),
        "curve": alternatives.curve(plain, "token_cosine"),
        "map": alternatives.similarity(plain, "1"),
        "spectrum": alternatives.spectrum(plain, "1", centred=False),
        "compared curve": alternatives.compared_curve(comparison, "token_cosine"),
        "delta": alternatives.delta_curve(comparison, "token_cosine"),
        "compared map": alternatives.compared_map(comparison, "a", "1"),
        "difference": alternatives.difference_map(comparison, "a", "1"),
        "compared spectra": alternatives.compared_spectra(comparison, "1", centred=False),
        "caption": caption(plain, figures["token_cosine"]),
        "compared caption": caption(comparison, compared["token_cosine"]),
    }
    for place, words in said.items():
        found = TOLD.search(words)
        assert found, (place, words)
        # Of the whole curve the largest of any text; of the map and the spectrum at block 1 theirs.
        if place not in ("map", "spectrum", "compared map", "compared spectra"):
            assert float(found[1].replace(",", "")) == pytest.approx(max(ratios), rel=0.01), place


def test_it_is_told_where_its_metric_was_not_asked_for() -> None:
    settings = Settings.of(
        texts=TEXTS, metrics=("token_cosine", "high_frequency_share"), explanation=True, device="cpu"
    )
    result = measure(settings, model=loaded(with_outlier()))
    assert TOLD.search(explanation_headline(result))
    assert TOLD.search(headline(result))
    assert collapsed_by(result) is None


def test_a_map_before_the_outlier_does_not_speak_of_it() -> None:
    result = measure(Settings.of(texts=TEXTS, device="cpu"), model=loaded(with_outlier(block=1)))
    assert "assive" not in alternatives.similarity(result, "0")
    assert "assive" not in alternatives.spectrum(result, "embedding", centred=False)
    assert "assive" in alternatives.similarity(result, "1")


def test_without_outliers_nothing_is_told() -> None:
    result = measure(Settings.of(texts=TEXTS, device="cpu"), model=tiny("gpt2"))
    assert "assive" not in headline(result)
    assert "assive" not in alternatives.curve(result, "token_cosine")
