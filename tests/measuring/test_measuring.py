"""Settings in, numbers out: the numbers are those of the model's own states."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import alternatives
import numpy as np
import pytest
import torch
import transformers
import xarray as xr
from concurrency import at_once
from families import FAMILIES, LAYERS, WIDTH, build
from numpy.typing import NDArray
from reference import single
from tiny import WORDS, loaded, minilm, tiny, tokenizer
from tokenizers import processors
from transformers import BertConfig, BertModel, GPT2Config, GPT2Model

from oversmooth import metrics
from oversmooth.core.errors import CancelledError, InputError, ModelError
from oversmooth.core.progress import Progress
from oversmooth.measuring.comparing import compare
from oversmooth.measuring.measuring import measure
from oversmooth.metrics.numerics import namespace
from oversmooth.metrics.similarity import averaged
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load
from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings

TEXT = [name for name, family in FAMILIES.items() if not family.image]
SENTENCE = "the cat sat on the mat and the dog saw rain"
SHORT = "sun and moon"
MIDDLE = "a bird and the river"
PAIRS = {"token_cosine", "token_cosine_centred", "rbf_distance"}
"""Metrics of pairs of tokens."""


def measured(model: LoadedModel, *texts: str, **options: Any) -> Measurement:
    return measure(Settings.of(texts=texts, **options), model=model)


def states_of(model: LoadedModel, text: str) -> dict[str, NDArray[np.float32]]:
    """Transformers' own hidden states (token, dim), by the names of the points; the last block is left out where
    transformers reports it normed."""
    inputs = model.tokenizer(text, return_tensors="pt")
    inputs.pop("token_type_ids", None)
    with torch.inference_mode():
        outputs = model.network(**inputs, output_hidden_states=True)
    named = {"embedding": outputs.hidden_states[0][0].numpy()}
    for index, states in enumerate(outputs.hidden_states[1:]):
        named[str(index)] = states[0].numpy()
    if model.anatomy.final_norm is not None:
        named["final_norm"] = named.pop(str(len(model.anatomy.blocks) - 1))
    return named


def hooks(model: LoadedModel) -> int:
    return sum(len(each._forward_hooks) + len(each._forward_pre_hooks) for each in model.network.modules())


@pytest.mark.parametrize("name", TEXT)
def test_a_padded_batch_gives_what_each_text_gives_alone(name: str) -> None:
    texts = (SENTENCE, SHORT, MIDDLE)
    together = measured(tiny(name), *texts, points="all")
    for number, text in enumerate(texts):
        alone = measured(tiny(name), text, points="all")
        for metric in together.metrics:
            np.testing.assert_allclose(
                together.curves[metric].values[number], alone.curves[metric].values[0], rtol=1e-5, atol=1e-5
            )
        assert together.tokens[number] == alone.tokens[0]
        components = alone.spectra.sizes["component"]
        spectra = together.spectra["raw"].values[number, :, :components]
        np.testing.assert_allclose(spectra, alone.spectra["raw"].values[0], rtol=1e-5, atol=1e-5)


def test_texts_of_unlike_length_run_apart_where_padding_is_read() -> None:
    # ConvBERT's convolutions reach from the tokens into the padding.
    assert not tiny("convbert").anatomy.padding_is_safe
    steps: list[Progress] = []
    measure(Settings.of(texts=(SENTENCE, SHORT, MIDDLE, "rain and sun")), model=tiny("convbert"), report=steps.append)
    # Two texts of five tokens together, then one of seven, then one of thirteen; four points each.
    assert [step.done for step in steps if step.detail == "embedding"] == [0, 2, 8 + 1, 12 + 1]


@pytest.mark.parametrize("special_tokens", [False, True])
@pytest.mark.parametrize("name", ["bert", "gpt2", "llama", "albert"])
class TestNumbersAreThoseOfTheStates:
    """Against transformers' own hidden states, without Oversmooth's recording and bookkeeping."""

    def rows(self, states: NDArray[np.float32], special_tokens: bool) -> NDArray[np.float32]:
        return states if special_tokens else states[1:-1]

    def test_curves(self, name: str, special_tokens: bool) -> None:
        result = measured(tiny(name), SENTENCE, special_tokens=special_tokens)
        assert result.metrics == metrics.usual_names()
        for point, states in states_of(tiny(name), SENTENCE).items():
            tokens = single.Single(self.rows(states, special_tokens), states[0], includes_classification=special_tokens)
            for metric in map(metrics.get_metric, result.metrics):
                value = float(result.curves[metric.name].sel(point=point).item())
                assert value == pytest.approx(single.number(metric, tokens), rel=1e-5, abs=1e-7), (point, metric.name)

    def test_curves_by_plain_formulas(self, name: str, special_tokens: bool) -> None:
        result = measured(tiny(name), SENTENCE, special_tokens=special_tokens)
        for point, states in states_of(tiny(name), SENTENCE).items():
            tokens = self.rows(states, special_tokens).astype(np.float64)
            at = result.curves.sel(point=point).isel(input=0)
            count = len(tokens)
            units = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
            cosine = ((units @ units.T).sum() - count) / (count * (count - 1))
            shares = np.linalg.svd(tokens, compute_uv=False)
            shares /= shares.sum()
            assert float(at["token_cosine"]) == pytest.approx(cosine, abs=1e-6)
            assert float(at["effective_rank"]) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-5)
            assert float(at["distance_to_mean"]) == pytest.approx(np.linalg.norm(tokens - tokens.mean(0)), rel=1e-5)
            assert float(at["mean_norm"]) == pytest.approx(np.linalg.norm(tokens, axis=1).mean(), rel=1e-5)

    def test_spectra(self, name: str, special_tokens: bool) -> None:
        result = measured(tiny(name), SENTENCE, special_tokens=special_tokens, centred_spectra=True)
        for point, states in states_of(tiny(name), SENTENCE).items():
            tokens = self.rows(states, special_tokens).astype(np.float64)
            at = result.spectra.sel(point=point).isel(input=0)
            expected = np.linalg.svd(tokens, compute_uv=False)
            floor = 2.0**-18 * float(np.linalg.norm(tokens))
            np.testing.assert_allclose(at["raw"].values, expected, rtol=1e-5, atol=floor / 64)
            centred = np.linalg.svd(tokens - tokens.mean(0), compute_uv=False)
            np.testing.assert_allclose(at["centred"].values[:-1], centred[:-1], rtol=1e-5, atol=floor / 64)
            assert np.isnan(at["centred"][-1])  # The zero that subtracting the mean makes is no finding.
            assert float(at["floor"]) == pytest.approx(floor, rel=1e-5)

    def test_similarity(self, name: str, special_tokens: bool) -> None:
        result = measured(tiny(name), SENTENCE, special_tokens=special_tokens)
        assert result.similarity is not None
        assert result.similarity_factor == 1
        for point, states in states_of(tiny(name), SENTENCE).items():
            tokens = self.rows(states, special_tokens).astype(np.float64)
            units = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
            np.testing.assert_allclose(result.similarity.sel(point=point), units @ units.T, atol=1e-5)


class TestSpecialTokens:
    def test_the_switch_changes_the_tokens_that_count_and_nothing_else(self) -> None:
        without, with_ = (measured(tiny("bert"), SENTENCE, special_tokens=switch) for switch in (False, True))
        assert [token.text for token in without.tokens[0].measured] == SENTENCE.split()
        assert [token.text for token in with_.tokens[0].measured] == ["[CLS]", *SENTENCE.split(), "[SEP]"]
        assert without.tokens[0].items != with_.tokens[0].items
        assert [token.id for token in without.tokens[0].items] == [token.id for token in with_.tokens[0].items]
        assert with_.spectra.sizes["component"] == without.spectra.sizes["component"] + 2
        assert with_.similarity is not None
        assert without.similarity is not None
        np.testing.assert_allclose(with_.similarity.values[:, 1:-1, 1:-1], without.similarity, atol=1e-6)
        # [CLS] is compared to the tokens of the text in both; [SEP] joins them in one.
        assert not np.allclose(with_.curves["cls_uniformity"], without.curves["cls_uniformity"], atol=1e-6)
        assert with_.record.special_tokens_measured
        assert not without.record.special_tokens_measured
        assert (without.record.inputs[0].tokens, without.record.inputs[0].measured) == (13, 11)
        assert with_.record.inputs[0].measured == 13


class TestSettings:
    def test_only_the_metrics_asked_for(self) -> None:
        result = measured(tiny("bert"), SENTENCE, metrics=("mean_norm", "token_cosine"))
        assert result.metrics == ("token_cosine", "mean_norm")

    def test_no_maps_where_not_asked_for(self) -> None:
        assert measured(tiny("bert"), SENTENCE, similarity=False).similarity is None

    def test_no_centred_spectra_where_not_asked_for(self) -> None:
        result = measured(tiny("bert"), SENTENCE)
        assert "centred" not in result.spectra
        assert "not asked for" in alternatives.spectrum(result, "0", centred=True)

    def test_points_of_both_kinds(self) -> None:
        blocks = ("embedding", "0", "1", "2", "final_norm")
        assert measured(tiny("gpt2"), SENTENCE).points == blocks
        result = measured(tiny("gpt2"), SENTENCE, points="all")
        assert result.points == (
            "embedding", "0.attention", "0.attention_norm", "0", "1.attention", "1.attention_norm", "1",
            "2.attention", "2.attention_norm", "2", "final_norm",
        )  # fmt: skip
        assert result.main_points == blocks
        assert np.isfinite(result.curves["token_cosine"]).all()

    def test_the_text_shown_changes_the_map_and_the_chart_of_the_spectrum_and_no_number(self) -> None:
        first, second = (measured(tiny("bert"), SENTENCE, MIDDLE, shown=shown) for shown in (0, 1))
        alone = measured(tiny("bert"), MIDDLE)
        assert first.curves.equals(second.curves)
        assert first.spectra.equals(second.spectra)
        assert second.similarity is not None
        assert alone.similarity is not None
        np.testing.assert_allclose(second.similarity, alone.similarity, atol=1e-5)
        assert second.shown == alone.tokens[0]
        assert alternatives.similarity(second, "1") == alternatives.similarity(alone, "1")
        assert alternatives.spectrum(second, "1", centred=False) == alternatives.spectrum(alone, "1", centred=False)
        assert second.plot_spectrum(1).data[-1].y == pytest.approx(alone.plot_spectrum(1).data[-1].y, rel=1e-5)

    def test_what_is_missing_of_the_text_shown_has_its_reason(self) -> None:
        result = measured(tiny("bert"), SENTENCE, "rain", shown=1, centred_spectra=True)
        assert "one token" in alternatives.spectrum(result, "1", centred=True)

    def test_a_wrong_text_among_several_is_named(self) -> None:
        with pytest.raises(InputError, match=r"^Text 2: The text is empty"):
            measured(tiny("bert"), SENTENCE, " ")
        with pytest.raises(InputError, match=r"^Text 4: The text is empty"):
            measured(tiny("bert"), SENTENCE, SHORT, SENTENCE, " ", MIDDLE, " ")
        with pytest.raises(InputError, match=r"^The text is empty"):
            measured(tiny("bert"), " ")

    def test_equal_settings_give_equal_numbers(self) -> None:
        first, second = (measured(minilm(), SENTENCE, MIDDLE, points="all") for _ in range(2))
        assert first.curves.equals(second.curves)
        assert first.spectra.equals(second.spectra)
        assert first.similarity is not None
        assert second.similarity is not None
        assert first.similarity.equals(second.similarity)
        assert first.notes == second.notes
        assert first.tokens == second.tokens


@cache
def long_reading() -> LoadedModel:
    """A model of one block that reads 1,100 tokens."""
    torch.manual_seed(0)
    network = GPT2Model(GPT2Config(vocab_size=99, n_embd=WIDTH, n_layer=1, n_head=4, n_positions=1100))
    network.train(False)
    return loaded(network, tokenizer(limit=1100))


class TestManyTokens:
    def test_the_map_is_the_mean_over_neighbours(self) -> None:
        words = [WORDS[number % len(WORDS)] for number in range(1030)]
        result = measured(long_reading(), " ".join(words), max_tokens=1100)
        assert result.similarity is not None
        assert result.similarity_factor == 3
        assert result.similarity.shape == (3, 344, 344)

        states = states_of(long_reading(), " ".join(words))["embedding"][1:-1].astype(np.float64)
        units = states / np.linalg.norm(states, axis=1, keepdims=True)
        cosines = units @ units.T
        blocks = [cosines[first : first + 3, second : second + 3] for first, second in ((0, 0), (0, 3), (300, 600))]
        found = result.similarity.sel(point="embedding").values
        assert [found[0, 0], found[0, 1], found[100, 200]] == pytest.approx(
            [block.mean() for block in blocks], abs=1e-5
        )
        # 1030 = 343 · 3 + 1: the last row holds one token.
        assert found[343, 0] == pytest.approx(cosines[1029, :3].mean(), abs=1e-5)
        assert found[343, 343] == pytest.approx(1.0)

    def test_more_tokens_than_dimensions(self) -> None:
        words = " ".join(WORDS[number % len(WORDS)] for number in range(100))
        result = measured(long_reading(), words, centred_spectra=True)
        assert result.spectra.sizes["component"] == WIDTH
        assert np.isfinite(result.spectra["centred"]).all()

    @pytest.mark.parametrize(("side", "factor"), [(6, 1), (6, 2), (7, 2), (10, 4)])
    def test_means_over_blocks(self, side: int, factor: int) -> None:
        matrix = np.random.default_rng(0).normal(size=(side, side))
        edges = range(0, side, factor)
        expected = [[matrix[i : i + factor, j : j + factor].mean() for j in edges] for i in edges]
        np.testing.assert_allclose(averaged(matrix, factor), expected)


def altered(name: str, path: str, value: float) -> LoadedModel:
    """The tiny model of a family with one parameter set to a value."""
    network = build(name)
    parameter = network.get_parameter(path)
    with torch.no_grad():
        parameter.fill_(value)
    return loaded(network)


class TestNonFinite:
    @pytest.mark.parametrize("value", [np.inf, np.nan])
    def test_one_point_is_marked_and_the_others_measured(self, value: float) -> None:
        clean = measured(tiny("gpt2"), SENTENCE)
        result = measured(altered("gpt2", "ln_f.weight", value), SENTENCE)
        for metric in result.metrics:
            curve = result.curves[metric].values[0]
            np.testing.assert_allclose(curve[:-1], clean.curves[metric].values[0, :-1], rtol=1e-4)
            assert np.isnan(curve[-1])
            (note,) = result.missing(metric, "final_norm")
            assert "infinite or not a number: 352 activations of 352" in note.reason
        assert np.isnan(result.spectra["raw"].sel(point="final_norm")).all()
        assert result.similarity is not None
        assert np.isnan(result.similarity.sel(point="final_norm")).all()
        assert result.missing("similarity", "final_norm")
        assert np.isfinite(result.similarity.sel(point="2")).all()
        (warning,) = [each for each in result.record.warnings if "Nothing is measured" in each]
        assert "the final norm" in warning

    def test_from_a_block_on_everything_is_marked(self) -> None:
        clean = measured(tiny("gpt2"), SENTENCE)
        result = measured(altered("gpt2", "h.1.mlp.c_proj.bias", np.nan), SENTENCE)
        finite = np.isfinite(result.curves["token_cosine"].values[0])
        assert finite.tolist() == [True, True, False, False, False]
        np.testing.assert_allclose(result.curves["mean_norm"][0, :2], clean.curves["mean_norm"][0, :2], rtol=1e-4)
        told = " ".join(result.record.warnings)
        assert all(place in told for place in ("block 1", "block 2", "the final norm"))
        assert "block 0" not in told

    def test_of_several_texts_the_right_one_is_named(self) -> None:
        model = altered_row("gpt2", "wte.weight", "moon", np.inf)
        result = measured(model, SENTENCE, SHORT)
        assert np.isfinite(result.curves["token_cosine"].values[0]).all()
        assert np.isnan(result.curves["token_cosine"].values[1]).all()
        broken = [each for each in result.record.warnings if "Nothing is measured" in each]
        assert len(broken) == LAYERS + 2
        assert all(each.startswith("Text 2: ") for each in broken)
        # The map is of the first text alone.
        assert not [note for note in result.notes if note.metric == "similarity"]

    def test_a_broken_classification_token_costs_only_what_needs_it(self) -> None:
        model = altered_row("gpt2", "wte.weight", "[CLS]", np.inf)
        states = measured(model, SENTENCE)
        (note,) = states.missing("cls_uniformity", "embedding")
        assert "infinite or not a number" in note.reason
        assert np.isfinite(states.curves["token_cosine"].sel(point="embedding")).all()
        assert np.isnan(states.curves["cls_uniformity"].sel(point="embedding")).all()


def altered_row(name: str, path: str, word: str, value: float, column: int | slice = slice(None)) -> LoadedModel:
    """The tiny model of a family with the embedding of one word set to a value."""
    network = build(name)
    with torch.no_grad():
        network.get_parameter(path)[tiny(name).tokenizer.convert_tokens_to_ids(word), column] = value
    return loaded(network)


class TestNoConvergence:
    def test_what_needs_the_spectrum_is_missing_and_the_rest_measured(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(_: object) -> None:
            raise np.linalg.LinAlgError

        monkeypatch.setattr(namespace(np.empty(1)).linalg, "eigvalsh", fails)
        result = measured(tiny("bert"), SENTENCE)
        assert np.isfinite(result.curves["token_cosine"]).all()
        assert np.isnan(result.curves["effective_rank"]).all()
        assert np.isnan(result.spectra["raw"]).all()
        assert "did not converge" in result.missing("spectrum", "0")[0].reason


class TestWithoutASpectrum:
    """Metrics that are not made of singular values do not pay for them."""

    def test_nothing_is_decomposed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(_: object) -> None:
            raise AssertionError("decomposed")

        monkeypatch.setattr("oversmooth.metrics.states.eigenvalues", fails)
        result = measured(tiny("bert"), SENTENCE, metrics=("token_cosine", "mean_norm"), similarity=False)
        assert np.isfinite(result.curves["token_cosine"]).all()
        assert result.metrics == ("token_cosine", "mean_norm")
        assert list(result.spectra) == ["floor"]
        assert result.activation_ratios is not None
        assert np.isfinite(result.activation_ratios).all()

    def test_centred_spectra_are_asked_for_by_themselves(self) -> None:
        result = measured(tiny("bert"), SENTENCE, metrics=("token_cosine",), centred_spectra=True)
        assert {"raw", "centred", "floor"} == set(result.spectra)


class TestOneToken:
    def test_what_needs_pairs_is_missing_with_the_reason_and_never_zero(self) -> None:
        result = measured(minilm(), "cat")
        undefined = {metric for metric in result.metrics if np.isnan(result.curves[metric]).all()}
        assert undefined >= PAIRS | {"distance_to_mean", "high_frequency_share", "dirichlet_energy"}
        for metric in PAIRS:
            for point in result.points:
                (note,) = result.missing(metric, point)
                assert note.reason == "needs at least two tokens"
        for metric in set(result.metrics) - undefined:
            assert np.isfinite(result.curves[metric]).all(), metric
            assert (result.curves[metric] != 0).all() or metric == "matrix_entropy", metric
        for metric in undefined:
            assert all(result.missing(metric, point) for point in result.points), metric

    def test_what_one_token_has_is_measured(self) -> None:
        result = measured(minilm(), "cat")
        for rank in ("effective_rank", "stable_rank", "participation_ratio", "numerical_rank"):
            np.testing.assert_allclose(result.curves[rank], 1.0)
        assert result.similarity is not None
        np.testing.assert_array_equal(result.similarity, 1.0)

    def test_it_joins_others_in_a_batch(self) -> None:
        result = measured(minilm(), SENTENCE, "cat")
        assert np.isfinite(result.curves["token_cosine"].values[0]).all()
        assert np.isnan(result.curves["token_cosine"].values[1]).all()
        assert {note.input for note in result.notes if note.metric == "token_cosine"} == {1}
        assert result.curve("token_cosine") == pytest.approx(
            measured(minilm(), SENTENCE).curve("token_cosine"), abs=1e-5
        )


@cache
def collapsed() -> Measurement:
    """A random BERT whose weights are so large that attention soon averages all tokens into one."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=99, hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=768,
        max_position_embeddings=64, initializer_range=0.1,
    )  # fmt: skip
    network = BertModel(config)
    network.train(False)
    return measured(loaded(network), " ".join(WORDS * 2))


