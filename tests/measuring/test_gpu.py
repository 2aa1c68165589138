"""A GPU gives the numbers of the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from oversmooth import Settings, compare, measure
from oversmooth.models.loading import load
from oversmooth.service.engine import Engine

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")

TEXT = "In spring the river carries more water than its bed can hold, and the miller opens the upper gate."
RELATIVE = 1e-3
"""Between two devices: float32 states add up in another order, and differ by about 1e-5 of their size."""


@pytest.mark.parametrize("points", ["blocks", "all"])
def test_curves_spectra_and_maps_agree_with_the_cpu(points: str) -> None:
    gpu, cpu = (measure(Settings.of(texts=TEXT, device=device, points=points)) for device in ("cuda", "cpu"))
    assert gpu.record.environment.device.startswith("cuda")
    assert gpu.record.environment.device_name == torch.cuda.get_device_name()
    assert gpu.points == cpu.points
    for metric in cpu.metrics:
        np.testing.assert_allclose(gpu.curves[metric], cpu.curves[metric], rtol=RELATIVE, atol=1e-5, err_msg=metric)
    np.testing.assert_allclose(gpu.spectra["raw"], cpu.spectra["raw"], rtol=RELATIVE, atol=1e-4)
    assert gpu.similarity is not None
    assert cpu.similarity is not None
    np.testing.assert_allclose(gpu.similarity, cpu.similarity, atol=1e-4)


@pytest.mark.parametrize(
    "method", ["attnscale:omega=-0.3", "contranorm", "softdecay", "neutreno", "noise:ratio=0.1", "fusion:mode=mean"]
)
def test_mitigations_agree_with_the_cpu(method: str) -> None:
    gpu, cpu = (compare(Settings.of(texts=TEXT, device=device), [method]) for device in ("cuda", "cpu"))
    assert not gpu.failures
    for metric in ("token_cosine", "effective_rank", "cka_to_baseline"):
        found, expected = (each.measurements[method].curves[metric] for each in (gpu, cpu))
        np.testing.assert_allclose(found, expected, rtol=RELATIVE, atol=1e-4, err_msg=metric)


def test_an_explanation_agrees_with_the_cpu() -> None:
    gpu, cpu = (measure(Settings.of(texts=TEXT, device=device, explanation=True)) for device in ("cuda", "cpu"))
    assert gpu.explanation is not None
    assert cpu.explanation is not None
    for name in ("attention_root_lambda", "attention_entropy", "attention_sink_mass"):
        np.testing.assert_allclose(
            gpu.explanation.attention[name], cpu.explanation.attention[name], rtol=1e-3, atol=1e-5
        )
    np.testing.assert_allclose(gpu.explanation.bound["contraction"], cpu.explanation.bound["contraction"], rtol=1e-4)


def test_a_gpu_is_taken_where_there_is_one() -> None:
    assert load("all-MiniLM-L6-v2").device.type == "cuda"


def test_a_worker_that_was_forked_computes_on_it() -> None:
    with Engine() as engine:
        measurement = engine.submit(Settings.of(texts=TEXT)).result(120)
    assert measurement.record.environment.device.startswith("cuda")
