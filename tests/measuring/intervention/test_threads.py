"""Several threads on one shared model: what one does to it, no other sees."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import numpy as np
import pytest
import torch
from concurrency import at_once
from families import VOCABULARY
from tiny import TEXT, tiny
from torch import Tensor

from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.intervention.run import ACTIVE
from oversmooth.measuring.measuring import measure
from oversmooth.mitigations import parse
from oversmooth.mitigations.pairnorm import PairNorm
from oversmooth.mitigations.sites import StatesPlace
from oversmooth.models.loaded import LoadedModel
from oversmooth.results.settings import Settings

SETS = (
    "",
    "attnscale:omega=0.5",
    "attnscale:omega=-0.5",
    "neutreno:strength=0.4",
    "pairnorm",
    "softdecay:blend=1",
    "noise:ratio=0.5",
    "pairnorm:scale=2+gfsa",
)
ROUNDS = 4


def inputs() -> dict[str, Tensor]:
    ids = torch.randint(5, VOCABULARY, (2, 7), generator=torch.Generator().manual_seed(1))
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


@torch.inference_mode()
def states_of(model: LoadedModel) -> Tensor:
    states: Tensor = model.anatomy.network(**inputs()).last_hidden_state
    return states


def mitigated(model: LoadedModel, text: str) -> Tensor:
    with Intervention(model, parse(text) if text else ()).active():
        return states_of(model)


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_eight_threads_with_different_mitigations_give_the_sequential_numbers(family: str) -> None:
    model = tiny(family)
    expected = {text: mitigated(model, text) for text in SETS}
    assert len({tuple(states.flatten().tolist()) for states in expected.values()}) == len(SETS)
    wrong: list[str] = []
    start = threading.Barrier(len(SETS))

    def work(text: str) -> None:
        start.wait(60)
        for _ in range(ROUNDS):
            if not torch.equal(mitigated(model, text), expected[text]):
                wrong.append(text)

    at_once(work, SETS)
    assert wrong == []
    assert model.mitigated_by == []


def test_eight_measurements_at_once_give_the_sequential_numbers() -> None:
    model = tiny("bert")
    settings = [
        Settings.of(texts=TEXT, mitigations=text, fidelity=True) if text else Settings.of(texts=TEXT) for text in SETS
    ]
    expected = [measure(each, model=model) for each in settings]
    with ThreadPoolExecutor(len(settings)) as pool:
        found = list(pool.map(lambda each: measure(each, model=model), settings))
    for one, other, each in zip(expected, found, settings, strict=True):
        assert other.record.mitigations == each.mitigations
        assert list(one.curves) == list(other.curves)
        for name in one.curves:
            np.testing.assert_array_equal(other.curves[name], one.curves[name], err_msg=f"{each.mitigations} {name}")


@pytest.mark.parametrize("family", ["bert", "albert", "deberta"])
def test_a_plain_pass_beside_an_active_intervention_is_not_touched(family: str) -> None:
    model = tiny(family)
    plain = mitigated(model, "")  # The kernel of the comparison, which the model has for that long.
    found: list[Tensor] = []
    with Intervention(model, parse("attnscale:omega=0.5+pairnorm")).active():
        changed = states_of(model)
        at_once(lambda _: found.append(states_of(model)), [0])
        assert torch.equal(states_of(model), changed)
    assert torch.equal(found[0], plain)
    assert not torch.equal(changed, plain)


def test_a_plain_pass_in_the_middle_of_a_mitigated_one_touches_neither() -> None:
    model = tiny("bert")
    plain, found = mitigated(model, ""), []

    class Waiting(PairNorm):
        def _normalise(self, states: Tensor, place: StatesPlace) -> Tensor:
            if place.layer == 1 and place.sequence == 0:
                at_once(lambda _: found.append(states_of(model)), [0])
                assert ACTIVE.get() is not None
            return super()._normalise(states, place)

    expected = mitigated(model, "pairnorm")
    with Intervention(model, [Waiting()]).active():
        assert torch.equal(states_of(model), expected)
    assert torch.equal(found[0], plain)


def test_work_handed_to_a_thread_with_its_context_is_mitigated() -> None:
    model = tiny("bert")
    expected = mitigated(model, "pairnorm")
    found: list[Tensor] = []
    with Intervention(model, parse("pairnorm")).active():
        context = copy_context()
        at_once(lambda _: found.append(context.run(states_of, model)), [0])
    assert torch.equal(found[0], expected)
