"""Calibrated methods see the tokens of the texts in the unchanged model, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from families import LAYERS, VOCABULARY, WIDTH
from tiny import tiny
from torch import Tensor

from oversmooth.core.errors import CancelledError
from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.mitigating import Sampler
from oversmooth.mitigations import parse


def batch(lengths: tuple[int, ...], seed: int) -> dict[str, Tensor]:
    ids = torch.randint(5, VOCABULARY, (len(lengths), max(lengths)), generator=torch.Generator().manual_seed(seed))
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    return {"input_ids": ids * mask, "attention_mask": mask}


@pytest.mark.parametrize("family", ["bert", "albert", "gpt2", "deberta", "xlnet"])
def test_tokens_of_all_batches_without_padding(family: str) -> None:
    anatomy = tiny(family).anatomy
    batches = [batch((7, 4), 0), batch((5,), 1)]
    sampler = Sampler(anatomy, batches)
    for layer in (1, 0):
        expected: list[Tensor] = []
        for each in batches:
            with torch.inference_mode():
                states = anatomy.network(**each, output_hidden_states=True).hidden_states[layer + 1]
            expected += [row[: int(mask.sum())] for row, mask in zip(states, each["attention_mask"], strict=True)]
        assert torch.equal(sampler(layer), torch.cat(expected))
    assert sampler(LAYERS - 1).shape == (16, WIDTH)


def test_the_model_runs_only_when_asked_and_only_once() -> None:
    runs = 0

    def batches() -> Iterator[dict[str, Tensor]]:
        nonlocal runs
        runs += 1
        yield batch((5,), 0)

    model = tiny("bert")
    sampler = Sampler(model.anatomy, batches())
    with Intervention(model, parse("pairnorm"), sampler).active():
        pass
    assert runs == 0
    first = sampler(0)
    assert torch.equal(sampler(0), first)
    assert not torch.equal(sampler(1), first)
    assert runs == 1


def test_a_run_that_was_cut_short_is_not_taken_for_the_whole() -> None:
    def batches() -> Iterator[dict[str, Tensor]]:
        yield batch((5,), 0)
        raise CancelledError("Stopped.")

    sampler = Sampler(tiny("bert").anatomy, batches())
    with pytest.raises(CancelledError):
        sampler(0)
    with pytest.raises(KeyError):  # The batches are used up: there is nothing, rather than half of it.
        sampler(0)
