"""The fallback for families that ignore transformers' attention interface: their softmax is caught."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from families import FAMILIES, LAYERS, VOCABULARY
from tiny import tiny
from torch import Tensor

from oversmooth.core.errors import MitigationError
from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.intervention.run import ACTIVE
from oversmooth.mitigations import parse
from oversmooth.mitigations.attnscale import AttnScale
from oversmooth.mitigations.sites import AttentionPlace, Sites

UNREACHABLE = [name for name, family in FAMILIES.items() if not family.attention_reachable]


def inputs(tokens: int = 7) -> dict[str, Tensor]:
    ids = torch.randint(5, VOCABULARY, (2, tokens), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    return {"input_ids": ids, "attention_mask": mask}


class Watching(AttnScale):
    """Notes what it is shown."""

    seen: ClassVar[list[tuple[int, Tensor, Tensor]]]

    def attach(self, sites: Sites) -> None:
        object.__setattr__(self, "seen", [])
        super().attach(sites)

    def _scale(self, attention: Tensor, place: AttentionPlace) -> Tensor:
        self.seen.append((place.layer, attention, place.allowed))
        return super()._scale(attention, place)


@pytest.mark.parametrize("name", UNREACHABLE)
def test_every_layer_is_reached_once_with_its_true_attention(name: str) -> None:
    model, method = tiny(name), Watching(omega=0)
    with torch.inference_mode():
        with Intervention(model, ()).active():
            alone = model.anatomy.network(**inputs()).last_hidden_state
        with Intervention(model, (method,)).active():
            states = model.anatomy.network(**inputs()).last_hidden_state
    assert torch.equal(states, alone)
    assert [layer for layer, _, _ in method.seen] == list(range(LAYERS))
    for _, attention, allowed in method.seen:
        rows = allowed[1, :, :5].expand_as(attention[1, :, :5])
        assert not rows[..., 5:].any()  # Padding is not to be seen,
        assert rows[..., 0].all()  # the first token is by all,
        assert rows[..., 4, :5].all()  # and the last one sees all.
        assert bool(rows[..., 0, 1].any()) != model.anatomy.causal
        torch.testing.assert_close(attention.sum(dim=-1), torch.ones_like(attention[..., 0]))
        assert attention[1, :, :5].masked_select(~rows).abs().sum() == 0


@pytest.mark.parametrize("name", UNREACHABLE)
def test_a_change_takes_place_and_nothing_stays(name: str) -> None:
    model = tiny(name)
    with torch.inference_mode():
        alone = model.anatomy.network(**inputs()).last_hidden_state
        with Intervention(model, parse("attnscale:omega=-1")).active():
            changed = model.anatomy.network(**inputs()).last_hidden_state
        again = model.anatomy.network(**inputs()).last_hidden_state
    assert not torch.equal(changed, alone)
    assert torch.equal(again, alone)


@pytest.mark.parametrize("name", UNREACHABLE)
def test_values_are_out_of_reach(name: str) -> None:
    with pytest.raises(MitigationError) as told:
        Intervention(tiny(name), parse("value_residual"))
    assert str(told.value) == (
        f"value_residual: in the family “{name}” attention can be changed at its softmax only, not where the values "
        "are mixed."
    )


def test_other_softmaxes_are_left_alone() -> None:
    model = tiny("deberta")
    square = torch.randn(1, 4, 7, 7, generator=torch.Generator().manual_seed(0))
    expected = square.softmax(dim=-1)
    with Intervention(model, parse("attnscale:omega=-1")).active():
        assert torch.equal(square.softmax(dim=-1), expected)
        model.anatomy.network(**inputs())
        assert torch.equal(torch.softmax(square, -1), expected)
        assert ACTIVE.get() is None


def test_two_models_of_such_families_in_one_thread_keep_apart() -> None:
    first, second = tiny("deberta"), tiny("mpnet")
    expected: list[Tensor] = []
    with torch.inference_mode():
        for model, text in ((first, "attnscale:omega=0.5"), (second, "attnscale:omega=-0.5")):
            with Intervention(model, parse(text)).active():
                expected.append(model.anatomy.network(**inputs()).last_hidden_state)
        with (
            Intervention(first, parse("attnscale:omega=0.5")).active(),
            Intervention(second, parse("attnscale:omega=-0.5")).active(),
        ):
            states = [model.anatomy.network(**inputs()).last_hidden_state for model in (first, second)]
    assert all(map(torch.equal, states, expected))
