"""What a measurement gathers for an explanation, against the network's own attention and states, one text at a time."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from families import FAMILIES, LAYERS
from tiny import minilm, tiny

from oversmooth import Settings, compare, measure
from oversmooth.metrics.numerics import Float64
from oversmooth.results.explanation import Explanation
from oversmooth.results.measurement import Measurement
from oversmooth.service.engine.cache import measurement_bytes

TEXTS = ("the cat sat on mat", "dog saw rain sun moon tree bird sky")
READABLE = [name for name, family in FAMILIES.items() if not family.image]
POST_NORM = ("bert", "albert", "distilbert", "bart")
PRE_NORM = ("gpt2", "llama", "gemma", "t5")


@cache
def explained(family: str, *texts: str) -> Measurement:
    return measure(Settings.of(texts=texts or TEXTS, explanation=True, similarity=False), model=tiny(family))


def explanation(family: str, *texts: str) -> Explanation:
    found = explained(family, *texts).explanation
    assert found is not None
    return found


def alone(family: str, text: str) -> Any:
    """The network's own outputs for one text without padding."""
    model = tiny(family)
    network, ids = model.anatomy.network, torch.tensor([model.tokenizer(text)["input_ids"]])
    config, before = network.config, network.config._attn_implementation
    config._attn_implementation = "eager"
    try:
        with torch.inference_mode():
            return network(input_ids=ids, output_attentions=True, output_hidden_states=True)
    finally:
        config._attn_implementation = before


def centred(rows: Float64) -> Float64:
    moved: Float64 = rows - rows.mean(axis=0)
    return moved


@pytest.mark.parametrize("family", READABLE)
def test_attention_is_that_of_each_text_alone(family: str) -> None:
    found = explanation(family).attention
    for number, text in enumerate(TEXTS):
        attentions = [each[0].double().numpy() for each in alone(family, text).attentions]
        assert len(attentions) == LAYERS
        for layer, matrices in enumerate(attentions):
            at = found.isel(input=number, layer=layer)
            roots = [np.linalg.svd(centred(each))[1][0] for each in matrices]
            np.testing.assert_allclose(at["attention_root_lambda"], roots, rtol=1e-5, atol=1e-7)
            diagonals = [np.diag(each).mean() for each in matrices]
            np.testing.assert_allclose(at["attention_diagonal_mass"], diagonals, rtol=1e-5, atol=1e-9)
            if layer:
                one, other = (attentions[each].mean(axis=0).ravel() for each in (layer - 1, layer))
                cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
                assert float(at["attention_adjacent_cosine"]) == pytest.approx(cosine, rel=1e-5)
            else:
                assert np.isnan(at["attention_adjacent_cosine"])


@pytest.mark.parametrize("family", POST_NORM + PRE_NORM)
def test_norms_and_contraction_are_those_of_each_text_alone(family: str) -> None:
    found, model = explanation(family), tiny(family)
    reads: list[Float64] = []
    norms = [each for each in model.anatomy.norms[0]]
    handles = [
        norm.register_forward_pre_hook(lambda _, given: reads.append(given[0][0].double().numpy())) for norm in norms
    ]
    try:
        for number, text in enumerate(TEXTS):
            reads.clear()
            states = [each[0].double().numpy() for each in alone(family, text).hidden_states]
            # Layers of ALBERT share their norms: these are the reads of the first.
            for norm, read in zip(("attention", "mlp"), reads[:2], strict=True):
                kind = str(found.norms["kind"].sel(layer=0, norm=norm).item())
                sizes = read.std(axis=1) if kind == "LayerNorm" else np.sqrt((read**2).mean(axis=1))
                assert float(found.norms["smallest_deviation"].sel(input=number, layer=0, norm=norm)) == pytest.approx(
                    sizes.min(), rel=1e-5
                )
                if number == 0:
                    np.testing.assert_allclose(found.norms["deviation"].sel(layer=0, norm=norm), sizes, rtol=1e-5)
            ratio = np.linalg.norm(centred(states[1])) / np.linalg.norm(centred(states[0]))
            assert float(found.bound["contraction"].isel(input=number, layer=0)) == pytest.approx(ratio, rel=1e-5)
    finally:
        for handle in handles:
            handle.remove()


@pytest.mark.parametrize("family", READABLE)
def test_what_is_missing_says_why_and_the_rest_is_there(family: str) -> None:
    found = explanation(family)
    parts = {
        "attention": found.attention, "norms": found.norms, "circuits": found.circuits, "dominance": found.dominance,
    }  # fmt: skip
    for name, part in parts.items():
        assert bool(part) != (name in found.reasons), name
    assert ("smoothing_bound" in found.bound) != ("bound" in found.reasons)
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in found.reasons.values())
    assert np.isfinite(found.bound["contraction"]).all()
    assert np.isfinite(found.corpus["within"]).all()
    assert found.texts == 2


