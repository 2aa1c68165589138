"""A token has one number everywhere: its position in the sequence as the model sees it."""

from __future__ import annotations

import io
import json
import re

import alternatives
import numpy as np
import pytest
import torch
from families import build
from tiny import WORDS, loaded, tokenizer
from tokenizers import processors
from transformers import PreTrainedTokenizerFast

from oversmooth import Settings, measure
from oversmooth.dashboard.charts.tables import token_table
from oversmooth.dashboard.measure.page import _chip
from oversmooth.report.figures.compared_maps import compared_map, difference_map
from oversmooth.report.figures.similarity import similarity_map
from oversmooth.report.figures.theme import LIGHT
from oversmooth.results.comparison import Comparison
from oversmooth.results.files.data import data
from oversmooth.results.measurement import Measurement

TEXTS = (" ".join(WORDS[:9]), "dog saw dog")
"""The shorter one is padded, at its beginning, and is the one shown."""
LAST = "2"


def behind() -> PreTrainedTokenizerFast:
    """A tokenizer that writes as XLNet's does: separator and [CLS] behind the text, padding before it."""
    tokens = tokenizer()
    tokens.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="$A [SEP] [CLS]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokens.padding_side = "left"
    return tokens


def measured(layout: str, *, special: bool = False, seed: int = 0) -> Measurement:
    """The tiny XLNet on both texts."""
    settings = Settings.of(
        texts=TEXTS, shown=1, metrics=("token_cosine", "cls_uniformity"), special_tokens=special, device="cpu"
    )
    return measure(settings, model=loaded(build("xlnet", seed), behind() if layout == "behind" else tokenizer()))


@pytest.mark.parametrize(
    ("layout", "special", "expected"),
    [
        ("around", False, {1: "dog", 2: "saw", 3: "dog"}),
        ("around", True, {0: "[CLS]", 1: "dog", 2: "saw", 3: "dog", 4: "[SEP]"}),
        ("behind", False, {0: "dog", 1: "saw", 2: "dog"}),
        ("behind", True, {0: "dog", 1: "saw", 2: "dog", 3: "[SEP]", 4: "[CLS]"}),
    ],
)
def test_every_place_counts_alike(layout: str, special: bool, expected: dict[int, str]) -> None:
    result = measured(layout, special=special)
    other = measured(layout, special=special, seed=1)
    comparison = Comparison({"baseline": result, "other": other}, {})
    wanted = [f"“{word}” ({position})" for position, word in expected.items()]

    for figure in (
        similarity_map(result, LAST, theme=LIGHT),
        compared_map(comparison, "other", LAST, theme=LIGHT),
        difference_map(comparison, "other", LAST, theme=LIGHT),
    ):
        assert [re.sub("[\u2068\u2069]", "", name) for name in figure.data[0].y] == wanted
        assert figure.data[0].x == figure.data[0].y

    table = token_table(result.shown)
    counted = table[table["measured"]]
    assert dict(zip(counted["position"], counted["token"], strict=True)) == expected
    for position, word in expected.items():
        chip = _chip(result.shown.items[position], position)
        assert f"position {position}," in chip
        assert f">{word}<" in chip

    files = data(result, ["npz", "json"])
    arrays = np.load(io.BytesIO(files["arrays.npz"]))
    assert dict(zip(arrays["token_position"].tolist(), arrays["token"].tolist(), strict=True)) == expected
    side = json.loads(files["data.json"])["sides"][0]
    assert {each["position"]: each["text"] for each in side["tokens"][1] if each["measured"]} == expected
    assert side["similarity"]["positions"] == list(expected)
    assert [each["position"] for each in side["tokens"][0]] == list(range(11))

    assert result.similarity is not None
    first, last = min(expected), max(expected)
    cosine = float(result.similarity.sel(point=LAST, token=first, other=last))
    assert cosine == np.float32(side["similarity"]["values"][side["points"].index(LAST)][0][-1])


def test_an_alternative_text_tells_equal_words_apart_by_the_same_number() -> None:
    result = measured("around")
    assert result.similarity is not None
    result.similarity.loc[LAST] = np.array([[1, 0.2, 0.9], [0.2, 1, 0.4], [0.9, 0.4, 1]])
    assert "from 0.200 for “dog” (1) and “saw” (2) to 0.900 for “dog” (1) and “dog” (3)." in alternatives.similarity(
        result, LAST
    )


@pytest.mark.parametrize("special", [False, True])
def test_uniformity_to_a_classification_token_that_stands_last(special: bool) -> None:
    result = measured("behind", special=special)
    network, ids = build("xlnet"), behind()(list(TEXTS))["input_ids"]
    for number, sequence in enumerate(ids):
        with torch.no_grad():
            states = network(torch.tensor([sequence])).last_hidden_state[0].double().numpy()
        unit = states / np.linalg.norm(states, axis=1, keepdims=True)
        others = unit[:-1] if special else unit[:-2]
        expected = float((others @ unit[-1]).mean())
        assert sequence[-1] == behind().cls_token_id
        assert float(result.curves["cls_uniformity"].sel(point=LAST)[number]) == pytest.approx(expected, abs=2e-5)
