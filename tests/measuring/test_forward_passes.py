"""Numbers taken during a pass or after it, in threads or not: each once, and the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from tiny import WORDS, tiny

from oversmooth import measure
from oversmooth.core.progress import silent
from oversmooth.measuring.forward_passes import Take, run_passes
from oversmooth.measuring.measured_rows import Arrived
from oversmooth.measuring.preparing import encoded, prepare
from oversmooth.models.loaded import LoadedModel
from oversmooth.results.settings import Settings

TEXTS = [" ".join(WORDS[start : start + length]) for start, length in ((0, 5), (3, 9), (1, 12), (7, 6), (2, 9))]


@pytest.fixture
def model() -> LoadedModel:
    return tiny("bert")


@pytest.fixture(params=["in threads", "ahead", "together"])
def _mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every point as soon as it is there, each text in a thread or in turn; or all after the pass."""
    if request.param != "together":
        monkeypatch.setattr("oversmooth.measuring.forward_passes.WAITING_BYTES", 1)
    if request.param == "in threads":
        monkeypatch.setattr("oversmooth.measuring.forward_passes.PARALLEL_TOKENS", 1)


def passes(model: LoadedModel, take: Take) -> None:
    run = prepare(Settings.of(texts=TEXTS), model, encoded(TEXTS, model, max_tokens=64, special_tokens=False))
    run_passes(run, run.resolution(), take, silent)


@pytest.mark.usefixtures("_mode")
@pytest.mark.parametrize("batch", [1, 24, 4096])
def test_every_text_is_taken_once_at_every_point(
    model: LoadedModel, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oversmooth.models.inputs.BATCH_TOKENS", batch)
    taken: list[tuple[int, str]] = []
    passes(model, lambda arrived: taken.extend((number, each.point) for each in arrived for number in each.texts))
    points = sorted({point for _, point in taken})
    assert {"embedding", "0"} <= set(points)
    assert sorted(taken) == [(number, point) for number in range(len(TEXTS)) for point in points]


@pytest.mark.usefixtures("_mode")
def test_the_numbers_are_those_of_each_text_alone(model: LoadedModel) -> None:
    together = measure(Settings.of(texts=TEXTS), model=model).curves
    for number, text in enumerate(TEXTS):
        alone = measure(Settings.of(texts=text), model=model).curves
        for name in together.data_vars:
            # Padding and the batch change the order in which the network adds up.
            np.testing.assert_allclose(together[name].values[number], alone[name].values[0], rtol=1e-3, atol=1e-5)


@pytest.mark.usefixtures("_mode")
def test_an_error_while_numbers_are_taken_is_raised(model: LoadedModel) -> None:
    def take(arrived: Sequence[Arrived]) -> None:
        if any(2 in each.texts and each.point == "0" for each in arrived):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        passes(model, take)