class TestCollapse:
    """Over-smoothing as theory has it: exponential in depth, down to what float32 resolves and no further."""

    def test_tokens_grow_alike_within_four_blocks(self) -> None:
        cosine = collapsed().curves["token_cosine"].values[0]
        assert cosine[0] < 0.5
        assert (np.diff(cosine[:5]) > 0.01).all()
        assert (cosine[5:] > 0.99).all()

    def test_the_rank_falls_to_one(self) -> None:
        ranks = collapsed().curves["effective_rank"].values[0]
        assert ranks[0] > 30
        assert (np.diff(ranks[:8]) < 0).all()
        assert ranks[5:] == pytest.approx(1.0, abs=1.0)
        assert ranks[-1] == pytest.approx(1.0, abs=1e-3)

    def test_the_energy_that_differs_falls_exponentially(self) -> None:
        share = collapsed().curves["high_frequency_share"].values[0]
        steps = np.log(share[5:10] / share[4:9])
        assert (steps < np.log(0.2)).all()
        assert steps.std() < 0.2 * abs(steps.mean())

    def test_what_float32_does_not_resolve_is_marked(self) -> None:
        share = collapsed().curves["high_frequency_share"].values[0]
        for point, value in zip(collapsed().points, share, strict=True):
            below = value < 2.0**-36  # The square of 64 roundings of float32.
            assert bool(collapsed().missing("high_frequency_share", point, "unresolved")) == below, point
        (warning,) = collapsed().record.warnings
        assert warning.startswith("Below what a float32 pass resolves, and marked so: some metrics at ")
        assert "block 11" in warning
        assert "block 3" not in warning


