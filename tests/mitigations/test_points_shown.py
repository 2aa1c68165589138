"""What a point shows under a method is what the network itself goes on with, seen inside the modules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from methods_at_work import PRESETS, REFUSED, batch, calibrated, model_of
from torch import Tensor, nn

from oversmooth.core import points
from oversmooth.measuring.intervention import Intervention
from oversmooth.mitigations import Mitigation, get
from oversmooth.models.anatomy import Anatomy
from oversmooth.models.recording import record

READERS = {
    "bert": {"attention_norm": "intermediate.dense"},
    "gpt2": {"attention_norm": "mlp.c_fc", "attention_read": "attn"},
    "llama": {"attention_norm": "mlp.gate_proj", "attention_read": "self_attn.q_proj"},
    "gemma2": {"attention_norm": "mlp.gate_proj", "attention_read": "self_attn.q_proj"},
    "gpt_neox": {"attention_read": "attention"},
}
"""By family and point: the module that reads it, in every block."""
FAMILIES = tuple(READERS)
KNOWN_REFUSALS = {
    *REFUSED,
    ("spectral_shift", "gemma2"),  # A norm follows its heads' outputs.
}


class Inside:
    """What the forward functions themselves are given and give back, whatever hooks surround them."""

    def __init__(self, anatomy: Anatomy) -> None:
        self.anatomy = anatomy
        self.read: dict[str, list[Tensor]] = {}
        self.given: dict[str, list[Tensor]] = {}

    @contextmanager
    def looking(self, modules: dict[str, tuple[nn.Module, ...]]) -> Iterator[None]:
        try:
            for name, each in modules.items():
                for module in each:
                    self._spy(name, module)
            yield
        finally:
            for module in (module for each in modules.values() for module in each):
                del module.forward

    def _spy(self, name: str, module: nn.Module) -> None:
        forward = module.forward

        def spied(*arguments: Any, **named: Any) -> Any:
            self.read.setdefault(name, []).append(arguments[0] if arguments else named["hidden_states"])
            output = forward(*arguments, **named)
            self.given.setdefault(name, []).append(output[0] if isinstance(output, tuple) else output)
            return output

        module.forward = spied


def look(family: str, method: Mitigation) -> tuple[dict[str, Tensor], Inside]:
    model = model_of(family)
    anatomy, shown = model.anatomy, dict[str, Tensor]()
    inside = Inside(anatomy)
    modules = {"block": anatomy.blocks, "middle": anatomy.sub_layers.get("attention", ())}
    modules["end"] = anatomy.sub_layers.get("mlp", ())
    for point, name in READERS[family].items():
        modules[point] = tuple(block.get_submodule(name) for block in anatomy.blocks)
    intervention = Intervention(model, (method,), calibrated(model))
    with intervention.active(), inside.looking(modules):
        record(anatomy, batch(), lambda point, states: shown.update({point: states.clone()}), "branches")
    return shown, inside


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("label", PRESETS)
def test_every_point_is_what_the_network_goes_on_with(label: str, family: str) -> None:
    if (label, family) in KNOWN_REFUSALS:
        return
    shown, inside = look(family, PRESETS[label])
    anatomy = inside.anatomy
    for layer in range(len(anatomy.blocks)):
        entered = points.block(layer - 1) if layer else points.EMBEDDING
        assert torch.equal(shown[entered], inside.read["block"][layer])
        for point in READERS[family]:
            at = shown[points.sub_layer(layer, point)]  # type: ignore[arg-type]
            assert torch.equal(at.reshape(inside.read[point][layer].shape), inside.read[point][layer]), point
        attention, mlp = (shown[points.sub_layer(layer, f"{each}_branch")] for each in ("attention", "mlp"))  # type: ignore[arg-type]
        left = inside.given["block"][layer]
        if anatomy.parallel:
            torch.testing.assert_close(shown[entered] + attention + mlp, left, rtol=1e-5, atol=1e-5)
            continue
        middle = shown[points.sub_layer(layer, "attention")]
        if anatomy.post_norm:
            assert torch.equal(middle, inside.read["middle"][layer])
            assert torch.equal(shown[points.sub_layer(layer, "mlp")], inside.read["end"][layer])
        else:
            assert torch.equal(middle, shown[entered] + attention)
            assert torch.equal(middle + mlp, left)


@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma2"])
def test_a_copy_that_a_norm_is_given_to_read_is_not_shown_as_the_stream(family: str) -> None:
    method = get("contranorm")(scale=0.5, where="paper")  # type: ignore[call-arg]
    shown, inside = look(family, method)
    copy = inside.read["middle"][0]
    assert not torch.allclose(copy, shown["0.attention"], rtol=1e-3)
    shown, inside = look("bert", method)
    assert torch.equal(inside.read["middle"][0], shown["0.attention"])
