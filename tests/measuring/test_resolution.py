"""What a float32 pass does not resolve is marked and ranks nothing; what is not marked agrees with float64."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from families import build
from tiny import TEXT, loaded, minilm, tiny
from transformers import AutoModel, BertConfig, GPT2Config, LlamaConfig, PreTrainedConfig, PreTrainedModel

from oversmooth import compare
from oversmooth.core.errors import MitigationError
from oversmooth.measuring.measured_rows import MeasuredRows
from oversmooth.measuring.measuring import measure
from oversmooth.measuring.resolution import Resolution
from oversmooth.metrics import all_metrics, usual_names
from oversmooth.models import double
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import load
from oversmooth.report.findings import headline
from oversmooth.report.findings.changes import changes
from oversmooth.report.findings.collapse import collapsed_by
from oversmooth.report.findings.mechanisms import contractions
from oversmooth.results.contraction import contraction
from oversmooth.results.gains import branch_gains
from oversmooth.results.measurement import Measurement, Note
from oversmooth.results.settings import Settings
from oversmooth.results.waterfall import steps

CAT = "The cat sat on the mat and looked at the rain."
TEXTS = (TEXT, "moon tree bird the cat sat on river sky", "the cat sat on mat")
DIRECTED = ("token_cosine", "token_cosine_centred", "cls_uniformity", "cka_to_baseline", "pooled_cosine_to_baseline")
COUNTED = "token_identity_retrieval"
METHODS = [
    (),
    ("no_skip",),
    ("no_skip", "pairnorm"),
    ("no_skip", "high_frequency_gain:gain=1"),
    ("no_skip", "softdecay"),
    ("no_norm",),
]


def both(network: PreTrainedModel) -> tuple[LoadedModel, LoadedModel]:
    """A network in float32 and in float64."""
    network.train(False)
    precise = copy.deepcopy(network)
    double.double(precise)
    return loaded(network), loaded(precise)


def random(config: Callable[..., PreTrainedConfig], **sizes: int) -> PreTrainedModel:
    torch.manual_seed(0)
    made: PreTrainedModel = AutoModel.from_config(
        config(vocab_size=99, initializer_range=0.1, bos_token_id=1, eos_token_id=2, pad_token_id=0, **sizes)
    )
    return made


@cache
def pair(name: str) -> tuple[LoadedModel, LoadedModel]:
    if name == "deep bert":
        return both(
            random(
                BertConfig, hidden_size=64, num_hidden_layers=24, num_attention_heads=4, intermediate_size=256,
                max_position_embeddings=64,
            )
        )  # fmt: skip
    if name == "deep gpt2":
        return both(random(GPT2Config, n_embd=64, n_layer=12, n_head=4, n_positions=64))
    if name == "deep llama":
        return both(
            random(LlamaConfig, hidden_size=64, num_hidden_layers=12, num_attention_heads=4, intermediate_size=256)
        )
    return both(build(name))


def disagreements(single: Measurement, precise: Measurement) -> list[str]:
    """Unmarked numbers that are not those of the float64 pass."""
    found = []
    for name in single.metrics:
        known, right = single.resolved(name).values, precise.curves[name].values
        with np.errstate(invalid="ignore"):
            allowed = 0.02 if name in DIRECTED else 1e-9 if name == COUNTED else 0.1 * np.abs(right)
            wrong = np.abs(known - right) > allowed
        found += [
            f"{name} at {single.points[point]} of text {text}: {known[text, point]:.6g}, right {right[text, point]:.6g}"
            for text, point in np.argwhere(wrong)
        ]
    return found


@pytest.mark.parametrize("methods", METHODS, ids=lambda methods: "+".join(methods) or "plain")
@pytest.mark.parametrize(
    "name", ["bert", "albert", "electra", "gpt2", "llama", "t5", "bloom", "deep bert", "deep gpt2", "deep llama"]
)
def test_what_is_not_marked_agrees_with_float64(name: str, methods: tuple[str, ...]) -> None:
    if name.startswith("deep") and methods != ():
        methods = ("no_skip",)  # Others enlarge any difference from block to block, until no digit is left.
    single, precise = pair(name)
    settings = Settings.of(texts=TEXTS, points="all", mitigations=methods, fidelity=True, similarity=False)
    try:
        ours = measure(settings, model=single)
    except MitigationError:
        return
    right = measure(settings.model_copy(update={"precision": "float64"}), model=precise)
    assert disagreements(ours, right) == []


@cache
def collapsed(precision: str = "float32", **fields: bool) -> Measurement:
    settings = Settings.of(texts=CAT, mitigations="no_skip", points="branches", precision=precision, **fields)
    return measure(settings, model=minilm() if precision == "float32" else minilm_in_float64())


@cache
def minilm_in_float64() -> LoadedModel:
    return load("all-MiniLM-L6-v2", device="cpu", precision="float64")


class TestACollapse:
    """MiniLM without its residual stream: every block draws the tokens together by more than the last."""

    def test_is_marked_where_float32_ends(self) -> None:
        single, precise = collapsed(), collapsed("float64")
        residual = ("distance_to_mean", "high_frequency_share", "dirichlet_energy")
        for metric in (*residual, "rbf_distance", "matrix_entropy"):
            assert single.missing(metric, "5", "unresolved"), metric
            assert not single.missing(metric, "1", "unresolved"), metric
        (note,) = single.missing("distance_to_mean", "5", "unresolved")
        assert "below what a float32 pass resolves; run with precision float64" in note.reason
        # What stood there was noise.
        assert single.curve("distance_to_mean")["5"] > 1e3 * precise.curve("distance_to_mean")["5"]
        assert disagreements(single, precise) == []

    def test_is_marked_in_float64_where_that_ends(self) -> None:
        assert not collapsed("float64").missing("distance_to_mean", "3", "unresolved")
        (note,) = collapsed("float64").missing("distance_to_mean", "5", "unresolved")
        assert note.reason == "the value lies below what a float64 pass resolves"

    def test_the_next_block_draws_them_together_to_one_vector(self) -> None:
        precise = collapsed("float64")
        assert precise.curve("distance_to_mean")["5"] <= 3e-14
        ratio = precise.curve("distance_to_mean")["5"] / precise.curve("distance_to_mean")["4"]
        assert ratio <= 3e-9
        # Float32 has a ratio of 0.5 there, and float64 the smallest that it resolves a block before.
        assert contraction(collapsed())[0].tolist()[:4] == pytest.approx(contraction(precise)[0].tolist()[:4], rel=1e-3)
        found = contractions(explained("float64"))
        assert found is not None
        assert (found.low_layer, found.layers) == (4, 5)
        assert found.low < 1e-4

    def test_has_no_contraction_below(self) -> None:
        for measured in (contraction(collapsed())[0], explained().explanation.bound["contraction"].values[0]):  # type: ignore[union-attr]
            assert np.isfinite(measured[:2]).all()
            assert math.isnan(measured[5])
        assert explained().explanation is not None
        assert "precision float64" in explained().explanation.reasons["bound"]  # type: ignore[union-attr]
        found = contractions(explained())
        assert found is not None
        assert {found.low_layer, found.high_layer} <= {0, 1, 2, 3}

    def test_has_no_gains_and_no_steps_below(self) -> None:
        gains = branch_gains(collapsed())["rest_stream"].isel(input=0)
        assert gains.sel(layer=5).isnull().all()
        assert gains.sel(layer=0).notnull().all()
        for step in steps(collapsed(), "distance_to_mean", "blocks"):
            if step.block == 5:
                assert math.isnan(step.change)
                assert "nothing resolved at block" in step.reason

    def test_names_no_block_by_noise(self) -> None:
        settings = Settings.of(texts=CAT, mitigations="no_skip", metrics=["high_frequency_share"])
        measured = measure(settings, model=minilm())
        sentence = headline(measured)
        (change,) = changes(measured, ["high_frequency_share"])
        assert not measured.missing("high_frequency_share", change.last_point, "unresolved")
        assert change.last_point in {"2", "3"}
        assert "Below resolution at" in sentence
        assert "run with precision float64" in sentence
        assert collapsed_by(measured) is not None


@cache
def explained(precision: str = "float32") -> Measurement:
    settings = Settings.of(texts=CAT, mitigations="no_skip", explanation=True, precision=precision)
    return measure(settings, model=minilm() if precision == "float32" else minilm_in_float64())


class TestADeepCollapse:
    """A random BERT of 12 blocks with large weights."""

    @staticmethod
    @cache
    def measured(precision: str) -> Measurement:
        single, precise = both(
            random(BertConfig, hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=768)
        )
        settings = Settings.of(texts=CAT, precision=precision)
        return measure(settings, model=single if precision == "float32" else precise)

    def test_goes_on_in_float64_and_is_marked_in_float32(self) -> None:
        single, precise = (self.measured(each) for each in ("float32", "float64"))
        shares = precise.curve("high_frequency_share")
        assert shares["11"] < 1e-15
        assert shares["11"] < 0.2 * shares["10"] < 0.04 * shares["9"]
        assert not precise.missing("high_frequency_share", "11", "unresolved")
        assert single.curve("high_frequency_share")["11"] > 100 * shares["11"]
        assert single.missing("high_frequency_share", "11", "unresolved")
        assert disagreements(single, precise) == []

    def test_has_no_recovery_of_rank(self) -> None:
        # What comes after the last resolved value is rounding; steps by it are none.
        single = self.measured("float32")
        found = [step for step in steps(single, "distance_to_mean", "blocks") if step.block == 11]
        assert all(math.isnan(step.change) for step in found)
        ranks = self.measured("float64").curves["effective_rank"].values[0][6:]
        assert (np.diff(ranks) <= 1e-12).all()
        known = single.resolved("effective_rank").values[0]
        assert known[np.isfinite(known)][-1] == pytest.approx(1.0, abs=1e-3)


def test_nothing_resolved_is_a_sentence() -> None:
    found = measure(Settings.of(texts=CAT, metrics=["distance_to_mean"]), model=tiny("llama"))
    notes = tuple(Note("unresolved", 0, point, "distance_to_mean", "a reason") for point in found.points)
    sentence = headline(replace(found, notes=notes))
    assert sentence.startswith("Distance to the mean token has no resolved value. Below resolution at")
    assert sentence.endswith("a reason.")


def test_a_comparison_is_not_ranked_by_noise() -> None:
    found = compare(Settings.of(texts=CAT, device="cpu"), ["no_skip", "no_skip+no_mlp"], model=minilm())
    for label in found.variants:
        point, _ = found.largest("high_frequency_share", label) or ("", 0.0)
        assert not found.variants[label].missing("high_frequency_share", point, "unresolved")


def test_every_metric_says_when_it_is_not_resolved() -> None:
    assert [metric.name for metric in all_metrics() if metric.resolved is None] == []
    settings = Settings.of(texts="moon tree bird the cat sat on river sky", mitigations="no_skip+pairnorm")
    single = measure(settings, model=pair("distilbert")[0])
    # Noise that a method has scaled up to the size of the tokens.
    assert {note.metric for note in single.notes if note.kind == "unresolved" and note.point == "2"} == set(
        usual_names()
    )
    assert "which may be all they differ by" in single.missing("token_cosine", "2", "unresolved")[0].reason


class TestFollowing:
    """Floors by hand: two tokens at points of a network with norms before its branches, in float32."""

    USUAL = 2.0**-18

    @staticmethod
    def floors(*states: tuple[str, float, float]) -> list[float]:
        """After points with tokens of a length that differ by so much."""
        resolution = Resolution([MeasuredRows(np.arange(2), None, np.arange(2))], np.dtype(np.float32), post_norm=False)
        found = []
        for point, length, apart in states:
            resolution.see([0], point, np.array([[[length, apart], [length, -apart]]], dtype=np.float32))
            found.append(float(resolution.of([0], point)[0]))
        return found

    def test_tokens_that_always_differ_have_the_usual_floor(self) -> None:
        assert self.floors(("embedding", 1, 1), ("0", 1, 0.1), ("1", 1, 1)) == [self.USUAL] * 3

    def test_the_fusion_of_all_blocks_has_the_highest_floor_of_them(self) -> None:
        collapse = [("embedding", 1.0, 1.0), ("0", 1.0, 1e-7), ("1", 0.01, 1.0), ("2", 1e3, 1e3)]
        floors = self.floors(*collapse, ("fusion", 1.0, 1.0))
        assert floors[-1] == max(floors[1:-1]) > self.USUAL

    def test_what_grows_of_a_collapse_has_a_floor_as_high_as_itself(self) -> None:
        usual, alike, apart = self.floors(("embedding", 1, 1), ("0", 1, 1e-7), ("1", 0.01, 1))
        assert (usual, alike) == (self.USUAL, self.USUAL)
        assert apart == pytest.approx(2.0, rel=1e-3)

    def test_a_small_sum_keeps_the_rounding_of_its_terms(self) -> None:
        _, floor = self.floors(("embedding", 1000, 1), ("0", 1, 1))
        assert floor == pytest.approx(1000 * self.USUAL / 2**0.5, rel=1e-3)

    def test_equal_tokens_at_the_start_have_lost_nothing(self) -> None:
        assert self.floors(("embedding", 1, 0), ("0", 1, 0.1), ("1", 1, 1)) == [self.USUAL] * 3
