from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from synthetic import measurement
from synthetic_explanation import explained, points_inside

from oversmooth.results.gains import branch_gains, missing_gains
from oversmooth.results.measurement import Measurement

POST = {"embedding": 1.0, "0.attention_branch": 3.0, "0.attention": 4.0, "0.attention_norm": 8.0, "0.mlp_branch": 4.0,
        "0.mlp": 12.0, "0": 5.0}  # fmt: skip
PRE = {"embedding": 2.0, "0.attention_read": 4.0, "0.attention_branch": 1.0, "0.attention": 6.0,
       "0.attention_norm": 5.0, "0.mlp_branch": 10.0, "0": 3.0, "final_norm": 1.0}  # fmt: skip


def _of(values: Mapping[str, float]) -> Measurement:
    """One text whose mean token has these lengths, and whose distances to it are their squares."""
    lengths = list(values.values())
    curves = {"mean_token_norm": lengths, "distance_to_mean": [each**2 for each in lengths]}
    return measurement(curves, points=list(values), blocks=1)


@pytest.mark.parametrize(
    ("values", "alone", "added"),
    [(POST, {"attention": 3.0, "mlp": 0.5}, {"attention": 4.0, "mlp": 1.5}),
     (PRE, {"attention": 0.25, "mlp": 2.0}, {"attention": 3.0, "mlp": 0.5})],
    ids=["post-norm", "pre-norm"],
)  # fmt: skip
def test_a_gain_is_what_leaves_over_what_enters(
    values: Mapping[str, float], alone: Mapping[str, float], added: Mapping[str, float]
) -> None:
    found = branch_gains(_of(values)).sel(input=0, layer=0)
    for form, expected in (("branch", alone), ("stream", added)):
        for branch, gain in expected.items():
            assert float(found[f"constant_{form}"].sel(branch=branch)) == pytest.approx(gain)
            assert float(found[f"rest_{form}"].sel(branch=branch)) == pytest.approx(gain**2)
    assert missing_gains(_of(values)) == ""


def test_it_is_the_gain_of_the_two_parts_of_real_states() -> None:
    random = np.random.default_rng(3)
    names = points_inside(2, "post")
    states = random.standard_normal((len(names), 9, 5)) + 1.0
    mean = states.mean(axis=1)
    curves = {
        "mean_token_norm": np.linalg.norm(mean, axis=1).tolist(),
        "distance_to_mean": np.linalg.norm(states - mean[:, np.newaxis], axis=(1, 2)).tolist(),
    }
    found = branch_gains(measurement(curves, points=names, blocks=2)).sel(input=0, layer=1, branch="mlp")
    entering, leaving = (states[names.index(name)] for name in ("1.attention_norm", "1.mlp_branch"))
    averaging = np.full((9, 9), 1 / 9)
    constant = np.linalg.norm(averaging @ leaving) / np.linalg.norm(averaging @ entering)
    rest = np.linalg.norm(leaving - averaging @ leaving) / np.linalg.norm(entering - averaging @ entering)
    assert float(found["constant_branch"]) == pytest.approx(constant)
    assert float(found["rest_branch"]) == pytest.approx(rest)


def test_what_enters_a_later_block_is_what_left_the_one_before() -> None:
    entering = {"embedding": 7.0, "0.attention_branch": 1.0, "0.attention": 1.0, "0": 2.0}
    later = {"1.attention_branch": 5.0, "1.attention": 6.0, "1.attention_norm": 1.0, "1.mlp": 1.0, "1": 9.0}
    values = entering | later
    lengths = list(values.values())
    curves = {"mean_token_norm": lengths, "distance_to_mean": lengths}
    found = branch_gains(measurement(curves, points=list(values), blocks=2)).sel(input=0, layer=1, branch="attention")
    assert float(found["rest_stream"]) == pytest.approx(6.0 / 2.0)
    assert float(found["rest_branch"]) == pytest.approx(5.0 / 2.0)


def test_what_is_missing_is_said() -> None:
    assert "needs the metrics" not in missing_gains(explained(family="parallel"))
    parallel = explained(family="parallel")
    assert "no gain of the attention branch with its residual add, the MLP branch alone" in missing_gains(parallel)
    gains = branch_gains(parallel)
    assert gains["rest_branch"].sel(branch="attention").notnull().all()
    assert not gains["rest_branch"].sel(branch="mlp").notnull().any()
    assert "branches of this family are not known" in missing_gains(explained(family="plain"))
    assert "need the metrics mean_token_norm and distance_to_mean" in missing_gains(measurement())
    zero = branch_gains(_of(POST | {"embedding": 0.0}))
    assert np.isnan(float(zero["rest_stream"].sel(branch="attention").squeeze()))
