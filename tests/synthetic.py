"""Measurements with known numbers, made without a model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from oversmooth import metrics as metric_registry
from oversmooth.core.tokens import Token, Tokens
from oversmooth.models.loaded import ModelRecord
from oversmooth.results.comparison import BASELINE, Comparison
from oversmooth.results.measurement import Measurement, Note
from oversmooth.results.record import Environment, Record
from oversmooth.results.settings import Settings

SENTENCE = ("the", "cat", "sat", "on", "the", "mat", "and", "looked", "at", "the", "rain")


def points_of(blocks: int, *, final_norm: bool = True) -> list[str]:
    """Embedding, blocks and final norm."""
    return ["embedding", *map(str, range(blocks)), *(["final_norm"] if final_norm else [])]


def measurement(
    curves: Mapping[str, Sequence[float] | Sequence[Sequence[float]]] | None = None,
    *,
    words: Sequence[str] = SENTENCE,
    blocks: int = 6,
    final_norm: bool = True,
    notes: Sequence[Note] = (),
    similarity: bool = True,
    similarity_factor: int = 1,
    points: Sequence[str] | None = None,
    mitigations: Sequence[str] = (),
    model: str = "synthetic",
    seed: int = 0,
) -> Measurement:
    """A measurement of states that are drawn towards their mean with depth.

    Args:
        curves: values per metric, one per point, or one row per text; default a mean cosine that rises to 0.36.
        words: the measured tokens of the first text; [CLS] and [SEP] surround them.
        blocks: of the model.
        final_norm: whether the model has one.
        notes: as recorded.
        similarity: whether maps are kept.
        similarity_factor: tokens averaged into one row of the map.
        points: instead of the points that ``blocks`` and ``final_norm`` give.
        mitigations: their specifications.
        model: its name.
        seed: of the states whose spectra and maps are kept.
    """
    names = list(points) if points is not None else points_of(blocks, final_norm=final_norm)
    if curves is None:
        curves = {"token_cosine": [0.06, 0.08, 0.10, 0.12, 0.14, 0.16, 0.36, 0.35][: len(names)]}
    values = {name: np.atleast_2d(np.asarray(rows, dtype=float)) for name, rows in curves.items()}
    texts = len(next(iter(values.values())))
    raw, centred, maps = _spectra(len(words), len(names), similarity_factor, seed)
    coordinates = {"input": np.arange(texts), "point": names}
    dims = ("input", "point")
    floor = 2.0**-24 * np.sqrt((raw**2).sum(axis=-1))
    spectra = {
        "raw": ((*dims, "component"), np.repeat(raw[None], texts, axis=0)),
        "centred": ((*dims, "component"), np.repeat(centred[None], texts, axis=0)),
        "floor": (dims, np.repeat(floor[None], texts, axis=0)),
    }
    return Measurement(
        settings=Settings.of(
            model=model,
            texts=tuple(f"text {n}" for n in range(texts)),
            metrics=tuple(name for name in values if name in metric_registry.names()) or ("token_cosine",),
            mitigations=tuple(mitigations),
        ),
        curves=xr.Dataset({name: (dims, rows) for name, rows in values.items()}, coordinates),
        spectra=xr.Dataset(spectra, coordinates | {"component": np.arange(1, raw.shape[-1] + 1)}),
        similarity=xr.DataArray(maps, dims=("point", "token", "other"), coords={"point": names})
        if similarity
        else None,
        similarity_factor=similarity_factor,
        outputs=xr.Dataset(),
        tokens=(tokens_of(words),) * texts,
        notes=tuple(notes),
        record=_record(blocks),
    )


BASE = [0.06, 0.08, 0.10, 0.12, 0.14, 0.16, 0.36, 0.35]
"""Mean cosine of the baseline of :func:`comparison_of`, over six blocks and the final norm."""


def comparison_of(
    variants: Mapping[str, Measurement] | int = 3, *, failures: Mapping[str, str] | None = None
) -> Comparison:
    """A baseline and variants whose mean cosine parts from it at block 1.

    Args:
        variants: by label, or how many of :func:`variant` to make.
        failures: as recorded.
    """
    if isinstance(variants, int):
        variants = {f"gfsa:weight={-0.1 * n:.1f}": variant(-0.1 * n) for n in range(1, variants + 1)}
    return Comparison({BASELINE: measurement({"token_cosine": BASE}), **variants}, failures or {})


def variant(strength: float, **options: Any) -> Measurement:
    """The baseline of :func:`comparison_of` with its mean cosine scaled by 1 + ``strength`` from block 1 on.

    It keeps CKA 1 to the baseline up to block 0, then 1 − strength².
    """
    curves = {
        "token_cosine": [*BASE[:2], *((1 + strength) * value for value in BASE[2:])],
        "cka_to_baseline": [1.0, 1.0, *[1 - strength**2] * 6],
    }
    return measurement(**{"curves": curves, "mitigations": ["gfsa"], "seed": round(100 * abs(strength)), **options})


def deep_variant() -> Measurement:
    """Another model, of twelve blocks, without mitigations."""
    return measurement({"token_cosine": np.linspace(0.1, 0.5, 14).tolist()}, blocks=12, model="deep")


def fused_variant() -> Measurement:
    """The baseline's points with the fusion of all blocks behind them, whose mean cosine is 0.2."""
    return measurement({"token_cosine": [*BASE, 0.2]}, points=[*points_of(6), "fusion"], mitigations=["fusion"])


