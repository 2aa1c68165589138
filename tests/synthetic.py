"""Measurements with known numbers, made without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from oversmooth.measurement import Measurement, Note, Token, Tokens
from oversmooth.record import Environment, ModelRecord, Record
from oversmooth.settings import Settings

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
    """
    names = list(points) if points is not None else points_of(blocks, final_norm=final_norm)
    if curves is None:
        curves = {"token_cosine": [0.06, 0.08, 0.10, 0.12, 0.14, 0.16, 0.36, 0.35][: len(names)]}
    values = {name: np.atleast_2d(np.asarray(rows, dtype=float)) for name, rows in curves.items()}
    texts = len(next(iter(values.values())))
    raw, centred, maps = _spectra(len(words), len(names), similarity_factor)
    coordinates = {"input": np.arange(texts), "point": names}
    dims = ("input", "point")
    floor = 2.0**-24 * np.sqrt((raw**2).sum(axis=-1))
    spectra = {
        "raw": ((*dims, "component"), np.repeat(raw[None], texts, axis=0)),
        "centred": ((*dims, "component"), np.repeat(centred[None], texts, axis=0)),
        "floor": (dims, np.repeat(floor[None], texts, axis=0)),
    }
    return Measurement(
        settings=Settings.of(texts=tuple(f"text {n}" for n in range(texts)), metrics=tuple(values)),
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


def tokens_of(words: Sequence[str]) -> Tokens:
    """Words as measured tokens between [CLS] and [SEP]."""
    content = [Token(number, word, "content", number, number + 1, measured=True) for number, word in enumerate(words)]
    start, end = (Token(101, text, "special", 0, 0, measured=False) for text in ("[CLS]", "[SEP]"))
    return Tokens((start, *content, end))


def _spectra(tokens: int, points: int, factor: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True singular values and cosines of random states whose spread shrinks from point to point."""
    random = np.random.default_rng(0)
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
        limits=(),
    )
    environment = Environment(
        oversmooth="0",
        python="3",
        platform="test",
        libraries={},
        device="cpu",
        device_name="test",
        dtype="float32",
        attention="sdpa",
        threads=1,
    )
    return Record(
        created="2026-01-01T00:00:00+00:00",
        model=model,
        environment=environment,
        inputs=(),
        mitigations=(),
        special_tokens_measured=False,
        seconds={},
        warnings=(),
    )
