"""The loss of a model's own head, against its logits read with loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from families import FAMILIES
from numpy.typing import NDArray
from tiny import beneath, head, loaded, tiny, tokenizer, with_head

from oversmooth.core.errors import CancelledError
from oversmooth.core.progress import Progress, sentence
from oversmooth.measuring.measuring import measure
from oversmooth.measuring.mitigating import mitigated
from oversmooth.mitigations import get
from oversmooth.models.loaded import LoadedModel
from oversmooth.results.measurement import Measurement
from oversmooth.results.settings import Settings

SENTENCE = "the cat sat on the mat and the dog saw rain"
SHORT = "sun and moon"
HEADS = ["bert", "albert", "roberta", "distilbert", "electra", "deberta", "mpnet", "modernbert", "convbert"]
HEADS += ["gpt2", "gpt_neox", "llama", "gemma2", "bloom", "falcon", "phi"]
CAUSAL = [name for name in HEADS if FAMILIES[name].causal]


def scored(model: LoadedModel, *texts: str, **options: Any) -> Measurement:
    return measure(Settings.of(texts=texts, language_model=True, metrics="mean_norm", **options), model=model)


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = logits.astype(np.float64)
    wide = wide - wide.max()
    found: NDArray[np.float64] = wide - math.log(np.exp(wide).sum())
    return found


def predictions(model: LoadedModel, text: str, special_tokens: bool = False) -> list[tuple[NDArray[np.float64], int]]:
    """Log-probabilities and the right word, one pass a token and no batch."""
    assert model.language_model is not None
    ids = model.tokenizer(text)["input_ids"]
    places = range(len(ids)) if special_tokens else range(1, len(ids) - 1)
    found = []
    for place in places:
        read = list(ids)
        if model.prediction == "masked":
            read[place] = model.tokenizer.mask_token_id
        elif place == 0:
            continue
        with torch.inference_mode():
            logits = model.language_model(torch.tensor([read])).logits[0].numpy()
        found.append((log_softmax(logits[place if model.prediction == "masked" else place - 1]), ids[place]))
    return found


def loss(model: LoadedModel, text: str, special_tokens: bool = False) -> float:
    return float(np.mean([-log[answer] for log, answer in predictions(model, text, special_tokens)]))


@pytest.mark.parametrize("name", HEADS)
def test_the_loss_is_that_of_the_logits(name: str) -> None:
    model = with_head(name)
    result = scored(model, SENTENCE, SHORT)
    found = result.outputs["language_model_loss"]
    assert found.dims == ("input",)
    assert found.values == pytest.approx([loss(model, SENTENCE), loss(model, SHORT)], rel=1e-5)
    # Random weights this large say something: a uniform guess would give ln 99.
    assert abs(found.values - math.log(99)).max() > 0.1
    assert set(result.outputs.data_vars) == {"language_model_loss"}
    assert not [note for note in result.notes if note.point == "output"]
    assert "loss" in result.record.seconds


@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_special_tokens_are_predicted_where_they_count(name: str) -> None:
    model = with_head(name)
    found = scored(model, SENTENCE, special_tokens=True).outputs["language_model_loss"]
    assert float(found[0]) == pytest.approx(loss(model, SENTENCE, special_tokens=True), rel=1e-5)


def test_nothing_is_computed_where_it_is_not_asked_for() -> None:
    result = measure(Settings.of(texts=SENTENCE), model=with_head("gpt2"))
    assert not result.outputs.data_vars
    assert "loss" not in result.record.seconds


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama", "deberta"])
class TestDivergence:
    def variant(self, model: LoadedModel, specification: str, *texts: str) -> Measurement:
        return scored(model, *(texts or (SENTENCE, SHORT)), fidelity=True, mitigations=specification)

    def test_it_is_that_of_the_logits(self, name: str) -> None:
        model, specification = with_head(name), "attnscale:omega=1.5"
        found = self.variant(model, specification).outputs
        for number, text in enumerate((SENTENCE, SHORT)):
            before = predictions(model, text)
            with mitigated(model, get("attnscale")(omega=1.5)):  # type: ignore[call-arg]
                after = predictions(model, text)
            expected = [np.sum(np.exp(p) * (p - q)) for (p, _), (q, _) in zip(before, after, strict=True)]
            assert float(found["output_kl"][number]) == pytest.approx(np.mean(expected), rel=1e-3)
            losses = [-log[answer] for log, answer in after]
            assert float(found["language_model_loss"][number]) == pytest.approx(np.mean(losses), rel=1e-5)
            assert np.mean(expected) > 1e-5

    def test_a_neutral_mitigation_moves_nothing(self, name: str) -> None:
        model = with_head(name)
        base = scored(model, SENTENCE, SHORT, fidelity=True).outputs
        neutral = self.variant(model, "attnscale:omega=0")
        assert not [note for note in neutral.notes if note.metric == "output_kl"]
        found = neutral.outputs
        assert found["output_kl"].values.tolist() == [0.0, 0.0]
        np.testing.assert_array_equal(found["language_model_loss"], base["language_model_loss"])
        assert "output_kl" not in base

    def test_what_rounding_may_have_made_is_marked(self, name: str) -> None:
        slight, plain = (self.variant(with_head(name), f"attnscale:omega={omega}") for omega in (1e-6, 1e-2))
        notes = [note for note in slight.notes if note.metric == "output_kl"]
        assert [(note.kind, note.input) for note in notes] == [("unresolved", 0), ("unresolved", 1)]
        assert notes[0].reason == "the value lies below what a float32 pass resolves; run with precision float64"
        assert not [note for note in plain.notes if note.metric == "output_kl"]

    def test_the_same_whether_the_baseline_is_kept_run_again_or_too_large(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alone = self.variant(with_head(name), "attnscale:omega=1.5").outputs
        model = with_head(name)
        scored(model, SENTENCE, SHORT, fidelity=True)
        kept = model.references.currsize
        assert self.variant(model, "attnscale:omega=1.5").outputs.equals(alone)
        assert model.references.currsize == kept
        monkeypatch.setattr("oversmooth.measuring.language_model.REFERENCE_BYTES", 0)
        model = with_head(name)
        assert self.variant(model, "attnscale:omega=1.5").outputs.equals(alone)
        assert model.references.currsize < kept

    def test_the_same_in_small_batches(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = self.variant(with_head(name), "attnscale:omega=1.5").outputs
        monkeypatch.setattr("oversmooth.models.inputs.BATCH_TOKENS", 16)
        monkeypatch.setattr("oversmooth.measuring.language_model.DOUBLES", 200)
        small = self.variant(with_head(name), "attnscale:omega=1.5").outputs
        for each in ("language_model_loss", "output_kl"):
            np.testing.assert_allclose(small[each], whole[each], rtol=1e-4)


class TestUndefined:
    def reasons(self, result: Measurement) -> set[str]:
        assert all(np.isnan(each).all() for each in result.outputs.values())
        notes = [note for note in result.notes if note.point == "output"]
        assert {note.metric for note in notes} == set(result.outputs.data_vars)
        assert {note.kind for note in notes} == {"missing"}
        return {note.reason for note in notes}

    def test_without_a_head(self) -> None:
        (reason,) = self.reasons(scored(tiny("bert"), SENTENCE, SHORT))
        assert reason == "this checkpoint has no language-model head that can be used"

    def test_of_an_encoder_decoder(self) -> None:
        (reason,) = self.reasons(scored(tiny("t5"), SENTENCE))
        assert "only the encoder is run" in reason

    def test_without_a_mask_token(self) -> None:
        (reason,) = self.reasons(scored(beneath(head("bert"), "masked", tokenizer()), SENTENCE))
        assert "no mask token" in reason

    @pytest.mark.parametrize("name", CAUSAL[:2])
    def test_of_a_set_that_lets_the_future_in(self, name: str) -> None:
        model = with_head(name)
        result = scored(model, SENTENCE, fidelity=True, mitigations="attnscale:omega=0.5+pairnorm")
        (reason,) = self.reasons(result)
        assert reason.startswith("“pairnorm” lets later tokens into the states of earlier ones")
        assert set(result.outputs.data_vars) == {"language_model_loss", "output_kl"}
        with mitigated(model, get("pairnorm")()):
            assert self.reasons(scored(model, SENTENCE)) == {reason}
        assert np.isfinite(scored(model, SENTENCE).outputs["language_model_loss"]).all()

    def test_a_masked_model_may_see_all(self) -> None:
        result = scored(with_head("bert"), SENTENCE, fidelity=True, mitigations="pairnorm")
        assert (result.outputs["output_kl"] > 0).all()

    def test_a_single_token_has_none_before_it(self) -> None:
        model = with_head("gpt2")
        bare = tokenizer()
        bare.backend_tokenizer.post_processor = None
        model = loaded(model.network, bare, model.language_model, "causal")
        result = scored(model, "cat", SENTENCE)
        assert np.isnan(result.outputs["language_model_loss"][0])
        assert np.isfinite(result.outputs["language_model_loss"][1])
        (note,) = [note for note in result.notes if note.point == "output"]
        assert (note.input, note.reason) == (0, "no token of this text has one before it to be predicted from")

    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_predictions_that_are_not_numbers_are_told(self, value: float) -> None:
        model = with_head("gpt2")
        # A copy: the head's matrix is the embedding's, which must stay.
        matrix = model.network.get_parameter("wte.weight").detach().clone()
        matrix[5] = value
        assert model.language_model is not None
        model.language_model.get_submodule("lm_head").weight = torch.nn.Parameter(matrix)
        result = scored(model, SENTENCE)
        assert self.reasons(result) == {"the predictions of the head are infinite or not a number"}
        assert np.isfinite(result.curves["mean_norm"]).all()
        assert [each for each in result.record.warnings if each.startswith("No loss is given: ")]


def test_fusion_reads_out_and_leaves_the_output_as_it_is() -> None:
    result = scored(with_head("gpt2"), SENTENCE, fidelity=True, mitigations="fusion")
    assert result.outputs["output_kl"].values.tolist() == [0.0]


@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_progress_is_told_and_can_cancel(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oversmooth.models.inputs.BATCH_TOKENS", 20)
    steps: list[Progress] = []
    model = with_head(name)
    measure(Settings.of(texts=(SENTENCE, SHORT), language_model=True), model=model, report=steps.append)
    told = [step for step in steps if step.stage == "loss"]
    assert (told[0].done, told[-1].done) == (0, 11 + 3)
    assert len(told) > 2
    assert {step.total for step in told} == {14}
    assert sentence(told[1]) == f"Measuring the loss ({told[1].done} of 14) …"

    def cancel(progress: Progress) -> None:
        if progress.stage == "loss" and progress.done:
            raise CancelledError("nobody waits")

    hooks = [len(each._forward_hooks) for each in model.network.modules()]
    with pytest.raises(CancelledError):
        measure(Settings.of(texts=(SENTENCE, SHORT), language_model=True), model=model, report=cancel)
    assert [len(each._forward_hooks) for each in model.network.modules()] == hooks
