from __future__ import annotations

import math
import re
import statistics

import numpy as np
import pytest
import torch
from families import LAYERS, build
from tiny import minilm, tiny

from oversmooth.core.errors import UndefinedError
from oversmooth.metrics.mechanisms.norms import norm_gains, token_deviations
from oversmooth.models.anatomy import dissect
from oversmooth.models.families.declaration import _REGISTRY


def test_deviations_are_what_a_norm_divides_each_token_by() -> None:
    states = np.random.default_rng(0).normal(2.0, 3.0, size=(6, 11)).astype(np.float32)
    rows = states.astype(np.float64).tolist()
    deviations = token_deviations(states, "LayerNorm")
    assert deviations.tolist() == pytest.approx([statistics.pstdev(row) for row in rows], rel=1e-12)
    squares = token_deviations(states, "RMSNorm")
    assert squares.tolist() == pytest.approx([math.hypot(*row) / math.sqrt(11) for row in rows], rel=1e-12)
    for norm, found in ((torch.nn.LayerNorm(11, eps=0), deviations), (torch.nn.RMSNorm(11, eps=1e-30), squares)):
        tokens = torch.from_numpy(states)
        centred = tokens - tokens.mean(dim=1, keepdim=True) if found is deviations else tokens
        np.testing.assert_allclose(centred.numpy() / found[:, None], norm(tokens).detach().numpy(), rtol=1e-4)
    assert np.isnan(token_deviations(states, "none")).all()


def test_a_large_offset_does_not_drown_the_deviation() -> None:
    states = (1e4 + np.random.default_rng(0).normal(size=(3, 64))).astype(np.float32)
    expected = [statistics.pstdev(row) for row in states.astype(np.float64).tolist()]
    assert token_deviations(states, "LayerNorm").tolist() == pytest.approx(expected, rel=1e-10)


def test_gains_are_told_of_each_layer_and_norm() -> None:
    network = build("bert")
    anatomy = dissect(network)
    norm = anatomy.sub_layers["mlp"][1]
    with torch.no_grad():
        norm.get_parameter("weight").copy_(torch.linspace(-2.0, 1.0, 32))
    found = {(each.layer, each.norm): each for each in norm_gains(anatomy)}
    assert list(found) == [(layer, branch) for layer in range(LAYERS) for branch in ("attention", "mlp")]
    changed = found[1, "mlp"]
    assert (changed.kind, changed.negative) == ("LayerNorm", 21 / 32)
    assert changed.largest == pytest.approx(2.0, rel=1e-4)


def test_minilm_turns_signs_in_its_last_norm_alone() -> None:
    negative = [each.negative for each in norm_gains(minilm().anatomy)]
    assert negative == [0.0] * 11 + [3 / 384]


def test_a_block_without_a_norm_has_no_gains() -> None:
    first = norm_gains(tiny("modernbert").anatomy)[0]
    assert (first.layer, first.norm, first.kind) == (0, "attention", "none")
    assert np.isnan([first.negative, first.largest]).all()


def test_a_family_that_is_not_known_is_refused_with_what_exists_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(_REGISTRY._items, "bert")
    network = build("bert")
    with pytest.raises(UndefinedError, match=re.escape("not known for the family “bert”")):
        norm_gains(dissect(network))