def test_tokens_that_became_equal_are_marked_as_below_resolution() -> None:
    # The first block puts out the bias of its last norm for every token.
    result = measured(altered("bert", "encoder.layer.0.output.LayerNorm.weight", 0.0), SENTENCE)
    notes = result.missing("distance_to_mean", "0", "unresolved")
    assert len(notes) == 1
    assert "below what a float32 pass resolves; run with precision float64" in notes[0].reason
    assert not result.missing("distance_to_mean", "embedding", "unresolved")
    (warning,) = [each for each in result.record.warnings if "float32" in each]
    assert "block 0" in warning
    assert "the embedding" not in warning


class TestMassiveActivations:
    def test_they_are_told(self) -> None:
        model = altered_row("gpt2", "wte.weight", "moon", 1e5, column=3)
        result = measured(model, SHORT)
        (warning,) = [each for each in result.record.warnings if "Massive activations" in each]
        assert "first at the embedding" in warning
        ratio = float(result.curves["max_activation_ratio"].max())
        assert f"{ratio:,.0f} times the median" in warning

    def test_none_are_none(self) -> None:
        assert not [each for each in measured(tiny("gpt2"), SHORT).record.warnings if "Massive" in each]

    def test_they_are_told_whatever_was_asked_for(self) -> None:
        model = altered_row("gpt2", "wte.weight", "moon", 1e5, column=3)
        every, one = (measured(model, SHORT, **each) for each in ({}, {"metrics": ("token_cosine",)}))
        told, all_told = ([each for each in side.record.warnings if "Massive" in each] for side in (one, every))
        assert told == all_told != []
        assert "max_activation_ratio" not in one.curves
        assert one.activation_ratios is not None
        xr.testing.assert_equal(one.activation_ratios, every.curves["max_activation_ratio"].rename(None))


