"""What holds for every method in every family: neutral values change nothing, nothing stays, padding and batch mates
do not count, and the future stays hidden where the method says so."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pytest
import torch
from methods_at_work import LENGTHS, PRESETS, REFUSED, batch, calibrated, model_of
from torch import Tensor, nn

from oversmooth.core.errors import MitigationError
from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.intervention.run import ACTIVE
from oversmooth.mitigations import Mitigation, get
from oversmooth.models.loaded import LoadedModel

FAMILIES = ("bert", "albert", "roberta", "distilbert", "gpt2", "llama", "gpt_neox", "deberta")
CAUSAL = ("gpt2", "llama", "gpt_neox")

CALIBRATED = {"dgn": "its groups and their statistics", "all_but_the_top": "its mean and its directions"}
"""Declared as leaking the future because of what they are calibrated on; given that, they act token by token."""

AT = 5


@cache
def state_of(family: str) -> dict[str, Tensor]:
    """Its weights before anything acted on it."""
    return {key: value.clone() for key, value in model_of(family).network.state_dict().items()}


def one(number: int, *, padding: int = 0) -> dict[str, Tensor]:
    """One of the texts."""
    alone = {name: tensor[number : number + 1, : LENGTHS[number]] for name, tensor in batch().items()}
    return {name: nn.functional.pad(tensor, (0, padding)) for name, tensor in alone.items()}


@torch.inference_mode()
def run(model: LoadedModel, methods: tuple[Mitigation, ...], *inputs: dict[str, Tensor]) -> list[Tensor]:
    """The last states of each input, and behind them those of the read-out where there is one."""
    intervention = Intervention(model, methods, calibrated(model))
    states = []
    with intervention.active():
        for each in inputs:
            last = model.anatomy.network(**each).last_hidden_state
            states.append(last if intervention.read_out is None else torch.cat([last, intervention.fused()], dim=-1))
    return states


@cache
def baseline(family: str) -> Tensor:
    return run(model_of(family), (), batch())[0]


def neutral(method: type[Mitigation]) -> Mitigation:
    values = {name: each.neutral for name, each in method.parameters().items() if each.neutral is not None}
    return method(**values) if values else method(layers=())


CARRIED = [(label, family) for label in PRESETS for family in FAMILIES if (label, family) not in REFUSED]
EVERY = pytest.mark.parametrize(("label", "family"), CARRIED)


@pytest.mark.parametrize(("label", "family"), REFUSED)
def test_refusals_are_those_that_are_meant_and_told_in_a_sentence(label: str, family: str) -> None:
    with pytest.raises(MitigationError) as told:
        run(model_of(family), (PRESETS[label],), batch())
    name = PRESETS[label].declaration.name
    assert str(told.value) == f"{name}: {REFUSED[label, family].format(family)}"


@pytest.mark.parametrize(
    ("name", "family"), [(name, family) for name, family in CARRIED if name == PRESETS[name].declaration.name]
)
def test_neutral_values_give_the_baseline_bit_for_bit(name: str, family: str) -> None:
    model = model_of(family)
    nowhere = [] if name == "fusion" else [get(name)(layers=())]  # A fusion of no block is refused.
    for method in (neutral(get(name)), *nowhere):
        states = run(model, (method,), batch())[0]
        assert torch.equal(states[..., : model.anatomy.hidden_size], baseline(family)), method


@dataclass(frozen=True)
class Outcome:
    """What a method makes of several inputs, and what it leaves behind."""

    together: Tensor
    alone: list[Tensor]
    padded: Tensor
    """The second text with padding beside it."""
    changed: Tensor
    """The first text with another token at ``AT``."""
    before: Tensor
    after: Tensor
    """The last states of the model as it is, of all texts."""


@cache
def outcome(label: str, family: str) -> Outcome:
    model, numbers = model_of(family), range(len(LENGTHS))
    state_of(family)
    other = one(0)["input_ids"].clone()
    other[0, AT] += 1
    with torch.inference_mode():
        before = model.anatomy.network(**batch()).last_hidden_state
    together, padded, changed, *alone = run(
        model,
        (PRESETS[label],),
        batch(),
        one(1, padding=3),
        {**one(0), "input_ids": other},
        *(one(number) for number in numbers),
    )
    with torch.inference_mode():
        after = model.anatomy.network(**batch()).last_hidden_state
    return Outcome(together, alone, padded, changed, before, after)


@EVERY
def test_after_it_the_model_is_what_it_was(label: str, family: str) -> None:
    model, found = model_of(family), outcome(label, family)
    assert torch.equal(found.before, found.after)
    kept = state_of(family)
    assert all(torch.equal(value, kept[key]) for key, value in model.network.state_dict().items())
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in model.network.modules())
    assert ACTIVE.get() is None
    assert model.mitigated_by == []


@EVERY
def test_padding_and_batch_mates_change_no_token(label: str, family: str) -> None:
    found = outcome(label, family)
    for number, length in enumerate(LENGTHS):
        same(found.together[number, :length], found.alone[number][0])
    same(found.padded[0, : LENGTHS[1]], found.alone[1][0])


def same(states: Tensor, expected: Tensor) -> None:
    # Other shapes are added up in another order; some methods make much of a small difference.
    assert torch.isfinite(states).all()
    torch.testing.assert_close(states, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize(("label", "family"), [each for each in CARRIED if each[1] in CAUSAL])
def test_earlier_tokens_are_blind_to_later_ones_where_the_method_says_so(label: str, family: str) -> None:
    if PRESETS[label].declaration.causal_safe:
        assert leak(label, family) < 1e-6


@pytest.mark.parametrize("label", [label for label, each in PRESETS.items() if not each.declaration.causal_safe])
def test_methods_that_say_they_leak_the_future_do(label: str) -> None:
    leaks = [leak(label, family) for family in CAUSAL if (label, family) not in REFUSED]
    if PRESETS[label].declaration.name in CALIBRATED:
        assert max(leaks) < 1e-6
    else:
        assert max(leaks) > 1e-3


def leak(label: str, family: str) -> float:
    """Largest change of the tokens before the one that is changed, in units of the largest state."""
    first, second = outcome(label, family).alone[0], outcome(label, family).changed
    assert not torch.equal(first[:, AT:], second[:, AT:])
    return float((first - second)[:, :AT].abs().max() / first.abs().max())


@EVERY
def test_its_values_make_a_difference(label: str, family: str) -> None:
    alone, tokens = baseline(family), batch()["attention_mask"].bool()
    states, width = outcome(label, family).together, alone.shape[-1]
    if PRESETS[label].declaration.name == "fusion":  # A read-out changes nothing in the model; it adds a state.
        assert torch.equal(states[..., :width], alone)
        states = states[..., width:]
    change = (states[..., :width] - alone)[tokens].abs().max() / alone.abs().max()
    assert change > 5e-4