def test_the_pair_that_dominates_is_that_of_the_update_itself() -> None:
    found = explanation("gpt2")
    eigenvalues, heads = found.circuits["eigenvalues"].values, found.dominance
    attention = alone("gpt2", TEXTS[0]).attentions
    for layer, head in ((0, 0), (2, 3)):
        of_attention = np.linalg.eigvals(attention[layer][0, head].double().numpy())
        gains = np.abs(1 + np.outer(eigenvalues[layer, head], of_attention))
        at = heads.isel(layer=layer, head=head)
        assert float(at["dominant_gain"]) == pytest.approx(max(gains.max(), 1.0), rel=1e-5)
        pair = 1 + complex(at["circuit_eigenvalue"].item()) * complex(at["attention_eigenvalue"].item())
        assert abs(pair) == pytest.approx(float(at["dominant_gain"]))


def test_tokens_are_compared_within_and_between_texts() -> None:
    found, first, second = explanation("bert"), *(tokens_of(text) for text in TEXTS)
    raw = found.corpus.sel(form="raw", point="1")
    units = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (first, second)]
    within = [(np.sum(unit @ unit.T) - len(unit)) / (len(unit) * (len(unit) - 1)) for unit in units]
    assert float(raw["within"]) == pytest.approx(np.mean(within), rel=1e-5)
    np.testing.assert_allclose(raw["within_each"], within, rtol=1e-5)
    assert float(raw["between"]) == pytest.approx((units[0] @ units[1].T).mean(), rel=1e-5)
    assert float(raw["within"]) == pytest.approx(float(explained("bert").curves["token_cosine"].sel(point="1").mean()))


def tokens_of(text: str) -> Float64:
    """The states of block 1 without special tokens."""
    states: Float64 = alone("bert", text).hidden_states[2][0, 1:-1].double().numpy()
    return states


def test_an_explanation_changes_no_number_and_leaves_the_model_alone() -> None:
    model = tiny("llama")
    plain = measure(Settings.of(texts=TEXTS, fidelity=True), model=model)
    with_it = explained("llama")
    assert not model.mitigated_by
    for metric in plain.metrics:
        if metric in with_it.metrics:
            found = with_it.curves[metric].sel(point=list(plain.points))
            np.testing.assert_array_equal(found, plain.curves[metric])


def test_one_text_has_nothing_to_be_compared_with() -> None:
    found = explanation("bert", TEXTS[0])
    assert np.isnan(found.corpus["between"]).all()
    assert "two texts" in found.reasons["corpus"]


def test_the_text_that_is_shown_is_the_one_whose_tokens_are_kept() -> None:
    settings = Settings.of(texts=TEXTS, explanation=True, shown=1)
    found = measure(settings, model=tiny("bert")).explanation
    assert found is not None
    assert found.norms.sizes["token"] == len(tiny("bert").tokenizer(TEXTS[1])["input_ids"])


def test_a_long_text_goes_without_pairs_of_eigenvalues() -> None:
    text = " ".join(["rain"] * 300)
    found = measure(Settings.of(texts=text, explanation=True, similarity=False), model=minilm()).explanation
    assert found is not None
    assert not found.dominance
    assert "at most 256 tokens" in found.reasons["dominance"]
    assert found.attention


def test_mitigations_are_seen_in_the_attention() -> None:
    settings = Settings.of(texts=TEXTS, explanation=True, mitigations="no_diagonal")
    found = measure(settings, model=tiny("bert")).explanation
    assert found is not None
    assert float(found.attention["attention_diagonal_mass"].max()) == 0.0


def test_a_kept_result_counts_what_it_takes() -> None:
    result = explained("bert")
    assert result.explanation is not None
    assert measurement_bytes(result) > result.explanation.nbytes > 1000


def test_sides_of_a_comparison_can_be_explained() -> None:
    found = compare(Settings.of(texts=TEXTS, explanation=True, similarity=False), ["no_mlp"], model=tiny("bert"))
    assert not found.failures
    before, after = (each.explanation for each in found.measurements.values())
    assert before is not None
    assert after is not None
    np.testing.assert_array_equal(before.circuits["eigenvalues"], after.circuits["eigenvalues"])
    assert not np.allclose(before.bound["contraction"], after.bound["contraction"])


def test_what_norms_read_is_not_told_from_the_stream_where_a_method_gives_them_a_copy() -> None:
    settings = Settings.of(texts=TEXTS, explanation=True, mitigations="contranorm:where=paper")
    of_copies, of_stream = (measure(settings, model=tiny(family)).explanation for family in ("llama", "bert"))
    assert of_copies is not None
    assert not of_copies.norms
    assert of_copies.reasons["norms"].startswith("Under “contranorm” norms read a changed copy of the stream")
    assert of_stream is not None
    assert of_stream.norms