class TestMissingReasons:
    def test_no_classification_token(self) -> None:
        tokens = tokenizer()
        tokens.backend_tokenizer.post_processor = processors.TemplateProcessing(single="$A", special_tokens=[])
        result = measured(replace(tiny("gpt2"), tokenizer=tokens), SENTENCE)
        assert np.isnan(result.curves["cls_uniformity"]).all()
        for point in result.points:
            (note,) = result.missing("cls_uniformity", point)
            assert note.reason == "this tokenizer adds no [CLS] token"
        assert np.isfinite(result.curves["token_cosine"]).all()

    @pytest.mark.parametrize("name", ["bert", "gpt2", "llama"])
    def test_every_missing_number_has_its_reason(self, name: str) -> None:
        result = measured(tiny(name), SENTENCE, "cat", points="all")
        for metric in result.metrics:
            missing = np.argwhere(np.isnan(result.curves[metric].values))
            noted = {
                (note.input, note.point) for note in result.notes if (note.kind, note.metric) == ("missing", metric)
            }
            assert {(int(number), result.points[point]) for number, point in missing} == noted


class TestProgress:
    def test_every_point_of_every_text_is_counted(self) -> None:
        steps: list[Progress] = []
        measure(Settings.of(texts=(SENTENCE, SHORT)), model=tiny("gpt2"), report=steps.append)
        assert {step.stage for step in steps} == {"measure"}
        assert [step.done for step in steps] == [0, 2, 4, 6, 8, 10]
        assert {step.total for step in steps} == {10}
        assert [step.detail for step in steps][1:] == ["embedding", "0", "1", "2", "final_norm"]

    def test_long_batches_are_cut_and_still_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        texts = (SENTENCE, SHORT, MIDDLE, "sun")
        whole = measured(tiny("gpt2"), *texts)
        monkeypatch.setattr("oversmooth.models.inputs.BATCH_TOKENS", 12)
        steps: list[Progress] = []
        result = measure(Settings.of(texts=texts), model=tiny("gpt2"), report=steps.append)
        assert [step.done for step in steps] == sorted(step.done for step in steps)
        assert steps[-1].done == steps[-1].total == 20
        assert len(steps) > 1 + 2 * 5
        np.testing.assert_allclose(result.curves["mean_norm"], whole.curves["mean_norm"], rtol=1e-5)

    @pytest.mark.parametrize("at", ["embedding", "1", "final_norm"])
    def test_cancelling_leaves_nothing_behind(self, at: str) -> None:
        model = loaded(build("gpt2"))
        clean = measured(model, SENTENCE)

        def stop(progress: Progress) -> None:
            if progress.detail == at and progress.done:
                raise CancelledError("nobody waits")

        with pytest.raises(CancelledError, match="nobody waits"):
            measure(Settings.of(texts=(SENTENCE,)), model=model, report=stop)

        assert hooks(model) == 0
        assert model.lock.acquire(blocking=False)
        model.lock.release()
        assert measured(model, SENTENCE).curves.equals(clean.curves)


