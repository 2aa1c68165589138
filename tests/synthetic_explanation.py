"""Measurements with an explanation whose numbers are known, made without a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import xarray as xr
from synthetic import measurement

from oversmooth.results.explanation import Explanation, Reading
from oversmooth.results.measurement import Measurement

Family = Literal["post", "pre", "parallel", "plain"]
POST = ("attention_branch", "attention", "attention_norm", "mlp_branch", "mlp")
PRE = ("attention_read", "attention_branch", "attention", "attention_norm", "mlp_branch")
PARALLEL = ("attention_read", "attention_branch", "mlp_branch")
_INSIDE: dict[Family, tuple[str, ...]] = {"post": POST, "pre": PRE, "parallel": PARALLEL, "plain": ()}
QUANTITIES = ("attention_root_lambda", "attention_entropy")
"""The first has a counterpart of shuffled attention."""


def points_inside(blocks: int, family: Family) -> list[str]:
    """All points of a model of that kind; a final norm where it is not post-norm."""
    names = ["embedding"]
    for block in range(blocks):
        names += [f"{block}.{part}" for part in _INSIDE[family]] + [str(block)]
    return names if family == "post" else [*names, "final_norm"]


def explained(
    *,
    blocks: int = 6,
    heads: int = 12,
    texts: int = 3,
    family: Family = "post",
    words: Sequence[str] = ("the", "cat", "sat", "on", "the", "mat", "and", "looked", "at", "rain"),
) -> Measurement:
    """A measurement at the points ``branches`` with every part of an explanation that the family can have."""
    names = points_inside(blocks, family)
    random = np.random.default_rng(blocks + heads)
    depth = np.cumsum(np.array([0.5 if name.isdecimal() else 0.08 for name in names])) / blocks
    cosine = 0.06 + 0.5 * depth + 0.04 * random.standard_normal((texts, len(names)))
    aside = np.array([name.endswith("_branch") for name in names])
    cosine[:, aside] += 0.15
    away = np.where(aside, 3.0, 12.0) * np.exp(0.05 * random.standard_normal((texts, len(names))))
    mean = np.where(aside, 2.0, 2.5) * np.exp(0.05 * random.standard_normal((texts, len(names))))
    curves = {"token_cosine": cosine.tolist(), "distance_to_mean": away.tolist(), "mean_token_norm": mean.tolist()}
    result = measurement(curves, points=names, blocks=blocks, words=words)
    settings = result.settings.model_copy(update={"points": "branches" if family != "plain" else "blocks"})
    explanation = _explanation(result, blocks, heads, texts, family)
    return replace(result, settings=settings, explanation=explanation)


def _explanation(result: Measurement, blocks: int, heads: int, texts: int, family: Family) -> Explanation:
    random = np.random.default_rng(7)
    layers = {"input": np.arange(texts), "layer": np.arange(blocks), "head": np.arange(heads)}
    empty = xr.Dataset()
    return Explanation(
        attention=_attention(random, layers) if family != "plain" else empty,
        norms=_norms(random, result, blocks, texts) if family in ("post", "pre") else empty,
        bound=_bound(random, blocks, texts, post=family == "post"),
        circuits=_circuits(random, blocks, heads) if family != "plain" else empty,
        dominance=_dominance(random, blocks, heads) if family != "plain" else empty,
        corpus=_corpus(random, result, texts) if texts > 1 else empty,
        texts=texts if texts > 1 else 0,
        reasons=_reasons(family, texts),
    )


def _reasons(family: Family, texts: int) -> dict[Reading, str]:
    reasons: dict[Reading, str] = {}
    if family != "post":
        reasons["bound"] = "The bound holds for post-norm blocks, and this family is <none>."
    if family in ("plain", "parallel"):
        reasons["norms"] = "The norms of this family are not known."
    if family == "plain":
        why = "Attention cannot be read in this family."
        reasons |= {"attention": why, "circuits": why, "dominance": why}
    if texts < 2:
        reasons["corpus"] = "One text alone has no other to be set beside."
    return reasons


def _attention(random: np.random.Generator, layers: dict[str, np.ndarray]) -> xr.Dataset:
    shape = tuple(map(len, layers.values()))
    dims = ("input", "layer", "head")
    found = {}
    for name in QUANTITIES:
        values = 0.3 + 1.5 * random.random(shape)
        found[name] = (dims, values)
        if name == QUANTITIES[0]:
            found[f"{name}_null"] = (dims, values * (0.8 + 0.3 * random.random(shape)))
    adjacent = 0.5 + 0.4 * random.random(shape[:2])
    adjacent[:, 0] = np.nan
    return xr.Dataset(found | {"attention_adjacent_cosine": (dims[:2], adjacent)}, layers)


def _norms(random: np.random.Generator, result: Measurement, blocks: int, texts: int) -> xr.Dataset:
    tokens = len(result.tokens[0].items)
    deviation = 0.6 * np.exp(0.25 * random.standard_normal((blocks, 2, tokens)))
    smallest = np.repeat(deviation.min(axis=2)[np.newaxis], texts, axis=0)
    negative = np.zeros((blocks, 2))
    negative[-1, 1] = 3 / 384
    return xr.Dataset(
        {
            "deviation": (("layer", "norm", "token"), deviation),
            "smallest_deviation": (("input", "layer", "norm"), smallest),
            "negative_gains": (("layer", "norm"), negative),
            "largest_gain": (("layer", "norm"), 1 + random.random((blocks, 2))),
            "kind": (("layer", "norm"), np.full((blocks, 2), "LayerNorm")),
        },
        {"input": np.arange(texts), "layer": np.arange(blocks), "norm": ["attention", "mlp"]},
    )


def _bound(random: np.random.Generator, blocks: int, texts: int, *, post: bool) -> xr.Dataset:
    bound = 5e4 * np.exp(0.3 * random.standard_normal((texts, blocks)))
    dims, coordinates = ("input", "layer"), {"input": np.arange(texts), "layer": np.arange(blocks)}
    measured = xr.Dataset({"contraction": (dims, 0.8 + 0.3 * random.random((texts, blocks)))}, coordinates)
    if not post:
        return measured
    return measured.assign(smoothing_bound=(dims, bound), weight_norm=("layer", 9 + random.random(blocks)))


def _circuits(random: np.random.Generator, blocks: int, heads: int, size: int = 32) -> xr.Dataset:
    circuits = random.standard_normal((blocks, heads, size, size)) * 0.5 / np.sqrt(size)
    values = np.linalg.eigvals(circuits)
    order = np.argsort(-np.abs(values), axis=-1)
    values = np.take_along_axis(values, order, axis=-1)
    coordinates = {"layer": np.arange(blocks), "head": np.arange(heads), "component": np.arange(1, size + 1)}
    return xr.Dataset({"eigenvalues": (("layer", "head", "component"), values)}, coordinates)


def _dominance(random: np.random.Generator, blocks: int, heads: int) -> xr.Dataset:
    shape = (blocks, heads)
    circuit = (0.4 + 0.6 * random.random(shape)) * np.exp(1j * random.normal(0, 0.4, shape))
    kinds = np.array(["smoothing", "sharpening", "neutral", "tied"])[random.choice(4, shape, p=[0.6, 0.25, 0.1, 0.05])]
    attention = np.where(kinds == "smoothing", 1.0, 0.7 + 0.1j)
    dims = ("layer", "head")
    return xr.Dataset(
        {
            "dominant_gain": (dims, np.abs(1 + circuit * attention)),
            "dominant_kind": (dims, kinds),
            "circuit_eigenvalue": (dims, circuit),
            "attention_eigenvalue": (dims, attention.astype(complex)),
        },
        {"layer": np.arange(blocks), "head": np.arange(heads)},
    )


def _corpus(random: np.random.Generator, result: Measurement, texts: int) -> xr.Dataset:
    names = list(result.main_points)
    forms = ["raw", "centred", "standardised"]
    rise = np.linspace(0.07, 0.4, len(names))
    each = np.stack(
        [rise[:, np.newaxis] * share + 0.02 * random.standard_normal((len(names), texts)) for share in (1, 0.4, 0.3)]
    )
    between = np.stack([0.85 * rise, -0.02 + 0 * rise, -0.01 + 0 * rise])
    between[:, -1] = 0.02
    apart = np.abs(np.subtract.outer(np.arange(len(names)), np.arange(len(names))))
    return xr.Dataset(
        {
            "within": (("form", "point"), each.mean(axis=2)),
            "between": (("form", "point"), between),
            "within_each": (("form", "point", "input"), each),
            "layer_cka": (("point", "other"), np.exp(-0.12 * apart)),
        },
        {"form": forms, "point": names, "other": names, "input": np.arange(texts)},
    )
