"""Models with attention in some blocks only, or with text padded inside: what cannot be done is told, the rest is."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from families import build
from hybrids import ATTENDED, hybrid, network
from methods_at_work import PRESETS
from tiny import WORDS, loaded, tiny

from oversmooth import Settings, compare, measure
from oversmooth.core.errors import MitigationError, ModelError
from oversmooth.dashboard.explain.tables import adjacent_table, attention_table
from oversmooth.mitigations import get
from oversmooth.mitigations.sites import Memory
from oversmooth.report.figures.gallery import figures_of

TEXTS = ("the cat sat on mat and dog saw rain", "sun moon tree bird")
PLAIN = {"metrics": "token_cosine", "similarity": False}


@pytest.mark.parametrize("name", ATTENDED)
@pytest.mark.parametrize("options", [{}, {"explanation": True}], ids=["compared", "explained"])
def test_a_method_that_cannot_act_is_refused_by_name_and_the_others_go_on(
    name: str, options: dict[str, object]
) -> None:
    variants = {label: str(method) for label, method in PRESETS.items()}
    found = compare(Settings.of(texts=TEXTS, **PLAIN, **options), variants, model=hybrid(name))
    for label, reason in found.failures.items():
        assert reason.startswith(f"{PRESETS[label].declaration.name}: "), reason
        assert reason.endswith("."), reason
    assert {"contranorm", "high_frequency_gain", "softdecay", "noise"} <= set(found.variants)
    assert {"attnscale", "neutreno", "shared_attention", "no_diagonal"} <= set(found.failures)
    for variant in found.variants.values():
        assert np.isfinite(variant.curves["token_cosine"]).all()
        assert np.isfinite(variant.curves["cka_to_baseline"].sel(point="3")).all()


def refusal(name: str, specification: str) -> str:
    with pytest.raises(MitigationError) as told:
        measure(Settings.of(texts=TEXTS, mitigations=specification), model=hybrid(name))
    return str(told.value)


def test_the_refusal_says_where_attention_is_and_what_to_do() -> None:
    assert refusal("jamba", "attnscale") == (
        "attnscale: attention of the family “jamba” is met in blocks 1 and 3 alone, and it would act in blocks 0 and 2 "
        "too: give it layers=1/3."
    )
    assert refusal("jamba", "attnscale:layers=0") == (
        "attnscale: attention of the family “jamba” is met in blocks 1 and 3 alone, and it would act in block 0 too: "
        "give it layers=1/3."
    )
    for layers in ("", ":layers=3"):
        assert refusal("jamba", f"neutreno{layers}") == (
            "neutreno: attention of the family “jamba” is met in blocks 1 and 3 alone, and in whichever it acts, it "
            "needs that of block 0."
        )
    assert refusal("bamba", "shared_attention:first=0,last=1") == (
        "shared_attention: attention of the family “bamba” is met in block 1 alone, and in whichever it acts, it needs "
        "that of block 0."
    )
    assert refusal("jamba", "shared_attention:first=0,last=1") == (
        "shared_attention: attention of the family “jamba” is met in blocks 1 and 3 alone, and it needs that of "
        "block 0."
    )
    assert refusal("longformer", "attnscale") == (
        "attnscale: no attention of the family “longformer” is met where a method could change it."
    )


@pytest.mark.parametrize("specification", ["attnscale:layers=1/3", "shared_attention:first=1,last=3,layers=3"])
def test_where_attention_is_a_method_acts(specification: str) -> None:
    found = compare(Settings.of(texts=TEXTS, **PLAIN), [specification], model=hybrid("jamba"))
    assert not found.failures
    deltas = found.deltas("token_cosine", specification)
    first = "1" if specification.startswith("attnscale") else "3"
    assert next(point for point, delta in deltas.items() if delta) == first


@pytest.mark.parametrize("name", ["jamba", "lfm2", "zamba2"])
def test_an_explanation_shows_the_attention_that_is_there(name: str) -> None:
    model = hybrid(name)
    found = measure(Settings.of(texts=TEXTS, explanation=True, **PLAIN), model=model)
    assert found.explanation is not None
    attention, there = found.explanation.attention, list(ATTENDED[name])
    told = f"Attention of the family “{name}” is met in blocks 1 and 3 alone; of the others nothing is known of it."
    assert found.explanation.reasons["attention"] == told
    for variable in attention.data_vars.values():
        assert np.isnan(variable.sel(layer=[0, 2])).all()
    # No two of its blocks follow each other.
    assert np.isnan(attention["attention_adjacent_cosine"]).all()
    for number, text in enumerate(TEXTS):
        for layer, matrices in zip(there, theirs(name, text), strict=True):
            diagonals = [np.diag(each).mean() for each in matrices]
            at = attention["attention_diagonal_mass"].isel(input=number, layer=layer)
            np.testing.assert_allclose(at, diagonals, rtol=1e-5)
            roots = [np.linalg.norm(each - each.mean(axis=0), 2) for each in matrices]
            at = attention["attention_root_lambda"].isel(input=number, layer=layer)
            np.testing.assert_allclose(at, roots, rtol=1e-5)
    for figure in figures_of(found).values():
        figure.build().to_json()
    assert set(attention_table(found)["block"]) == set(there)
    assert adjacent_table(found).empty


def theirs(name: str, text: str) -> list[np.ndarray]:
    """The attention that the network itself puts out, layer by layer where it has any: (head, query, key)."""
    model = hybrid(name)
    ids = torch.tensor([model.tokenizer(text)["input_ids"]])
    model.network.set_attn_implementation("eager")
    try:
        with torch.inference_mode():
            outputs = model.network(input_ids=ids, output_attentions=True, use_cache=False)
    finally:
        model.network.set_attn_implementation("sdpa")
    return [each[0].double().numpy() for each in outputs.attentions if each is not None and each.dim() == 4]


@pytest.mark.parametrize("specification", ["softdecay", "contranorm", "dgn:groups=3", "all_but_the_top", "noise"])
@pytest.mark.parametrize("name", ["longformer", "big_bird"])
def test_padding_inside_the_network_is_no_token(name: str, specification: str) -> None:
    """Of two texts together, each is what it is alone; calibrated methods have all texts in both."""
    texts = (" ".join(WORDS[:9]), " ".join(WORDS[3:10]))  # [CLS] and [SEP] make 11 and 9: neither fills windows of 8.
    settings = Settings.of(texts=texts, mitigations=specification, **PLAIN)
    together = measure(settings, model=hybrid(name)).curves["token_cosine"]
    plain = measure(Settings.of(texts=texts, **PLAIN), model=hybrid(name)).curves["token_cosine"]
    assert not np.allclose(together.sel(point="3"), plain.sel(point="3"), atol=1e-5)
    if specification in ("softdecay", "contranorm"):
        for number, text in enumerate(texts):
            alone = measure(Settings.of(texts=text, mitigations=specification, **PLAIN), model=hybrid(name))
            np.testing.assert_allclose(together[number], alone.curves["token_cosine"][0], atol=1e-5)


@pytest.mark.parametrize("name", ["reformer", "nystromformer"])
def test_networks_that_cannot_be_measured_are_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(ModelError, match=f"architecture “{name}” .*, so (it|the measured points) "):
        loaded(network(name))


def test_sparse_attention_stays_on_after_a_short_text_and_beside_one() -> None:
    long, short, model = " ".join(WORDS * 2), "the cat", loaded(network("big_bird"))

    def curve(*texts: str) -> np.ndarray:
        found = measure(Settings.of(texts=texts, **PLAIN), model=model).curves["token_cosine"]
        return np.asarray(found)

    first = curve(long)
    np.testing.assert_array_equal(curve(short, long)[1:], first)
    np.testing.assert_array_equal(curve(long), first)
    full = network("big_bird")
    full.config.attention_type = "original_full"
    full.set_attention_type("original_full")  # type: ignore[operator]
    model = loaded(full)
    assert not np.allclose(curve(long), first, atol=1e-5)


def test_what_a_method_could_not_keep_is_told_in_its_name() -> None:
    method = get("neutreno")()
    with pytest.raises(MitigationError, match=re.escape("neutreno: the block that it keeps something from")):
        Memory()[method]
    with pytest.raises(MitigationError, match=re.escape("neutreno: the block that it keeps something from")):
        Memory()[method, 1]


BROKEN = [
    ("bert", "embeddings.word_embeddings.weight"),
    ("bert", "encoder.layer.1.attention.self.query.weight"),
    ("bert", "encoder.layer.1.attention.self.value.weight"),
    ("bert", "encoder.layer.1.attention.output.dense.weight"),
    ("bert", "encoder.layer.1.output.dense.weight"),
    ("bert", "encoder.layer.1.output.LayerNorm.weight"),
    ("albert", "encoder.albert_layer_groups.0.albert_layers.0.attention.value.weight"),
    ("gpt2", "h.1.attn.c_attn.weight"),
    ("gpt2", "h.1.ln_1.weight"),
    ("llama", "layers.1.self_attn.k_proj.weight"),
    ("llama", "layers.1.self_attn.v_proj.weight"),
    ("llama", "norm.weight"),
    ("xlnet", "layer.1.rel_attn.v"),
    ("jamba", "layers.1.self_attn.v_proj.weight"),
]
METHODS = ["spectral_clip", "softdecay", "dgn:groups=2", "all_but_the_top", "contranorm", "no_skip", "gfsa:layers=1"]


@pytest.mark.parametrize(("name", "parameter"), BROKEN)
def test_one_weight_that_is_no_number_gives_notes(name: str, parameter: str) -> None:
    made = network(name) if name in ATTENDED else build(name)
    with torch.no_grad():
        # In all of a row and a column, so that it meets every token.
        made.get_parameter(parameter)[..., 0] = torch.nan
        made.get_parameter(parameter)[:1] = torch.nan
    model = loaded(made)
    texts = ("the cat sat on mat", "dog saw rain sun")
    explained = measure(Settings.of(texts=texts, explanation=True, centred_spectra=True), model=model)
    assert explained.explanation is not None
    assert any("not a number" in note.reason for note in explained.notes)
    for figure in figures_of(explained).values():
        figure.build().to_json()
    compared = compare(Settings.of(texts=texts, centred_spectra=True), METHODS, model=model)
    for variant in compared.variants.values():
        assert any("not a number" in note.reason for note in variant.notes)
        assert variant.curves["cka_to_baseline"].isnull().any()
        assert variant.curves["token_identity_retrieval"].isnull().any()
    for label, reason in compared.failures.items():
        assert reason.startswith(f"{label.partition(':')[0]}: "), reason


def test_the_bound_of_a_block_with_a_broken_weight_says_why_it_is_missing() -> None:
    made = build("bert")
    with torch.no_grad():
        made.get_parameter("encoder.layer.2.output.dense.weight")[0, 0] = torch.nan
    whole, broken = (
        measure(Settings.of(texts=TEXTS, explanation=True), model=model).explanation
        for model in (tiny("bert"), loaded(made))
    )
    assert whole is not None
    assert broken is not None
    bounds = broken.bound["smoothing_bound"]
    assert np.isnan(bounds.sel(layer=2)).all()
    np.testing.assert_allclose(bounds.sel(layer=[0, 1]), whole.bound["smoothing_bound"].sel(layer=[0, 1]), rtol=1e-6)
    assert broken.reasons["bound"] == "The weights of block 2 are not all finite numbers, so it has no bound there."