def test_threads_that_share_a_model_get_their_own_numbers() -> None:
    texts = (SENTENCE, SHORT, MIDDLE)
    alone = {text: measured(tiny("bert"), text) for text in texts}
    wrong: list[str] = []

    def work(text: str) -> None:
        for _ in range(4):
            result = measured(tiny("bert"), text)
            if not result.curves.equals(alone[text].curves) or result.tokens != alone[text].tokens:
                wrong.append(text)

    at_once(work, texts)
    assert wrong == []


def test_the_record_says_how_the_numbers_came_about() -> None:
    text = "the cat sat " * 30
    record = measured(minilm(), text, max_tokens=12).record
    assert record.model == minilm().record
    (entry,) = record.inputs
    assert entry.characters == len(text)
    assert entry.text_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert (entry.tokens, entry.measured) == (12, 10)
    assert (entry.tokens_left_out, entry.characters_left_out) == (92 - 12, 0)
    environment = record.environment
    assert environment.device == "cpu"
    assert environment.dtype == "float32"
    assert environment.attention == "sdpa"
    assert environment.threads == torch.get_num_threads()
    assert environment.libraries["torch"] == torch.__version__.split("+")[0] or environment.libraries["torch"]
    assert environment.libraries["transformers"] == transformers.__version__
    assert set(record.seconds) == {"load", "tokenise", "measure"}
    assert all(seconds >= 0 for seconds in record.seconds.values())
    assert any("12 of 92 tokens" in warning for warning in record.warnings)
    assert type(record).model_validate_json(record.to_json()) == record


