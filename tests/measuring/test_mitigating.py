"""Mitigations from Python."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import TEXT, tiny
from torch import Tensor

import oversmooth
from oversmooth import Settings, measure, mitigated
from oversmooth.core.errors import InputError, MitigationError
from oversmooth.mitigations import all_mitigations
from oversmooth.mitigations.all_but_the_top import AllButTheTop
from oversmooth.mitigations.attnscale import AttnScale
from oversmooth.mitigations.fusion import Fusion
from oversmooth.mitigations.neutreno import NeuTRENO
from oversmooth.mitigations.pairnorm import PairNorm
from oversmooth.models.loaded import LoadedModel


def states_of(model: LoadedModel) -> Tensor:
    tokens = model.tokenizer(TEXT, return_tensors="pt", return_token_type_ids=False)
    with torch.inference_mode():
        states: Tensor = model.network(**tokens).last_hidden_state
    return states


def test_the_model_is_mitigated_inside_the_block_alone() -> None:
    model = tiny("bert")
    alone = states_of(model)
    with mitigated(model, NeuTRENO(strength=0.4)):
        inside = states_of(model)
    assert not torch.equal(inside, alone)
    assert torch.equal(states_of(model), alone)


def test_it_is_part_of_the_package() -> None:
    assert oversmooth.mitigated is mitigated


def test_what_is_measured_inside_is_what_settings_with_the_methods_measure() -> None:
    model = tiny("gpt2")
    methods = NeuTRENO(strength=0.4), PairNorm()
    with mitigated(model, *methods):
        inside = measure(Settings.of(texts=TEXT), model=model)
    by_settings = measure(Settings.of(texts=TEXT, mitigations=tuple(map(str, methods))), model=model)
    assert inside.record.mitigations == by_settings.record.mitigations == tuple(map(str, methods))
    for name in inside.curves:
        np.testing.assert_array_equal(inside.curves[name], by_settings.curves[name])


def test_without_methods_the_block_runs_the_eager_kernel() -> None:
    model = tiny("bert")
    with mitigated(model):
        assert model.network.config._attn_implementation == "eager"
        eager = states_of(model)
    with mitigated(model, AttnScale(omega=0)):
        assert torch.equal(states_of(model), eager)


def test_an_error_inside_passes_through_and_leaves_the_model_as_it_was() -> None:
    model = tiny("bert")
    alone = states_of(model)
    with pytest.raises(ZeroDivisionError), mitigated(model, PairNorm()):
        raise ZeroDivisionError
    assert torch.equal(states_of(model), alone)


def test_blocks_inside_one_another_are_refused() -> None:
    model = tiny("bert")
    refused = pytest.raises(MitigationError, match="already mitigated: give all the methods to one call")
    with mitigated(model, PairNorm()), refused, mitigated(model, AttnScale()):
        pass
    with mitigated(model, PairNorm()), refused:
        measure(Settings.of(texts=TEXT, mitigations="attnscale"), model=model)


def test_calibrated_methods_need_texts() -> None:
    model = tiny("bert")
    method = AllButTheTop(components=1)
    with pytest.raises(MitigationError) as told, mitigated(model, method):
        pass
    assert str(told.value) == "all_but_the_top: it is calibrated on texts, and none were given (texts=…)."
    results = []
    for texts in (TEXT, [TEXT], [TEXT, "the dog saw the moon"]):
        with mitigated(model, method, texts=texts):
            results.append(states_of(model))
    assert torch.equal(results[0], results[1])  # One text may be given as it is.
    assert not torch.allclose(results[0], results[2])


def test_texts_that_hold_nothing_are_refused() -> None:
    with pytest.raises(InputError), mitigated(tiny("bert"), PairNorm(), texts=["the cat", ""]):
        pass


def test_the_read_out_of_a_fusion_is_at_hand() -> None:
    model = tiny("bert")
    with mitigated(model, Fusion(mode="mean")) as intervention:
        states_of(model)
        fused = intervention.fused()
    tokens = model.tokenizer(TEXT, return_tensors="pt", return_token_type_ids=False)
    with torch.inference_mode():
        blocks = model.network(**tokens, output_hidden_states=True).hidden_states[1:]
    torch.testing.assert_close(fused, torch.stack(blocks).mean(dim=0))


def test_every_method_is_exported_by_its_class() -> None:
    from oversmooth import mitigations

    for method in all_mitigations():
        assert getattr(mitigations, method.__name__) is method
        assert method.__name__ in dir(mitigations)


def test_the_record_names_the_kernel_that_ran() -> None:
    model = tiny("t5")  # Its encoder has a configuration of its own.
    for settings, kernel in (
        (Settings.of(texts=TEXT), "sdpa"),
        (Settings.of(texts=TEXT, fidelity=True), "eager"),
        (Settings.of(texts=TEXT, mitigations="attnscale"), "oversmooth"),
    ):
        assert measure(settings, model=model).record.environment.attention == kernel
