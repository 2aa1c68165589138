"""What is said of a paper's own code where it differs, wherever a caveat is shown; where it can be, as numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from reference.single import Single, number

from oversmooth import metrics, mitigations
from oversmooth.cli.main import run

METRICS = {
    "token_cosine": "counts each token with itself",
    "cls_uniformity": "as it is where the paper's code draws it",
    "matrix_entropy": "that is prompt_entropy",
    "stable_rank": "takes it of XXᵀ",
    "explained_variance_1": "the sum of the smallest squares",
    "high_frequency_share": "r²/(1 + r²)",
    "lsds": "counts the token among its own 12 neighbours",
}
METHODS = {
    "softdecay": "adds the branch's input once more before the norm",
    "featscale": "adds both parts twice",
    "contranorm": "lets padding take part",
    "layernorm_scaling": "the scaling is never switched on",
    "no_skip": "changes the first block alone",
}
REFERENCE = (Path(__file__).parents[1] / "docs" / "reference.md").read_text(encoding="utf-8").replace("\\", "")


@pytest.mark.parametrize(("command", "told"), [("metrics", METRICS), ("mitigations", METHODS)])
def test_every_place_says_it(command: str, told: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--long"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for name, words in told.items():
        caveat = metrics.get(name).caveat if command == "metrics" else mitigations.get(name).declaration.caveat
        assert words in caveat
        assert words in printed
        assert words in REFERENCE


def test_the_diagonal_that_tokenuni_counts() -> None:
    tokens = np.random.default_rng(0).normal(size=(7, 12)) + 1
    unit = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
    with_diagonal = float((unit @ unit.T).mean())
    ours = number("token_cosine", Single(tokens))
    assert (1 + 6 * ours) / 7 == pytest.approx(with_diagonal, rel=1e-12)


def test_the_ratio_of_which_the_high_frequency_share_is_a_function() -> None:
    tokens = np.random.default_rng(1).normal(size=(7, 12)) + 1
    mean = np.tile(tokens.mean(axis=0), (7, 1))
    ratio = np.linalg.norm(tokens - mean) / np.linalg.norm(mean)
    ours = number("high_frequency_share", Single(tokens))
    assert ours == pytest.approx(ratio**2 / (1 + ratio**2), rel=1e-12)


def test_what_no_offset_lowers() -> None:
    tokens = np.random.default_rng(2).normal(size=(7, 12))
    near, far = (Single(tokens + offset) for offset in (0.0, 50.0))
    plain, published = (partial(number, name) for name in ("matrix_entropy", "prompt_entropy"))
    assert plain(far) < 0.1 * plain(near)
    assert published(far) == pytest.approx(published(near), rel=1e-9)
