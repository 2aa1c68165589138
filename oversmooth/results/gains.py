"""What each branch does to the mean token and to the rest: gains, measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from oversmooth.core import points
from oversmooth.core.points import BRANCHES, Branch
from oversmooth.core.wording import enumerated

if TYPE_CHECKING:
    from oversmooth.results.measurement import Measurement

CONSTANT: Final = "mean_token_norm"
"""The metric ‖x̄‖; that of the constant part is √n ‖x̄‖, whose √n cancels."""
REST: Final = "distance_to_mean"
"""The metric ‖RX‖_F."""
_PARTS: Final[Mapping[str, str]] = {"constant": CONSTANT, "rest": REST}


def branch_gains(measurement: Measurement) -> xr.Dataset:
    r"""How much each branch enlarges the constant part DC(X) = 1x̄ᵀ of the tokens, and the rest HC(X) = X − DC(X).

    gain = \lVert DC(after) \rVert_F / \lVert DC(before) \rVert_F, and HC likewise; in [0, ∞), 1 where nothing changes

    Returns:
        Dims (input, layer, branch), with branch "attention" or "mlp". ``constant_branch`` and ``rest_branch``: what the
        branch adds, over what it reads. ``constant_stream`` and ``rest_stream``: the residual stream after the branch
        was added, over the stream before. NaN where a point, a metric or a value is missing, a value is not
        resolved, or the divisor is 0.
    """
    layers = range(sum(map(points.is_block, measurement.points)))
    texts = measurement.curves.sizes["input"]
    shape = (texts, len(layers), len(BRANCHES))
    found = {f"{part}_{form}": np.full(shape, np.nan) for form in ("branch", "stream") for part in _PARTS}
    for layer in layers:
        for place, branch in enumerate(BRANCHES):
            for form, (before, after) in _ends(measurement, layer, branch).items():
                for part, metric in _PARTS.items():
                    found[f"{part}_{form}"][:, layer, place] = _ratio(measurement, metric, before, after)
    dims = ("input", "layer", "branch")
    return xr.Dataset(
        {name: (dims, values) for name, values in found.items()},
        {"input": np.arange(texts), "layer": list(layers), "branch": list(BRANCHES)},
    )


def missing_gains(measurement: Measurement) -> str:
    """Why there is no gain at all, or which are left out, in a sentence; empty where all are there."""
    unmeasured = [metric for metric in _PARTS.values() if metric not in measurement.metrics]
    if unmeasured:
        return f"The gains of the branches need the metrics {enumerated(unmeasured)}, which were not measured."
    gains = branch_gains(measurement)
    known = {str(name): bool(values.notnull().any()) for name, values in gains.items()}
    if not any(known.values()):
        return "The branches of this family are not known, or were not measured: there are no gains."
    absent = [
        f"the {_TITLES[branch]}{' with its residual add' if form == 'stream' else ' alone'}"
        for branch in BRANCHES
        for form in ("branch", "stream")
        if not gains[f"rest_{form}"].sel(branch=branch).notnull().any()
    ]
    return f"There is no gain of {enumerated(absent)}: the points around it were not measured." if absent else ""


_TITLES: Final[Mapping[Branch, str]] = {"attention": "attention branch", "mlp": "MLP branch"}


def _ends(measurement: Measurement, layer: int, branch: Branch) -> dict[str, tuple[str, str]]:
    """The points before and after the branch alone, and before and after it was added."""
    names = measurement.points
    post_norm = points.sub_layer(layer, "mlp") in names
    enters = points.block(layer - 1) if layer else points.EMBEDDING
    middle, normed = points.sub_layer(layer, "attention"), points.sub_layer(layer, "attention_norm")
    if branch == "attention":
        read = points.sub_layer(layer, "attention_read")
        return {
            "branch": (enters if post_norm else read, points.sub_layer(layer, "attention_branch")),
            "stream": (enters, middle),
        }
    after = points.sub_layer(layer, "mlp") if post_norm else points.block(layer)
    return {
        "branch": (normed, points.sub_layer(layer, "mlp_branch")),
        "stream": (normed if post_norm else middle, after),
    }


def _ratio(measurement: Measurement, metric: str, before: str, after: str) -> NDArray[np.float64]:
    if metric not in measurement.metrics or not {before, after} <= set(measurement.points):
        return np.full(measurement.curves.sizes["input"], np.nan)
    divisor, value = (measurement.resolved(metric).sel(point=point).values for point in (before, after))
    ratio: NDArray[np.float64] = np.divide(value, divisor, out=np.full(len(value), np.nan), where=divisor > 0)
    return ratio
