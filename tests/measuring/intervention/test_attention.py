"""Our attention function, with nothing attached, is each family's own eager attention, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from families import FAMILIES, VOCABULARY
from tiny import loaded, tiny
from torch import Tensor
from transformers import AutoModel, PreTrainedModel
from transformers.models.gpt_oss import GptOssConfig

from oversmooth.core.errors import MitigationError
from oversmooth.measuring.intervention import Intervention
from oversmooth.measuring.intervention.attention import NAME, allowed, attention, faithful
from oversmooth.mitigations import parse
from oversmooth.mitigations.attnscale import AttnScale

REACHABLE = [name for name, family in FAMILIES.items() if family.attention_reachable and not family.image]


@contextmanager
def kernel(network: PreTrainedModel, name: str) -> Iterator[None]:
    before = network.config._attn_implementation
    network.set_attn_implementation(name)
    try:
        yield
    finally:
        network.set_attn_implementation(before)


def ids(texts: int, tokens: int) -> Tensor:
    return torch.randint(5, VOCABULARY, (texts, tokens), generator=torch.Generator().manual_seed(1))


def mask_of(kind: str, shape: torch.Size) -> Tensor | None:
    if kind == "none":
        return None
    mask = torch.ones(shape, dtype=torch.long)
    if kind == "right":
        mask[1, 5:] = 0
    if kind == "left":
        mask[1, :4] = 0
    return mask


@pytest.mark.parametrize("padding", ["none", "all ones", "right", "left"])
@pytest.mark.parametrize("name", REACHABLE)
def test_it_is_eager_attention(name: str, padding: str) -> None:
    network = tiny(name).anatomy.network
    tokens = ids(3, 20)  # More than the window of the families that have one.
    inputs = {"input_ids": tokens, "attention_mask": mask_of(padding, tokens.shape)}
    states: list[Tensor] = []
    for implementation in ("eager", NAME):
        with kernel(network, implementation), torch.inference_mode():
            states.append(network(**inputs).last_hidden_state)
    assert torch.equal(*states)
    assert faithful(network)


@pytest.mark.parametrize("name", REACHABLE)
def test_it_is_eager_attention_with_changes_that_change_nothing(name: str) -> None:
    model, tokens = tiny(name), ids(3, 20)
    inputs = {"input_ids": tokens, "attention_mask": mask_of("right", tokens.shape)}
    states: list[Tensor] = []
    for methods in ((), (AttnScale(omega=0),), (AttnScale(omega=0.5, heads=()),)):
        with Intervention(model, methods).active(), torch.inference_mode():
            states.append(model.anatomy.network(**inputs).last_hidden_state)
    assert torch.equal(states[0], states[1])
    assert torch.equal(states[0], states[2])


def test_its_numbers_are_those_of_the_formula() -> None:
    draw = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(2, heads, 5, 4, generator=draw) for heads in (4, 2, 2))
    mask = torch.zeros(2, 1, 5, 5).masked_fill(torch.ones(5, 5).triu(1).bool(), torch.finfo(torch.float32).min)
    mixed, probabilities = attention(torch.nn.Identity(), query, key, value, mask)

    for sequence in range(2):
        for head in range(4):
            logits = query[sequence, head] @ key[sequence, head // 2].T / 2  # √4, two heads to each key head.
            for row in range(5):
                weights = torch.exp(logits[row, : row + 1] - logits[row, : row + 1].max())
                weights /= weights.sum()
                torch.testing.assert_close(probabilities[sequence, head, row, : row + 1], weights)
                assert torch.equal(probabilities[sequence, head, row, row + 1 :], torch.zeros(4 - row))
                expected = weights @ value[sequence, head // 2, : row + 1]
                torch.testing.assert_close(mixed[sequence, row, head], expected)


def test_what_a_query_may_see() -> None:
    like = torch.zeros(2, 4, 3, 3)
    assert allowed(None, like).all()
    lowest, minus_infinity = torch.finfo(torch.float32).min, -torch.inf
    mask = torch.tensor([[0.0, lowest, minus_infinity], [-5.0, 0.0, lowest], [0.0, 0.0, 0.0]]).expand(2, 1, 3, 3)
    assert allowed(mask, like)[0, 0].tolist() == [[True, False, False], [True, True, False], [True, True, True]]


def test_attention_matrices_can_still_be_asked_for() -> None:
    model, tokens = tiny("bert"), ids(2, 6)
    with Intervention(model, parse("attnscale:omega=-1")).active(), torch.inference_mode():
        attentions = model.network(input_ids=tokens, output_attentions=True).attentions
    assert len(attentions) == 3
    for matrix in attentions:  # AttnScale of −1 leaves the uniform attention alone.
        torch.testing.assert_close(matrix, torch.full((2, 4, 6, 6), 1 / 6))


def test_a_family_whose_attention_is_more_than_ours_is_not_touched() -> None:
    # Its attention has a learned sink beside the keys.
    config = GptOssConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        intermediate_size=32,
        num_local_experts=2,
        num_experts_per_tok=1,
        pad_token_id=0,
        eos_token_id=1,
    )
    torch.manual_seed(0)
    network = AutoModel.from_config(config, attn_implementation="eager")
    network.train(False)
    model = loaded(network)
    assert not faithful(network)
    active = Intervention(model, parse("pairnorm+attnscale")).active()
    with pytest.raises(MitigationError) as told, active:
        pass
    assert str(told.value) == (
        "attnscale: the attention of the family “gpt_oss” computes something else than Oversmooth would in its place, "
        "so it is not changed."
    )
    assert network.config._attn_implementation == "eager"
    assert model.mitigated_by == []
    with Intervention(model, parse("pairnorm")).active():  # Outputs of blocks are within reach all the same.
        network(input_ids=ids(1, 4))
