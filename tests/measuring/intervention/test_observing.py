"""Attention is seen of the one pass that was announced, and of no other."""

from __future__ import annotations

import re

import pytest
import torch
import xarray as xr
from families import LAYERS
from tiny import tiny, with_head
from torch import Tensor

from oversmooth import Settings, measure
from oversmooth.core.progress import silent
from oversmooth.measuring.explaining import Explainer
from oversmooth.measuring.forward_passes import run_passes
from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.intervention.observing import See
from oversmooth.measuring.preparing import encoded, prepare
from oversmooth.models.loaded import LoadedModel
from oversmooth.results.explanation import Explanation

TEXTS = ("the cat sat on the mat and the dog saw rain", "sun", "moon and tree", "bird sky river", "rain sun moon tree")


def run(model: LoadedModel, tokens: int = 5) -> None:
    with torch.inference_mode():
        model.anatomy.network(torch.full((2, tokens), 7), attention_mask=torch.ones(2, tokens, dtype=torch.long))


def to(seen: list[int]) -> See:
    def see(_: int, attention: Tensor) -> None:
        seen.append(attention.shape[-1])

    return see


@pytest.mark.parametrize("family", ["bert", "gpt2", "deberta"])
def test_passes_that_nobody_announced_are_not_seen(family: str) -> None:
    model, seen = tiny(family), list[int]()
    intervention = Intervention(model, (), watched=True)
    with intervention.active():
        run(model, 3)
        with intervention.seen_by(to(seen)):
            run(model, 5)
            run(model, 6)
        run(model, 7)
    with intervention.active():
        run(model, 8)
    assert seen == [5] * LAYERS


def test_an_observer_that_somebody_kept_is_told_nothing_after_its_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    model, seen, kept = tiny("bert"), list[int](), list[See]()
    intervention = Intervention(model, (), watched=True)
    take = type(intervention._announced).take

    def keep(announcement: object) -> See | None:
        see = take(announcement)  # type: ignore[arg-type]
        assert see is not None
        kept.append(see)
        return see

    monkeypatch.setattr(type(intervention._announced), "take", keep)
    with intervention.active(), intervention.seen_by(to(seen)):
        run(model)
    with pytest.raises(RuntimeError, match="nobody announced"):
        kept[0](0, torch.ones(2, 4, 5, 5))
    assert len(seen) == LAYERS


def test_what_is_announced_is_run_once_and_by_one_that_is_watched() -> None:
    intervention = Intervention(tiny("bert"), (), watched=True)
    with intervention.active(), pytest.raises(RuntimeError, match="not run"), intervention.seen_by(to([])):
        pass
    with (
        intervention.active(),
        pytest.raises(RuntimeError, match="announced already"),
        intervention.seen_by(to([])),
        intervention.seen_by(to([])),
    ):
        pass
    with pytest.raises(RuntimeError, match="watched"):
        Intervention(tiny("bert"), ()).seen_by(to([]))


def test_a_pass_that_failed_leaves_no_announcement_behind() -> None:
    model, seen = tiny("bert"), list[int]()
    intervention = Intervention(model, (), watched=True)
    with intervention.active():
        with pytest.raises(ZeroDivisionError), intervention.seen_by(to(seen)):
            raise ZeroDivisionError
        run(model)
    assert seen == []


def test_attention_of_other_texts_than_those_announced_is_refused() -> None:

    model = tiny("bert")
    texts = encoded(TEXTS, model, max_tokens=64, special_tokens=False)
    run = prepare(Settings.of(texts=TEXTS, explanation=True), model, texts)
    explainer = Explainer(run)
    with pytest.raises(RuntimeError, match=re.escape("(2, 4, 3, 3)")):
        explainer.watch([0, 1])(0, torch.ones(2, 4, 3, 3))
    with pytest.raises(RuntimeError, match=re.escape("(3, 4, 13, 13)")):
        explainer.watch([0, 1])(0, torch.ones(3, 4, 13, 13))
    with pytest.raises(RuntimeError, match="watched"):
        run_passes(run.baseline(), run.resolution(), lambda *_: None, silent, explainer.watch)


@pytest.mark.parametrize("mitigations", [(), ("no_diagonal",)])
@pytest.mark.parametrize("family", ["bert", "gpt2", "deberta", "llama"])
@pytest.mark.parametrize("texts", [TEXTS, TEXTS[:1], TEXTS[1:4]])
def test_the_loss_leaves_an_explanation_as_it_is_to_the_last_bit(
    family: str, texts: tuple[str, ...], mitigations: tuple[str, ...]
) -> None:
    model = with_head(family)
    settings = Settings.of(texts=texts, explanation=True, metrics="mean_norm", mitigations=mitigations)
    alone = measure(settings, model=model).explanation
    beside = measure(settings.model_copy(update={"language_model": True}), model=model)
    assert float(beside.outputs["language_model_loss"].max()) > 0
    assert alone is not None
    assert alone.attention
    same(beside.explanation, alone)


def same(found: Explanation | None, expected: Explanation) -> None:
    assert found is not None
    assert found.reasons == expected.reasons
    for name, value in vars(expected).items():
        if isinstance(value, xr.Dataset):
            xr.testing.assert_identical(getattr(found, name), value)