def test_measuring_changes_nothing_in_the_model() -> None:
    model = loaded(build("bert"))
    before = copy.deepcopy(model.network.state_dict())
    measured(model, SENTENCE, points="all")
    assert hooks(model) == 0
    assert all(torch.equal(value, before[key]) for key, value in model.network.state_dict().items())


class TestEmbeddedModel:
    """all-MiniLM-L6-v2 against figures published with it."""

    def test_pooled_states_give_the_published_similarities(self) -> None:
        # Quick start of the Sentence Transformers documentation.
        sentences = ("The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium.")
        pooled = np.stack([states_of(minilm(), each)["5"].mean(axis=0) for each in sentences])
        pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
        first, second, third = pooled
        assert [first @ second, first @ third, second @ third] == pytest.approx([0.6660, 0.1046, 0.1411], abs=5e-4)

    def test_tokens_of_a_sentence_grow_alike(self) -> None:
        text = (
            "Over-smoothing means that the representations of all tokens in a sequence become more and more alike as "
            "they pass through the layers of a deep transformer."
        )
        result = measured(minilm(), text)
        assert result.points == ("embedding", "0", "1", "2", "3", "4", "5")
        cosine = result.curves["token_cosine"].values[0]
        assert cosine[0] < 0.15
        assert cosine[-1] > 0.25
        assert (np.diff(cosine) > 0).all()
        assert result.curves["effective_rank"].values[0, -1] < result.curves["effective_rank"].values[0, 0]
        stable = result.curves["stable_rank"].values[0]
        assert stable[-1] < 0.5 * stable[0]
        assert result.record.warnings == ()


