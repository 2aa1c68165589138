"""One side of a comparison beside the other, from settings to numbers."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from families import LAYERS, build
from numpy.typing import NDArray
from reference import fidelity as reference
from tiny import loaded, minilm

from oversmooth import metrics
from oversmooth.core.errors import CancelledError, MitigationError
from oversmooth.core.progress import Progress
from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.measured_rows import Place
from oversmooth.measuring.measuring import measure
from oversmooth.measuring.mitigating import mitigated
from oversmooth.measuring.retrieval import Retrieval
from oversmooth.metrics import TokenStates
from oversmooth.mitigations import parse
from oversmooth.models.loaded import LoadedModel
from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings

FIRST = "the cat sat on the mat and the dog saw rain"
SECOND = "a cat and the river saw the sun"
THIRD = "stone house door key"
BESIDE = ("cka_to_baseline", "pooled_cosine_to_baseline", "lsds")
RETRIEVAL = "token_identity_retrieval"
FAMILIES = ["bert", "gpt2", "llama", "deberta"]


def fresh(family: str) -> LoadedModel:
    """A tiny model that keeps nothing of other tests, with weights large enough that changes show."""
    network = build(family)
    torch.manual_seed(1)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return loaded(network)


def side(model: LoadedModel, *texts: str, mitigations: str | tuple[str, ...] = (), **options: Any) -> Measurement:
    settings = Settings.of(texts=texts or (FIRST,), mitigations=mitigations, fidelity=True, **options)
    return measure(settings, model=model)


def block_outputs(model: LoadedModel, text: str, specification: str = "") -> list[NDArray[np.float64]]:
    """The measured tokens at the outputs of the blocks, by hooks of the test's own."""
    found = []
    hooks = [
        block.register_forward_hook(
            lambda _, __, output: found.append((output[0] if isinstance(output, tuple) else output)[0, 1:-1])
        )
        for block in model.anatomy.blocks
    ]
    ids = torch.tensor([model.tokenizer(text)["input_ids"]])
    with torch.inference_mode(), Intervention(model, parse(specification) if specification else ()).active():
        model.network(ids)
    for hook in hooks:
        hook.remove()
    return [each.numpy().astype(np.float64) for each in found]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("points", ["blocks", "all"])
def test_a_neutral_mitigation_is_the_baseline(family: str, points: str) -> None:
    model = fresh(family)
    base = side(model, points=points)
    same = side(model, points=points, mitigations="attnscale:omega=0")
    assert base.metrics == (*metrics.usual_names(), RETRIEVAL)
    assert same.metrics == (*metrics.usual_names(), *BESIDE, RETRIEVAL)
    for name in BESIDE:
        np.testing.assert_allclose(same.curves[name], 1.0, atol=1e-12, err_msg=name)
    np.testing.assert_array_equal(same.curves[RETRIEVAL], base.curves[RETRIEVAL])
    assert not same.record.warnings


@pytest.mark.parametrize("family", FAMILIES)
def test_numbers_are_those_of_the_states_of_both_sides(family: str) -> None:
    model = fresh(family)
    result = side(model, FIRST, SECOND, mitigations="attnscale:omega=2,layers=1-2")
    for number, text in enumerate((FIRST, SECOND)):
        before, after = block_outputs(model, text), block_outputs(model, text, "attnscale:omega=2,layers=1-2")
        for block in range(LAYERS):
            at = result.curves.isel(input=number).sel(point=str(block))
            # Batches are padded and rounded otherwise than a text alone.
            for name, compute in (("cka_to_baseline", reference.cka), ("lsds", reference.lsds)):
                expected = compute(after[block], before[block])
                assert float(at[name]) == pytest.approx(expected, rel=1e-4), (name, block)
            pooled = reference.pooled_cosine(after[block], before[block])
            assert float(at["pooled_cosine_to_baseline"]) == pytest.approx(pooled, rel=1e-5)
    assert float(result.curves["cka_to_baseline"].sel(point="0").min()) == pytest.approx(1.0, abs=1e-9)
    assert float(result.curves["cka_to_baseline"].sel(point="2").max()) < 0.9999