def broken_variant() -> Measurement:
    """A variant whose states overflow in blocks 3 and 4."""
    why = "3 activations of 528 are infinite or <not> a number"
    notes = [Note("missing", 0, point, "token_cosine", why) for point in ("3", "4")]
    values = [0.06, 0.08, 0.09, 0.11, math.nan, math.nan, 0.5, 0.4]
    return measurement({"token_cosine": values}, notes=notes, mitigations=["gfsa"])


def tokens_of(words: Sequence[str]) -> Tokens:
    """Words as measured tokens between [CLS] and [SEP]."""
    content = [Token(number, word, "content", number, number + 1, measured=True) for number, word in enumerate(words)]
    start, end = (Token(101, text, "special", 0, 0, measured=False) for text in ("[CLS]", "[SEP]"))
    return Tokens((start, *content, end))


def _spectra(tokens: int, points: int, factor: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True singular values and cosines of random states whose spread shrinks from point to point."""
    random = np.random.default_rng(seed)
    spread, offset = random.standard_normal((tokens, 48)), random.standard_normal(48)
    side = min(tokens, 48)
    raw, centred = np.full((2, points, side), np.nan)
    rows = -(-tokens // factor)
    maps = np.empty((points, rows, rows), dtype=np.float32)
    for index in range(points):
        states = 0.15 * index * offset + 0.9**index * spread
        raw[index] = np.linalg.svd(states, compute_uv=False)
        residual = np.linalg.svd(states - states.mean(axis=0), compute_uv=False)[: min(tokens - 1, 48)]
        centred[index, : residual.size] = residual
        unit = states / np.linalg.norm(states, axis=1, keepdims=True)
        maps[index] = (unit @ unit.T)[::factor, ::factor]
    return raw, centred, maps


def _record(blocks: int) -> Record:
    model = ModelRecord(
        name="synthetic",
        source="memory",
        identifier="synthetic",
        revision=None,
        commit=None,
        family="bert",
        architecture="BertModel",
        layers=blocks,
        hidden_size=48,
        parameters=0,
        weights_sha256={},
        checkpoint_dtype="float32",
        causal=False,
        tokenizer="synthetic",
        tokenizer_sha256={},
        limits=(),
    )
    environment = Environment(
        oversmooth="0",
        python="3",
        platform="test",
        libraries={},
        device="cpu",
        device_name="test",
        instructions="test",
        dtype="float32",
        attention="sdpa",
        threads=1,
    )
    return Record(
        created="2026-01-01T00:00:00+00:00",
        model=model,
        environment=environment,
        inputs=(),
        max_tokens=512,
        seeds={},
        mitigations=(),
        special_tokens_measured=False,
        seconds={},
        warnings=(),
    )
