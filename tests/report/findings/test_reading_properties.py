"""The sentences of an explanation over numbers of every kind, read back by another reader."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from read_numbers import NUMBER, found, read
from synthetic import measurement
from synthetic_explanation import explained

from oversmooth.report.findings.collapse import collapse_sentence
from oversmooth.report.findings.explanations import where
from oversmooth.report.findings.mechanisms import (
    attention_gain_sentence,
    bound_sentence,
    circuits_sentence,
    contraction_sentence,
    gain_sentence,
    mixing_sentence,
)
from oversmooth.report.findings.readings import readings, spectrum_found
from oversmooth.report.findings.whether import offsets, own_clause, whether
from oversmooth.results.measurement import Measurement

NAN = math.nan
PLACE = r"(the embedding|block \d+)"
cosines = st.one_of(st.sampled_from([-0.1, 0.0, 0.01, 0.25, 0.5, 0.5, 0.99, 1.0]), st.floats(-0.2, 1.0), st.just(NAN))
factors = st.one_of(st.sampled_from([0.5, 1.0, 1.0, 2.0]), st.floats(1e-6, 1e6), st.just(NAN))
shares = st.one_of(st.sampled_from([0.0, 1e-9, 1e-4, 1.0001e-4, 0.5]), st.floats(1e-12, 1.0), st.just(NAN))


def row(values: st.SearchStrategy[float], least: int = 1) -> st.SearchStrategy[list[float]]:
    return st.lists(values, min_size=least, max_size=6)


def blocks_of(words: str) -> set[int]:
    """``Blocks 0–4, 6 and 7``, ``block 3 and block 4``."""
    places: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:–(\d+))?", words):
        places |= set(range(int(first), int(last or first) + 1))
    return places


def corpus(within: Sequence[float], between: Sequence[float]) -> Measurement:
    result = explained(blocks=len(within), heads=1, texts=2, family="plain", words=("a", "b"))
    assert result.explanation is not None
    dims, forms = ("form", "point"), ["raw", "centred", "standardised"]
    values = {"within": [0.01, *within], "between": [0.01, *between]}
    names = ["embedding", *map(str, range(len(within)))]
    dataset = xr.Dataset(
        {name: (dims, np.tile(each, (3, 1))) for name, each in values.items()}, {"form": forms, "point": names}
    )
    return replace(result, explanation=replace(result.explanation, corpus=dataset))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(cosines, cosines), min_size=1, max_size=6))
def test_within_against_between(pairs: list[tuple[float, float]]) -> None:
    within, between = [w for w, _ in pairs], [b for _, b in pairs]
    result = corpus(within, between)
    sentences = whether(result)
    clause, said = own_clause(offsets(result)), " ".join(sentences)
    known = {place: pair for place, pair in enumerate(pairs) if all(map(math.isfinite, pair))}
    alike = {place: pair for place, pair in known.items() if max(pair) >= 0.02}
    own = {place for place, (w, b) in alike.items() if b <= w and b <= 0.5 * w}
    common = {place for place, (w, b) in alike.items() if 0.5 * w < b <= w}
    crossed = {place for place, (w, b) in alike.items() if b > w}
    assert "nan" not in said
    assert not found("by −", said)

    share = re.search(r"(\d+) % of the mean cosine is an offset", said)
    if share:
        whole = math.fsum(b for _, b in known.values()) / math.fsum(w for w, _ in known.values())
        assert whole <= 1
        assert abs(int(share[1]) - 100 * max(whole, 0)) <= 0.5 + 1e-9
    told = re.search(r"(Blocks? [\d–, and]+) (?:is|are) mostly anisotropy", said)
    assert (blocks_of(told[1]) if told else set()) == common
    excess = found("more alike than tokens of different texts by #(?: to #)?", said)
    if excess:
        gaps = [w - b for place, (w, b) in alike.items() if place in common]
        assert read(excess[1]).says(min(gaps))
        assert read(excess[2] or excess[1]).says(max(gaps))
        assert read(excess[1]).value >= 0
    over = found(rf"by # at most \({PLACE}\): texts that share words are", said)
    assert (over is not None) == bool(crossed)
    if over:
        beyond = {place: b - w for place, (w, b) in alike.items() if place in crossed}
        assert read(over[1]).says(max(beyond.values()))
        assert beyond[int(over[2].split()[1])] == max(beyond.values())
    since = found(rf"From {PLACE} on, (.*?): at {PLACE} their mean cosine is #, that of different texts #", said)
    if since:
        start, last = int(since[1].split()[1]), int(since[3].split()[1])
        assert last == max(known)
        assert {place for place in known if place >= start} <= own
        assert read(since[4]).says(known[last][0])
        assert read(since[5]).says(known[last][1])
        if "truly grow alike" in since[2]:
            assert known[last][0] - known[last][1] >= known[start][0] - known[start][1]
    if "At no block do the tokens of one text share more" in said:
        assert not own
    if "at the last block most of it still is" in clause:
        assert max(known) in common
    only = re.search(r"only from block (\d+) on", clause)
    if only:
        assert {place for place in known if place < int(only[1])} <= common
        assert {place for place in known if place >= int(only[1])} <= own


@settings(max_examples=150, deadline=None)
@given(row(shares), st.lists(st.sampled_from([3.0, 300.0, 5000.0]), min_size=7, max_size=7), st.booleans())
def test_collapse(values: list[float], ratios: list[float], with_ratios: bool) -> None:
    result = measurement(
        {"high_frequency_share": [0.9, *values]},
        blocks=len(values),
        final_norm=False,
        words=("a", "b"),
        similarity=False,
    )
    if with_ratios:
        array = xr.DataArray([ratios[: len(values) + 1]], dims=("input", "point"))
        result = replace(result, activation_ratios=array)
    words = collapse_sentence(result)
    known = {place: value for place, value in enumerate(values) if math.isfinite(value)}
    small = {place for place, value in known.items() if value <= 1e-4}
    if not known:
        assert words == ""
        return
    by = found(rf"Tokens collapse by {PLACE}: .*share #, limit", words)
    if by:
        start = int(by[1].split()[1])
        assert {place for place in known if place >= start} <= small
        assert not with_ratios or all(
            ratios[place + 1] != 5000.0 or known[place] < 1e-10 for place in small if place >= start
        )
        assert read(by[2]).says(known[start])
    elif words.startswith("No collapse:"):
        assert not small
        lowest = found(rf"is # at its lowest \({PLACE}\)", words)
        assert lowest
        assert read(lowest[1]).says(min(known.values()))
        assert known[int(lowest[2].split()[1])] == min(known.values())
    elif "recover" in words:
        assert max(known) not in small
        told = found(
            rf"collapse at (.*?) and recover: the high-frequency share is # at {PLACE} and # at {PLACE}", words
        )
        assert told
        assert read(told[2]).says(known[int(told[3].split()[1])])
        assert read(told[4]).says(known[max(known)])
        assert int(told[5].split()[1]) == max(known)
        assert int(told[3].split()[1]) in small
        if "from" not in told[1]:
            assert blocks_of(told[1]) <= small
    else:
        assert with_ratios
        assert small
        assert "times the median" in words


@settings(max_examples=120, deadline=None)
@given(row(cosines, 2), st.sampled_from(["parts", "stream", "blocks"]))
def test_where(values: list[float], detail: str) -> None:
    result = measurement(
        {"token_cosine": values}, blocks=len(values) - 1, final_norm=False, words=("a", "b"), similarity=False
    )
    sentences = where(result, detail=detail)  # type: ignore[arg-type]
    steps = {n: b - a for n, (a, b) in enumerate(pairwise(values)) if math.isfinite(b - a)}
    moving = {place: step for place, step in steps.items() if step}
    told = found(r"^Block (\d+) as a whole (adds|removes) #", sentences[0])
    assert (told is not None) == bool(moving)
    if told is None:
        return
    step = steps[int(told[1])]
    assert read(told[3]).says(abs(step))
    assert (told[2] == "adds") == (step > 0)
    top = max(map(abs, moving.values()))
    assert abs(step) == top
    equal = sum(abs(each) >= top * (1 - 1e-11) for each in moving.values())
    if "more than any other step" in sentences[0]:
        assert equal == 1
    for place, change in re.findall(rf"block (\d+) as a whole \(({NUMBER})\)", sentences[0]):
        assert read(change).says(steps[int(place)])
        assert (change[0] == "+") == (steps[int(place)] > 0)


def with_bound(values: list[float]) -> Measurement:
    result = explained(blocks=len(values), heads=1, texts=1, words=("a", "b"))
    assert result.explanation is not None
    dims = ("input", "layer")
    bound = xr.Dataset({"smoothing_bound": (dims, [values]), "contraction": (dims, [values])})
    return replace(result, explanation=replace(result.explanation, bound=bound))


@settings(max_examples=120, deadline=None)
@given(row(factors))
def test_the_bound_and_the_contraction(values: list[float]) -> None:
    result = with_bound(values)
    known = {place: value for place, value in enumerate(values) if math.isfinite(value)}
    bound, contraction = bound_sentence(result), contraction_sentence(result)
    if not known:
        assert bound == contraction == ""
        return
    assert ("vacuous" in bound) == (min(known.values()) >= 1)
    assert ("must smooth" in bound) == (min(known.values()) < 1)
    for words in (bound, contraction):
        ends = found(r"# \(block (\d+)\) to # \(block (\d+)\)", words)
        alone = found(r"# (?:\(block (\d+)\)|in every block)", words)
        assert ends or alone, words
        if ends:
            low, high = known[int(ends[2])], known[int(ends[4])]
            assert (low, high) == (min(known.values()), max(known.values()))
            for written, value in ((ends[1], low), (ends[3], high)):
                # Two digits of a bound.
                assert read(written).says(value) or abs(read(written).value / value - 1) <= 0.051, words
        else:
            assert alone
            assert len(set(known.values())) == 1
            assert abs(read(alone[1]).value / min(known.values()) - 1) <= 0.051


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(factors, min_size=3, max_size=3), min_size=1, max_size=4), st.booleans())
def test_mixing(roots: list[list[float]], with_null: bool) -> None:
    result = explained(blocks=len(roots), heads=3, texts=1, words=("a", "b"))
    assert result.explanation is not None
    dims = ("input", "layer", "head")
    arrays = {"attention_root_lambda": (dims, [roots])}
    if with_null:
        arrays["attention_root_lambda_null"] = (dims, [[[1.0] * 3] * len(roots)])
    result = replace(result, explanation=replace(result.explanation, attention=xr.Dataset(arrays)))
    words = mixing_sentence(result)
    known = [value for each in roots for value in each if math.isfinite(value)]
    if not known:
        assert words == ""
        return
    told = found(r"√λ is # to # over (\d+) heads? \(median #\), below 1 in (none|all|\d+)", words)
    assert told, words
    below = sum(value < 1 for value in known)
    assert int(told[3]) == len(known)
    assert {"none": 0, "all": len(known)}.get(told[5], -1) == below or told[5] == str(below)
    for written, value in ((told[1], min(known)), (told[2], max(known))):
        assert abs(read(written).value - value) <= 0.051 * abs(value) + read(written).open
    assert abs(read(told[4]).value / float(np.median(known)) - 1) <= 0.051


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(factors, factors), min_size=1, max_size=5))
def test_gains_of_attention(gains: list[tuple[float, float]]) -> None:
    names, constant, rest = ["embedding"], [1.0], [1.0]
    for layer, (dc, hc) in enumerate(gains):
        names += [f"{layer}.attention", str(layer)]
        constant += [dc, 1.0]
        rest += [hc, 1.0]
    result = measurement(
        {"mean_token_norm": constant, "distance_to_mean": rest},
        points=names, blocks=len(gains), words=("a", "b"), similarity=False,
    )  # fmt: skip
    words = gain_sentence(result)
    favours = {place for place, (dc, hc) in enumerate(gains) if dc > hc}
    if not any(all(map(math.isfinite, pair)) for pair in gains):
        assert words == ""
        return
    told = re.search(r"in (no block|blocks? [\d–, and]+)", words)
    assert told, words
    assert (set() if told[1] == "no block" else blocks_of(told[1])) == favours
    alone = attention_gain_sentence(result)
    assert "nan" not in alone


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["smoothing", "sharpening", "neutral", "tied"]), min_size=3, max_size=3),
        min_size=1,
        max_size=5,
    )
)
def test_circuits(kinds: list[list[str]]) -> None:
    result = explained(blocks=len(kinds), heads=3, texts=1, words=("a", "b"))
    assert result.explanation is not None
    dominance = xr.Dataset({"dominant_kind": (("layer", "head"), np.array(kinds))})
    words = circuits_sentence(replace(result, explanation=replace(result.explanation, dominance=dominance)))
    everyone = [kind for each in kinds for kind in each]
    whole = re.match(r"All (\d+) heads read as (\w+)", words)
    if whole:
        assert set(everyone) == {whole[2]}
    else:
        counts = {kind: int(number) for number, kind in re.findall(r"(\d+) (?:read )?as (\w+)", words)}
        assert counts == {kind: everyone.count(kind) for kind in set(everyone)}
    low = {place for place, each in enumerate(kinds) if each.count("smoothing") > 1.5}
    told = re.search(r"; (blocks? [\d–, and]+) (?:is|are) low-pass", words)
    assert (blocks_of(told[1]) if told else set()) == low


@settings(max_examples=80, deadline=None)
@given(row(st.one_of(st.floats(-3, 9), st.just(NAN)), 2), row(st.one_of(st.floats(0, 1), st.just(NAN)), 2))
def test_the_spectrum_and_the_rank(skewness: list[float], explained_variance: list[float]) -> None:
    width = min(len(skewness), len(explained_variance))
    curves = {
        "spectrum_skewness": skewness[:width],
        "explained_variance_1": explained_variance[:width],
        "effective_rank": [1 + abs(value) for value in skewness[:width]],
    }
    result = measurement(curves, blocks=width - 1, final_norm=False, words=("a", "b"), similarity=False)
    names = ["the embedding", *(f"block {place}" for place in range(width - 1))]
    rank = next(each for each in readings(result) if each.name == "spectrum").measured
    for words, name, pattern in (
        (spectrum_found(result), "spectrum_skewness", rf"From {PLACE} to {PLACE}: skewness # → #"),
        (spectrum_found(result), "explained_variance_1", rf"From {PLACE} to {PLACE}: (?:skewness [^:]*, )?EV₁ # → #"),
        (rank, "effective_rank", rf"goes # → # from {PLACE} to {PLACE}"),
    ):
        known = [place for place, value in enumerate(curves[name]) if math.isfinite(value)]
        told = found(pattern, words)
        assert (told is not None) == bool(known), (words, name)
        if told:
            groups = told.groups()
            ends, numbers = (groups[2:], groups[:2]) if name == "effective_rank" else (groups[:2], groups[2:])
            assert list(ends) == [names[known[0]], names[known[-1]]]
            for written, place in zip(numbers, (known[0], known[-1]), strict=True):
                assert read(written).says(curves[name][place])
