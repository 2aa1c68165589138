"""A GPU gives the numbers of the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from oversmooth import Settings, measure
from oversmooth.models.loading import load

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


def test_a_gpu_is_taken_where_there_is_one() -> None:
    assert load("all-MiniLM-L6-v2").device.type == "cuda"
