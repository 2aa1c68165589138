"""Within against between: what is said of texts that share words, and at which block."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import xarray as xr
from synthetic import measurement
from synthetic_explanation import explained

from oversmooth.report.findings.explanations import explanation_headline, where
from oversmooth.report.findings.whether import common_share, mostly_common, offsets, own_from, whether
from oversmooth.results import waterfall
from oversmooth.results.measurement import Measurement

NAN = math.nan


def corpus(within: list[float], between: list[float]) -> Measurement:
    """An explanation with these cosines at the blocks."""
    found = explained(blocks=len(within), heads=2, texts=2, family="plain")
    assert found.explanation is not None
    names = ["embedding", *map(str, range(len(within)))]
    forms = ["raw", "centred", "standardised"]
    dims = ("form", "point")
    rows = {"within": [0.01, *within], "between": [0.01, *between]}
    values = {name: (dims, np.tile(row, (len(forms), 1))) for name, row in rows.items()}
    dataset = xr.Dataset(values, {"form": forms, "point": names})
    return replace(found, explanation=replace(found.explanation, corpus=dataset))


def test_texts_that_share_words_are_not_told_to_be_anisotropic() -> None:
    found = corpus([0.2, 0.25, 0.3], [0.33, 0.3, 0.35])
    offset = offsets(found)
    assert math.isnan(common_share(offset))
    assert mostly_common(offset) == ()
    said = " ".join(whether(found))
    assert (
        "Over all blocks, tokens of different texts are more alike (mean cosine 0.33) than those of one text (0.25)"
        in said
    )
    assert "at block 0, block 1 and block 2, by 0.13 at most (block 0): texts that share words are." in said
    assert "anisotropy" not in said
    assert "%" not in explanation_headline(found)
    assert "−" not in said


def test_one_such_block_does_not_hide_the_others() -> None:
    found = corpus([0.2, 0.4, 0.6], [0.25, 0.3, 0.1])
    said = " ".join(whether(found))
    assert "54 % of the mean cosine is an offset common to all texts." in said
    assert "at block 0, by 0.050 at most (block 0)" in said
    assert (
        "Block 1 is mostly anisotropy: tokens of one text are more alike than tokens of different texts by 0.10."
        in said
    )
    assert "From block 2 on, tokens of one text truly grow alike: at block 2 their mean cosine is 0.60" in said


def test_a_last_block_without_alike_tokens_is_not_mostly_an_offset() -> None:
    found = corpus([0.4, 0.4, 0.01], [0.3, 0.3, 0.0])
    assert own_from(offsets(found)) is None
    assert "at the last block most of it still is" not in explanation_headline(found)


def test_own_blocks_before_a_common_one_are_not_denied() -> None:
    said = " ".join(whether(corpus([0.4, 0.4, 0.5], [0.1, 0.3, 0.4])))
    assert "Mostly the text's own is block 0, not those up to the last." in said
    assert "At no block do" not in said


def test_what_was_the_text_s_own_all_along_does_not_grow() -> None:
    said = " ".join(whether(corpus([0.6, 0.5, 0.4], [0.1, 0.1, 0.1])))
    assert "From block 0 on, most of it is the text's own: at block 2 their mean cosine is 0.40" in said
    assert "only from" not in explanation_headline(corpus([0.6, 0.3, 0.4], [0.1, 0.2, 0.1]))


def test_whole_blocks_are_told_of_whole_blocks() -> None:
    found = explained(blocks=3, heads=2)
    for detail in ("blocks", "stream", "parts"):
        sentence = where(found, detail=detail)[0]
        assert ("as a whole" in sentence) == (detail == "blocks")
        assert ("branch" in sentence or "norm" in sentence) == (detail != "blocks")
    many = explained(blocks=waterfall.MOST_STREAM + 1, heads=2)
    assert "as a whole" in where(many)[0]


def test_equal_steps_are_not_ranked() -> None:
    found = measurement({"token_cosine": [0.0, 0.25, 0.5, 0.75]}, blocks=3, final_norm=False)
    assert where(found)[0] == (
        "Block 0 as a whole adds 0.25 to the token cosine similarity, and no step more; beside it come block 1 as a "
        "whole (+0.25) and block 2 as a whole (+0.25)."
    )