def test_a_point_is_set_against_the_same_point_and_fusion_against_the_last_block() -> None:
    model = fresh("bert")
    result = side(model, mitigations="fusion:mode=mean")
    for name in BESIDE:
        np.testing.assert_allclose(result.curves[name].sel(point=["embedding", "0", "1", "2"]), 1.0, atol=1e-12)
    blocks = block_outputs(model, FIRST)
    found = result.curves.sel(point="fusion").isel(input=0)
    assert float(found["cka_to_baseline"]) == pytest.approx(
        reference.cka(np.mean(blocks, axis=0), blocks[-1]), rel=1e-5
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_numbers_whether_or_not_the_baseline_is_kept(family: str) -> None:
    texts = (FIRST, SECOND, THIRD)
    kept, alone = fresh(family), fresh(family)
    side(kept, *texts)
    steps: list[Progress] = []
    settings = Settings.of(texts=texts, mitigations="attnscale:omega=1", fidelity=True)
    first = measure(settings, model=kept, report=steps.append)
    assert sum(step.detail == "embedding" and step.done == 0 for step in steps) == 1  # It ran once.
    second = measure(settings, model=alone)
    assert first.curves.equals(second.curves)
    assert first.notes == second.notes
    # What was run for one variant serves the next.
    steps.clear()
    measure(settings.model_copy(update={"mitigations": ("pairnorm",)}), model=alone, report=steps.append)
    assert sum(step.detail == "embedding" and step.done == 0 for step in steps) == 1


@pytest.mark.parametrize(
    "other", [{"special_tokens": True}, {"max_tokens": 6}, {"points": "all"}, {"texts": (SECOND,)}], ids=str
)
def test_a_baseline_of_other_states_is_another_one(other: dict[str, Any]) -> None:
    model = fresh("bert")
    side(model)
    settings = Settings.of(**{"texts": (FIRST,), "mitigations": "attnscale:omega=1", "fidelity": True, **other})
    found, expected = measure(settings, model=model), measure(settings, model=fresh("bert"))
    assert found.curves.equals(expected.curves)


def test_other_metrics_share_the_baseline() -> None:
    model = fresh("bert")
    side(model, metrics="mean_norm", similarity=False)
    kept = model.references.currsize
    side(model, mitigations="attnscale:omega=1")
    assert model.references.currsize == kept


def test_a_model_changed_under_the_same_settings_keeps_its_own() -> None:
    model = fresh("bert")
    side(model)
    other = dataclasses.replace(model)
    assert other.references is not model.references


def test_a_cancelled_baseline_is_not_kept() -> None:
    model = fresh("bert")

    def cancel(progress: Progress) -> None:
        if progress.detail == "1":
            raise CancelledError("nobody waits")

    with pytest.raises(CancelledError):
        measure(Settings.of(texts=FIRST, fidelity=True), model=model, report=cancel)
    with pytest.raises(CancelledError):
        measure(Settings.of(texts=FIRST, fidelity=True, mitigations="pairnorm"), model=model, report=cancel)
    assert len(model.references) == 0
    assert model.mitigated_by == []
    assert np.isfinite(side(model, mitigations="pairnorm").curves["lsds"]).all()


def test_a_model_mitigated_from_outside_is_no_side_of_a_comparison() -> None:
    model = fresh("bert")
    with mitigated(model, *parse("attnscale:omega=1")), pytest.raises(MitigationError, match="already mitigated"):
        side(model)
    assert len(model.references) == 0


def test_texts_beyond_the_memory_are_not_compared_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # Eleven tokens at four points: Gram matrix, ten neighbours with their weights, mean token.
    need = 4 * (4 * 11**2 + 11 * 10 * (8 + 8) + 8 * 32)
    monkeypatch.setattr("oversmooth.measuring.fidelity.REFERENCE_BYTES", need - 1)
    result = side(fresh("bert"), SECOND, FIRST, THIRD, mitigations="attnscale:omega=1")
    assert np.isfinite(result.curves["cka_to_baseline"].values).all(axis=1).tolist() == [True, False, True]
    (note,) = [each for each in result.missing("lsds", "1") if each.input == 1]
    assert note.reason.startswith("what is kept of the baseline of this text would take it beyond")
    assert "1 text of 3 not compared with the baseline" in " ".join(result.record.warnings)
    assert np.isfinite(result.curves[RETRIEVAL].values[1]).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_states_that_are_not_numbers_cost_what_rests_on_them(value: float) -> None:
    network = build("gpt2")
    with torch.no_grad():
        network.get_parameter("ln_f.weight").fill_(value)
    result = side(loaded(network), FIRST, SECOND, mitigations="pairnorm")
    for name in (*BESIDE, RETRIEVAL):
        assert np.isfinite(result.curves[name].values[:, :-1]).all()
        assert np.isnan(result.curves[name].values[:, -1]).all()
        (first, second) = result.missing(name, "final_norm")
        assert (first.input, second.input) == (0, 1)
        assert "infinite or not a number" in first.reason


def test_a_broken_baseline_beside_a_sound_variant_is_told() -> None:
    network = build("bert")
    with torch.no_grad():
        network.get_parameter("encoder.layer.2.output.dense.bias").fill_(np.inf)
    model = loaded(network)
    side(model)
    sound = side(model, mitigations="no_mlp:layers=2")
    assert np.isfinite(sound.curves["mean_norm"].sel(point="2")).all()
    (note,) = sound.missing("lsds", "2")
    assert note.reason == "the states of the baseline are infinite or not a number"


class TestRetrieval:
    def expected(self, model: LoadedModel, *texts: str) -> NDArray[np.float64]:
        states = [block_outputs(model, text) for text in texts]
        identities = [model.tokenizer(text)["input_ids"][1:-1] for text in texts]
        shares = [reference.identity_retrieval([each[block] for each in states], identities) for block in range(LAYERS)]
        return np.array(shares).T

    @pytest.mark.parametrize("texts", [(FIRST,), (FIRST, SECOND), (FIRST, THIRD, SECOND)], ids=len)
    @pytest.mark.parametrize("batch", [4096, 12])
    def test_it_is_that_of_a_search(self, texts: tuple[str, ...], batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("oversmooth.models.inputs.BATCH_TOKENS", batch)
        model = fresh("llama")
        found = side(model, *texts).curves[RETRIEVAL].sel(point=["0", "1", "2"])
        np.testing.assert_allclose(found, self.expected(model, *texts))

    def test_states_are_its_own_once_they_are_handed_over(self) -> None:
        identities = np.arange(6)
        first, second = (np.random.default_rng(seed).normal(size=(1, 6, 12)).astype(np.float32) for seed in (0, 1))
        second += 3 * first
        shares = []
        for changed in (False, True):
            search, buffer = Retrieval([identities, identities], points=1, dimension=12), first.copy()
            states = TokenStates(buffer)
            _ = states.cosine_gaps
            assert search.take(Place(0, "0"), states) == []
            if changed:
                buffer[:] = buffer[:, ::-1]
            shares.append([each.value for each in search.take(Place(1, "0"), TokenStates(second))])
        assert shares[0] == shares[1] == [1.0, 1.0]

    def test_where_no_word_piece_recurs_there_is_a_reason(self) -> None:
        alone = side(fresh("bert"), THIRD)
        assert "give several texts" in alone.missing(RETRIEVAL, "1")[0].reason
        apart = side(fresh("bert"), FIRST, THIRD)
        assert np.isnan(apart.curves[RETRIEVAL]).all()
        assert {note.reason for note in apart.missing(RETRIEVAL, "1")} == {
            "no word piece of this text occurs in another one"
        }

    def test_texts_beyond_the_limit_are_left_out_and_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("oversmooth.measuring.retrieval.TOKENS", 20)
        model = fresh("bert")
        result = side(model, FIRST, SECOND, "the cat")
        curve = result.curves[RETRIEVAL].sel(point=["0", "1", "2"])
        np.testing.assert_allclose(curve[[0, 1]], self.expected(model, FIRST, SECOND))
        assert np.isnan(curve[2]).all()
        assert "does not fit into a search of at most 20 tokens" in result.missing(RETRIEVAL, "1")[0].reason
        assert "Token identity is searched for in 2 texts of 3: in at most 20 tokens." in result.record.warnings

    def test_a_text_that_just_fits_is_searched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        model = fresh("bert")
        tokens = sum(len(model.tokenizer(text)["input_ids"]) - 2 for text in (FIRST, SECOND))
        monkeypatch.setattr("oversmooth.measuring.retrieval.TOKENS", tokens)
        curve = side(model, FIRST, SECOND).curves[RETRIEVAL].sel(point=["0", "1", "2"])
        np.testing.assert_allclose(curve, self.expected(model, FIRST, SECOND))

    def test_where_one_text_alone_fits_there_is_nothing_to_search(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("oversmooth.measuring.retrieval.TOKENS", 9)
        result = side(fresh("bert"), FIRST, SECOND)
        reasons = {note.input: note.reason for note in result.missing(RETRIEVAL, "1")}
        assert "does not fit" in reasons[0]
        assert reasons[1] == "there are no states of another text to search"


def test_minilm_keeps_words_apart_from_noise() -> None:
    texts = (
        "The cat sat on the mat while it rained.",
        "A dog and a cat were on the mat.",
        "It rained while the dog sat by the door.",
    )
    model = minilm()
    base = side(model, *texts, similarity=False)
    noisy = side(model, *texts, similarity=False, mitigations="noise:ratio=2")
    last = {"point": "5"}
    assert float(base.curves[RETRIEVAL].sel(last).mean()) > 0.9
    assert float(noisy.curves[RETRIEVAL].sel(last).mean()) < 0.8
    assert float(noisy.curves["cka_to_baseline"].sel(last).max()) < 0.9
    assert float(noisy.curves["lsds"].sel(last).mean()) > 1.02