def test_a_loaded_model_of_another_name_than_the_settings_is_refused(tmp_path: Path) -> None:
    for name, family in (("one", "bert"), ("other", "roberta")):
        build(family).save_pretrained(tmp_path / name)
        tokenizer().save_pretrained(tmp_path / name)
    model = load(tmp_path / "one", device="cpu")
    named = Settings.of(texts=SENTENCE, model=str(tmp_path / "other"), metrics=["token_cosine"])
    with pytest.raises(ModelError, match=r"The settings name the model .*other”, and the one that was given is .*one”"):
        measure(named, model=model)
    expected = measure(Settings.of(texts=SENTENCE, metrics=["token_cosine"]), model=model).curves
    for spelling in (tmp_path / "one", f"{tmp_path}/one/", f"{tmp_path}/other/../one"):
        settings = Settings.of(texts=SENTENCE, model=spelling, metrics=["token_cosine"])
        assert measure(settings, model=model).curves.equals(expected)
        assert not compare(settings, ["no_skip"], model=model).failures
    assert not compare(Settings.of(texts=SENTENCE, metrics=["token_cosine"]), ["no_skip"], model=model).failures


def test_a_loaded_model_of_another_revision_than_the_settings_is_refused() -> None:
    named = Settings.of(texts=SENTENCE, revision="v2", metrics=["token_cosine"])
    with pytest.raises(ModelError, match="name the revision “v2”"):
        measure(named, model=minilm())
    model = replace(minilm(), record=minilm().record.model_copy(update={"revision": "v2"}))
    assert measure(named, model=model).curves["token_cosine"].shape[0] == 1
