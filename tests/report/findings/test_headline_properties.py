"""Headlines over curves of every kind, read back by another reader: each number and direction word has to hold."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import alternatives
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from read_numbers import found, mean, read
from synthetic import measurement

from oversmooth.report.findings import changes, comparison_headline, headline
from oversmooth.report.findings.explanations import explanation_headline
from oversmooth.results.comparison import BASELINE, Comparison
from oversmooth.results.measurement import Measurement, Note

NAN = math.nan
PLACE = r"(the embedding|block \d+)"
TIED = [-0.25, 0.0, 0.1, 0.25, 0.5, 0.75]
"""Few values, so that many curves are constant or have steps of one size."""
NEAR_ONE = [0.98, 0.985, 0.999, 0.9999, 1 - 1e-6, 1 - 4e-14, 1.0]

cosines = st.one_of(
    st.sampled_from(TIED), st.sampled_from(NEAR_ONE), st.floats(-0.3, 1.0, allow_subnormal=False), st.just(NAN)
)
sizes = st.one_of(st.sampled_from([0.0, 1.0, 2.0]), st.floats(1e-9, 1e5), st.just(NAN))


@st.composite
def curves(draw: st.DrawFn, values: st.SearchStrategy[float], most_texts: int = 3) -> list[list[float]]:
    """Of one to three texts at the embedding and one to six blocks."""
    width, texts = draw(st.integers(2, 7)), draw(st.integers(1, most_texts))
    shape = draw(st.sampled_from(["any", "constant", "falling", "rising", "even", "single", "empty"]))
    rows = [[draw(values) for _ in range(width)] for _ in range(texts)]
    if shape == "constant":
        rows = [[row[0]] * width for row in rows]
    elif shape in ("falling", "rising"):
        rows = [sorted(row, key=lambda v: 0 if math.isnan(v) else v, reverse=shape == "falling") for row in rows]
    elif shape == "even":
        rows = [[0.1 + 0.125 * place for place in range(width)] for _ in rows]
    elif shape == "single":
        kept = draw(st.integers(0, width - 1))
        rows = [[value if place == kept else NAN for place, value in enumerate(row)] for row in rows]
    elif shape == "empty":
        rows = [[NAN] * width for _ in rows]
    return rows


def result(rows: list[list[float]], metric: str, final: float | None = None) -> Measurement:
    blocks = len(rows[0]) - 1
    values = rows if final is None else [[*row, final] for row in rows]
    names = ["embedding", *map(str, range(blocks)), *([] if final is None else ["final_norm"])]
    notes = [
        Note("missing", text, names[place], metric, "a reason")
        for text, row in enumerate(values)
        for place, value in enumerate(row)
        if math.isnan(value)
    ]
    return measurement(
        {metric: values},
        blocks=blocks,
        final_norm=final is not None,
        notes=notes,
        words=("a", "b"),
        similarity=False,
    )


class Truth:
    """The same curves, read with lists alone."""

    def __init__(self, rows: list[list[float]]) -> None:
        width = len(rows[0])
        self.names = ["the embedding", *(f"block {number}" for number in range(width - 1))]
        known = [[place for place, value in enumerate(row) if math.isfinite(value)] for row in rows]
        ends = [(places[0], places[-1]) for places in known if places]
        self.texts = len(rows)
        self.empty = not ends
        if self.empty:
            return
        self.start, self.end = min(end[0] for end in ends), max(end[1] for end in ends)
        if not any(self.start in places and self.end in places for places in known):
            self.start, self.end = max(ends, key=lambda end: end[1] - end[0])
        kept = [row for row, places in zip(rows, known, strict=True) if self.start in places and self.end in places]
        self.kept = len(kept)
        self.means = [mean([row[place] for row in kept]) for place in range(width)]
        self.first, self.last = self.means[self.start], self.means[self.end]
        self.steps = {
            place: mean([row[place] - row[place - 1] for row in kept]) for place in range(self.start + 1, self.end + 1)
        }

    def at(self, place: str) -> int:
        return self.names.index(place)


def check_ends(words: str, truth: Truth) -> None:
    """``0.06 → 0.36 over 6 blocks``: the numbers are those at the named ends, of the texts that are counted."""
    told = found("# → #", words)
    assert told, words
    assert read(told[1]).says(truth.first), (words, truth.first)
    assert read(told[2]).says(truth.last), (words, truth.last)
    named = found(rf"# → #(?: [a-z]+)? from {PLACE} to {PLACE}", words)
    if named:
        named = re.search(rf"from {PLACE} to {PLACE}", words)
        assert named
        assert (truth.at(named[1]), truth.at(named[2])) == (truth.start, truth.end), words
    counted = re.search(r"mean of (?:(\d+) of )?(\d+) texts?", words)
    if truth.texts > 1 and "mean of" in words:
        assert counted
        assert int(counted[1] or counted[2]) == truth.kept
        assert int(counted[2]) == truth.texts


def check_direction(words: str, truth: Truth, *, cosine: bool) -> None:
    change, begins = truth.last - truth.first, words.partition(":")[0]
    if re.search(r"grow alike|rises", begins):
        assert change > 0, words
    elif re.search(r"grow apart|falls", begins):
        assert change < 0, words
    else:
        stays = re.search(r"stay as alike|hardly changes", begins)
        assert stays or re.search(r"end as alike as they began|comes back", begins), words
        assert bool(stays) == ("in between" not in words), words
        assert abs(change) < 0.02 if cosine else abs(change) <= 0.02 * max(abs(truth.first), abs(truth.last)), words
        if cosine:
            gaps = [max(1 - value, 1e-12) for value in (truth.first, truth.last)]
            assert 0.5 < gaps[0] / gaps[1] < 2, words


def check_where(words: str, truth: Truth) -> None:
    """Most of it, the largest steps, and what is reached in between."""
    most = re.search(rf"most of it in {PLACE}", words)
    if most:
        assert 0.5 < truth.steps[truth.at(most[1])] / (truth.last - truth.first) <= 1 + 1e-8
    largest = found(rf"the largest steps? \((#)\) in {PLACE}", words.replace("±", ""))
    if largest:
        step, top = truth.steps[truth.at(largest[3])], max(abs(s) for s in truth.steps.values() if s == s)
        assert abs(step) == pytest.approx(top, rel=1e-8), words
        assert read(largest[1].lstrip("+−")).says(abs(step)), words
        if "±" not in words:
            assert (largest[1][0] == "+") == (step > 0), words
        surely, perhaps = (sum(abs(s) >= top * (1 - each) for s in truth.steps.values()) for each in (1e-11, 1e-8))
        assert "largest steps" in words or surely == 1, (words, truth.steps)
        assert "largest steps" not in words or perhaps > 1, (words, truth.steps)
    reached = found(rf"reaching # at {PLACE} in between", words)
    if reached:
        value = truth.means[truth.at(reached[2])]
        assert read(reached[1]).says(value), words
        assert not min(truth.first, truth.last) <= value <= max(truth.first, truth.last), words
    near = found("(?:1 − cosine|its distance to 1) # times as (small|large)", words)
    if near:
        ratio = (1 - truth.first) / (1 - truth.last)
        assert read(near[1]).value == pytest.approx(ratio if near[2] == "small" else 1 / ratio, rel=0.06), words
        assert read(near[1]).value >= 1.9


def check(words: str, truth: Truth, *, cosine: bool) -> None:
    assert "nan" not in words
    assert "  " not in words
    if truth.empty:
        assert "has no value" in words
        return
    if truth.start == truth.end:
        only = found(rf"is # at {PLACE}", words)
        assert only, words
        assert read(only[1]).says(truth.first)
        assert truth.at(only[2]) == truth.start
        return
    first_sentence = words.split(". ")[0]
    check_ends(first_sentence, truth)
    check_direction(first_sentence, truth, cosine=cosine)
    check_where(first_sentence, truth)


@settings(max_examples=150, deadline=None)
@given(curves(cosines), st.one_of(st.none(), st.floats(-1, 1)))
def test_of_the_mean_cosine(rows: list[list[float]], final: float | None) -> None:
    check(headline(result(rows, "token_cosine", final)), Truth(rows), cosine=True)


@settings(max_examples=100, deadline=None)
@given(curves(sizes), st.sampled_from(["effective_rank", "mean_norm", "matrix_entropy"]))
def test_of_another_metric(rows: list[list[float]], metric: str) -> None:
    check(headline(result(rows, metric)), Truth(rows), cosine=False)


@settings(max_examples=150, deadline=None)
@given(curves(cosines))
def test_of_an_explanation(rows: list[list[float]]) -> None:
    words, truth = explanation_headline(result(rows, "token_cosine")), Truth(rows)
    if truth.empty or truth.start == truth.end or "→" not in words:
        if truth.empty or truth.start == truth.end:
            check(words, truth, cosine=True)
        return
    check_ends(words, truth)
    check_direction(words.split(". ")[0], truth, cosine=True)
    mostly = re.search(rf"mostly in {PLACE}", words)
    if mostly:
        assert 0.5 < truth.steps[truth.at(mostly[1])] / (truth.last - truth.first) <= 1 + 1e-8


@settings(max_examples=150, deadline=None)
@given(curves(cosines))
def test_the_tiles_hold_the_same_numbers(rows: list[list[float]]) -> None:
    (change,), truth = changes(result(rows, "token_cosine"), ["token_cosine"]), Truth(rows)
    if truth.empty:
        assert math.isnan(change.first)
        return
    assert (change.first, change.last) == pytest.approx((truth.first, truth.last), abs=1e-12)
    if change.block is not None:
        step = truth.steps[int(change.block) + 1]
        assert change.size == pytest.approx(step, abs=1e-12)
        assert abs(step) >= max(abs(size) for size in truth.steps.values() if size == size) - 1e-9


@settings(max_examples=150, deadline=None)
@given(curves(cosines))
def test_an_alternative_text_of_the_curve(rows: list[list[float]]) -> None:
    words = alternatives.curve(result(rows, "token_cosine"), "token_cosine")
    means = [mean([row[place] for row in rows]) for place in range(len(rows[0]))]
    names = Truth(rows).names
    known = {name: value for name, value in zip(names, means, strict=True) if math.isfinite(value)}
    if not known:
        assert "empty" in words
        return
    told = found(rf"Lowest # at {PLACE}, highest # at {PLACE}", words)
    assert told, words
    assert known[told[2]] == pytest.approx(min(known.values()), abs=1e-12)
    assert known[told[4]] == pytest.approx(max(known.values()), abs=1e-12)
    assert read(told[1]).says(min(known.values()))
    assert read(told[3]).says(max(known.values()))


@st.composite
def sides(draw: st.DrawFn) -> list[list[list[float]]]:
    """A baseline and one to three variants: the same texts and blocks."""
    base = draw(curves(cosines))
    found = [base]
    for _ in range(draw(st.integers(1, 3))):
        shift = draw(st.sampled_from([0.0, 1e-7, -1e-7, 0.125, -0.125]))
        same = [[value + shift for value in row] for row in base]
        other = [[draw(cosines) for _ in row] for row in base]
        found.append(draw(st.sampled_from([same, other])))
    return found


def paired(base: Sequence[Sequence[float]], other: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """The last values of the texts that have one on both sides."""
    ends = [(row[-1], beside[-1]) for row, beside in zip(base, other, strict=True)]
    return [(a, b) for a, b in ends if math.isfinite(a) and math.isfinite(b)]


@settings(max_examples=150, deadline=None)
@given(sides())
def test_of_a_comparison(every: list[list[list[float]]]) -> None:
    base, *others = every
    names = dict(zip("abc", others, strict=False))
    found_sides = {BASELINE: base, **names}
    comparison = Comparison({label: result(rows, "token_cosine") for label, rows in found_sides.items()}, {})
    words = comparison_headline(comparison)
    assert "nan" not in words
    pairs = {label: ends for label, rows in names.items() if (ends := paired(base, rows))}
    deltas = {label: mean([b - a for a, b in ends]) for label, ends in pairs.items()}
    opening = r"Mean cosine(?: \(mean of (?:(\d+) of )?(\d+) texts\))? at block \d+: ([abc]) (raises|lowers|leaves)"
    told = re.match(opening, words)
    if not deltas:
        assert told is None, words
        return
    assert told, words
    ends = pairs[told[3]]
    before, after = mean([a for a, _ in ends]), mean([b for _, b in ends])
    if told[2]:
        assert int(told[1] or told[2]) == len(ends)
    assert abs(deltas[told[3]]) >= max(abs(size) for size in deltas.values()) * (1 - 1e-8)
    if told[4] == "leaves":
        assert after - before == pytest.approx(0, abs=2e-9)
    else:
        assert (told[4] == "raises") == (deltas[told[3]] > 0)
        numbers = found("it from # to #", words)
        if numbers:
            assert read(numbers[1]).says(before), words
            assert read(numbers[2]).says(after), words
            assert numbers[1] != numbers[2]
    count = re.search(r"the largest difference of (\d) variants(?: \((\d) others? as large\))?", words)
    assert (count is not None) == (len(deltas) > 1), words
    if count:
        top = abs(deltas[told[3]])
        assert int(count[1]) == len(deltas)
        assert int(count[2] or 0) == sum(abs(size) >= top * (1 - 1e-9) for size in deltas.values()) - 1


@settings(max_examples=100, deadline=None)
@given(sides())
def test_of_the_curve_of_differences(every: list[list[list[float]]]) -> None:
    base, other, *_ = every
    comparison = Comparison({BASELINE: result(base, "token_cosine"), "a": result(other, "token_cosine")}, {})
    words = alternatives.delta_curve(comparison, "token_cosine")
    told = found(rf"by # at most, at {PLACE}", words)
    if told is None:
        return
    place = Truth(base).at(told[2])
    ends = [
        after[place] - before[place]
        for before, after in zip(base, other, strict=True)
        if math.isfinite(before[place]) and math.isfinite(after[place])
    ]
    assert read(told[1]).says(mean(ends)), words
    assert (told[1][0] == "+") == (mean(ends) > 0), words


@settings(max_examples=80, deadline=None)
@given(curves(cosines, most_texts=2), st.lists(st.sampled_from([3.0, 999.0, 1000.0, 5e4]), min_size=7, max_size=7))
def test_beside_massive_activations(rows: list[list[float]], ratios: list[float]) -> None:
    plain = result(rows, "token_cosine")
    width = len(rows[0])
    array = xr.DataArray(np.tile(ratios[:width], (len(rows), 1)), dims=("input", "point"))
    object.__setattr__(plain, "activation_ratios", array)
    words, truth = headline(plain), Truth(rows)
    largest = max(ratios[:width])
    if truth.empty:
        return
    assert ("assive activation" in words) == (largest >= 1000), words
    if largest >= 1000:
        told = found(rf"# times the median at {PLACE}", words)
        assert told, words
        assert read(told[1]).says(largest)
        assert ratios[truth.at(told[2])] == largest
    if truth.start != truth.end and max(ratios[truth.start], ratios[truth.end]) >= 1000:
        assert not words.startswith("Tokens")
