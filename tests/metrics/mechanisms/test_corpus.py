"""Within against between and layers against layers, against loops over every pair."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny import minilm

from oversmooth.core.texts import bundled
from oversmooth.metrics.mechanisms import corpus
from oversmooth.metrics.mechanisms.corpus import FORMS, Corpus, linear_cka, within_between

Texts = list[NDArray[np.float32]]


def texts_of(lengths: Sequence[int], dimension: int = 7, offset: float = 0.5, seed: int = 0) -> Texts:
    """Tokens around a point of each text around an offset of the corpus."""
    random = np.random.default_rng(seed)
    corpus_offset = offset * random.normal(size=dimension)
    each = [corpus_offset + random.normal(size=dimension) + random.normal(size=(n, dimension)) for n in lengths]
    return [rows.astype(np.float32) for rows in each]


def cosine(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return math.fsum(first * second) / math.hypot(*first) / math.hypot(*second)


def pair_by_pair(texts: Sequence[NDArray[np.float64]]) -> tuple[float, float, list[float]]:
    """Within, between and within each, from the cosine of every pair of tokens."""
    each = [
        math.fsum(cosine(x, y) for x, y in itertools.permutations(text, 2)) / (len(text) * (len(text) - 1))
        if len(text) > 1
        else math.nan
        for text in texts
    ]
    between = [
        math.fsum(cosine(x, y) for x in one for y in other) / (len(one) * len(other))
        for one, other in itertools.combinations(texts, 2)
    ]
    known = [value for value in each if not math.isnan(value)]
    return math.fsum(known) / len(known), math.fsum(between) / len(between), each


def forms_of(texts: Texts) -> dict[str, list[NDArray[np.float64]]]:
    """The tokens in each form, dimension by dimension."""
    raw = [text.astype(np.float64) for text in texts]
    centred, standardised = [], []
    for column in range(raw[0].shape[1]):
        columns = [text[:, column] for text in raw]
        mean = math.fsum(math.fsum(values) / len(values) for values in columns) / len(columns)
        moved = [values - mean for values in columns]
        spread = math.sqrt(math.fsum(math.fsum(values**2) / len(values) for values in moved) / len(moved))
        centred.append(moved)
        if spread > 0:
            standardised.append([values / spread for values in moved])
    joined = [[np.stack(columns, axis=1) for columns in zip(*form, strict=True)] for form in (centred, standardised)]
    return {"raw": raw, "centred": joined[0], "standardised": joined[1]}


@pytest.mark.parametrize("offset", [0.0, 0.5, 300.0])
@pytest.mark.parametrize("lengths", [(3, 5), (2, 9, 4, 1), (6, 6, 6)])
def test_each_form_is_the_mean_over_pairs(lengths: tuple[int, ...], offset: float) -> None:
    texts = texts_of(lengths, offset=offset)
    found = within_between(texts)
    for form, tokens in forms_of(texts).items():
        within, between, each = pair_by_pair(tokens)
        reading = found[form]  # type: ignore[index]
        assert reading.within == pytest.approx(within, abs=1e-10)
        assert reading.between == pytest.approx(between, abs=1e-10)
        assert reading.difference == pytest.approx(within - between, abs=1e-10)
        np.testing.assert_allclose(reading.within_each, each, atol=1e-10)
    assert tuple(found) == FORMS


def test_an_offset_of_the_corpus_is_between_and_goes_with_centring() -> None:
    found = within_between(texts_of((20,) * 12, dimension=40, offset=30.0))
    assert found["raw"].between > 0.99
    assert abs(found["raw"].difference) < 0.01
    assert abs(found["centred"].between) < 0.1
    # Each text has a point of its own, of the size of the spread around it.
    assert found["centred"].difference > 0.4


def test_a_rogue_dimension_rules_until_it_is_standardised() -> None:
    texts = texts_of((8,) * 6, dimension=30)
    random = np.random.default_rng(5)
    for text in texts:
        text[:, 3] = 1000 * random.choice([-1, 1])
    found = within_between(texts)
    assert found["centred"].within > 0.99
    assert found["standardised"].within < 0.8


def test_a_constant_dimension_does_not_count_when_standardised() -> None:
    texts = texts_of((4, 5, 6))
    with_constant = [np.hstack([text, np.full((len(text), 1), 0.1, np.float32)]) for text in texts]
    with_constant[1][2, -1] = np.nextafter(np.float32(0.1), np.float32(1))  # up to the last bit
    for found in within_between(with_constant).values():
        assert np.isfinite([found.within, found.between]).all()
    assert within_between(with_constant)["standardised"].within == pytest.approx(
        within_between(texts)["standardised"].within, abs=1e-12
    )


def test_one_text_has_no_between() -> None:
    found = within_between(texts_of((5,)))["raw"]
    assert np.isfinite(found.within)
    assert math.isnan(found.between)
    assert math.isnan(found.difference)
    assert found.reason == "tokens of different texts need at least two texts"


def test_a_text_with_a_zero_vector_is_left_out() -> None:
    texts = texts_of((5, 6, 7))
    texts[1][2] = 0.0
    found, without = within_between(texts)["raw"], within_between([texts[0], texts[2]])["raw"]
    assert found.within == pytest.approx(without.within)
    assert found.between == pytest.approx(without.between)
    assert np.isnan(found.within_each).tolist() == [False, True, False]
    assert found.reason == "1 text with a zero vector, which has no direction, left out"


def test_equal_tokens_are_alike_in_every_text_and_have_no_direction_once_centred() -> None:
    # As a network that over-smooths leaves them: equal up to the last bits of float32.
    token = np.random.default_rng(1).normal(size=9).astype(np.float32)
    wobble = np.float32(1) + np.array([[0.0], [6e-8], [0.0]], np.float32)
    found = within_between([token * wobble, token * wobble[::-1], np.tile(token, (4, 1))])
    assert found["raw"].within == pytest.approx(1.0, abs=1e-12)
    assert found["raw"].difference == pytest.approx(0.0, abs=1e-12)
    for form in FORMS[1:]:
        reading = found[form]
        assert np.isnan([reading.within, reading.between, *reading.within_each]).all()
        assert "same vector" in reading.reason


def direct_cka(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """By doubly centred Gram matrices, as the paper defines HSIC."""

    def gram(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        raw = rows @ rows.T
        centred: NDArray[np.float64] = raw - raw.mean(axis=0) - raw.mean(axis=1)[:, None] + raw.mean()
        return centred

    one, other = gram(first), gram(second)
    return float((one * other).sum() / math.sqrt((one * one).sum() * (other * other).sum()))


@pytest.mark.parametrize(("tokens", "dimension"), [(300, 5), (300, 150), (20, 64), (2, 3)])
def test_linear_cka_is_that_of_centred_gram_matrices(tokens: int, dimension: int) -> None:
    random = np.random.default_rng(3)
    first = random.normal(size=(tokens, dimension)) + 4
    states = {
        "embedding": first.astype(np.float32),
        "0": (first + random.normal(size=first.shape)).astype(np.float32),
        "1": (first * np.geomspace(1, 1e3, dimension)).astype(np.float32),
    }
    found = linear_cka(states)
    exact = [each.astype(np.float64) for each in states.values()]
    expected = [[direct_cka(one, other) for other in exact] for one in exact]
    np.testing.assert_allclose(found, expected, atol=1e-10)
    assert (found.diagonal() == 1.0).all()
    assert (found == found.T).all()


@pytest.mark.parametrize("seed", range(4))
def test_linear_cka_sees_neither_rotation_nor_scale_nor_shift(seed: int) -> None:
    random = np.random.default_rng(seed)
    tokens = random.normal(size=(50, 12))
    rotation, _ = np.linalg.qr(random.normal(size=(12, 12)))
    turned = 1e-3 * tokens @ rotation + random.normal(size=12)
    other = tokens**3
    found = linear_cka({key: each.astype(np.float32) for key, each in zip("abc", (tokens, turned, other), strict=True)})
    assert found[0, 1] == pytest.approx(1.0, abs=1e-5)
    assert found[0, 2] == pytest.approx(found[1, 2], abs=1e-4)
    assert found[0, 2] < 0.99


def test_linear_cka_with_equal_tokens_is_missing() -> None:
    random = np.random.default_rng(0)
    states = {key: random.normal(size=(6, 4)).astype(np.float32) for key in "abc"}
    states["b"] = np.tile(states["b"][:1], (6, 1))
    found = linear_cka(states)
    assert np.isnan(found[1]).all()
    assert np.isnan(found[:, 1]).all()
    assert np.isfinite(found[np.ix_([0, 2], [0, 2])]).all()


POINTS = ("embedding", "0", "1")


def filled(
    texts: Sequence[Texts],
    lengths: Sequence[int],
    missing: Sequence[tuple[int, str]] = (),
    rounding: float = 2.0**-24,
) -> Corpus:
    """A corpus with these texts at all points, arriving from several threads, the last first."""
    held = Corpus(lengths, POINTS, texts[0][0].shape[1])
    arriving = [
        (number, point, None if (number, point) in missing else texts[place][number], rounding)
        for place, point in enumerate(POINTS)
        for number in range(len(lengths))
    ]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda each: held.take(*each), reversed(arriving)))
    return held


def test_a_corpus_reads_all_texts_at_all_points() -> None:
    lengths = (4, 1, 6, 3)
    texts = [texts_of(lengths, seed=seed) for seed in range(3)]
    reading = filled(texts, lengths).reading()
    assert (reading.points, reading.texts, reading.remarks) == (POINTS, 4, ())
    for place, point in enumerate(POINTS):
        for form, expected in within_between(texts[place]).items():
            assert reading.forms[point][form].within == expected.within
            assert reading.forms[point][form].between == expected.between
            np.testing.assert_array_equal(reading.forms[point][form].within_each, expected.within_each)
    together = {point: np.concatenate(texts[place]) for place, point in enumerate(POINTS)}
    np.testing.assert_array_equal(reading.layer_cka, linear_cka(together))


def test_a_text_that_is_not_finite_somewhere_is_left_out_there_and_in_cka() -> None:
    lengths = (4, 5, 6, 3)
    texts = [texts_of(lengths, seed=seed) for seed in range(3)]
    reading = filled(texts, lengths, missing=[(1, "0")]).reading()
    found = reading.forms["0"]["raw"]
    assert found.within == within_between([texts[1][n] for n in (0, 2, 3)])["raw"].within
    assert np.isnan(found.within_each).tolist() == [False, True, False, False]
    assert found.reason == "1 text without finite states left out"
    assert reading.forms["1"]["raw"].reason == ""
    together = {point: np.concatenate([texts[p][n] for n in (0, 2, 3)]) for p, point in enumerate(POINTS)}
    np.testing.assert_array_equal(reading.layer_cka, linear_cka(together))


def test_what_a_pass_may_have_made_of_one_vector_is_missing() -> None:
    lengths = (4, 5)
    apart, alike = texts_of(lengths), [np.float32(1e3) + np.float32(2e-3) * text for text in texts_of(lengths)]
    texts = [apart, alike, apart]
    for rounding, told in ((2.0**-24, True), (2.0**-18, False)):
        reading = filled(texts, lengths, rounding=rounding).reading()
        for form in FORMS[1:]:
            assert np.isfinite(reading.forms["0"][form].within) == told
        assert ("same vector" in reading.forms["0"]["centred"].reason) != told
        assert np.isfinite(reading.layer_cka[1]).all() == told
        assert np.isfinite(reading.layer_cka[0, 2])


def test_float64_states_are_told_apart_below_what_float32_resolves() -> None:
    random = np.random.default_rng(5)
    texts = [1.0 + 1e-10 * random.normal(size=(6, 5)) for _ in range(2)]
    found = within_between(texts)
    assert np.isfinite([found[form].within for form in FORMS]).all()
    together = np.concatenate(texts)
    assert linear_cka({"a": together, "b": 2.0 * together})[0, 1] == pytest.approx(1.0, abs=1e-4)


def test_states_that_are_finite_nowhere_leave_everything_missing_with_the_reason() -> None:
    lengths = (4, 5)
    texts = [texts_of(lengths) for _ in POINTS]
    reading = filled(texts, lengths, missing=[(0, "1"), (1, "1")]).reading()
    for form in FORMS:
        found = reading.forms["1"][form]
        assert np.isnan([found.within, found.between, *found.within_each]).all()
        assert found.reason == "no text has finite states here"
    assert np.isnan(reading.layer_cka).all()


def test_only_the_first_texts_that_fit_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = (4, 5, 6, 1)
    texts = [texts_of(lengths, seed=seed) for seed in range(3)]
    monkeypatch.setattr(corpus, "BYTES", 4 * len(POINTS) * 7 * 10)
    monkeypatch.setattr(corpus, "CKA_TOKENS", 8)
    reading = filled(texts, lengths).reading()
    assert reading.texts == 2
    assert reading.remarks == (
        "Over the first 2 of 4 texts: more do not fit into memory.",
        "Layers are compared over the first 8 of 9 tokens.",
    )
    assert reading.forms["0"]["raw"].between == within_between(texts[1][:2])["raw"].between
    together = {point: np.concatenate(texts[place])[:8] for place, point in enumerate(POINTS)}
    np.testing.assert_array_equal(reading.layer_cka, linear_cka(together))


def test_a_first_text_that_does_not_fit_leaves_everything_missing_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(corpus, "BYTES", 4 * len(POINTS) * 7 * 3)
    reading = filled([texts_of((4, 2))] * 3, (4, 2)).reading()
    assert reading.texts == 0
    assert reading.remarks == ("The first text alone does not fit into the memory for readings over several texts.",)
    assert reading.forms["0"]["raw"].reason == "no text fits into the memory for it"
    assert np.isnan(reading.layer_cka).all()


def test_minilm_is_mostly_anisotropic_but_for_its_last_block() -> None:
    model = minilm()
    points: list[Texts] = [[] for _ in range(7)]
    with torch.inference_mode():
        for sentence in bundled()[::2]:
            encoded = model.tokenizer(sentence.text, return_tensors="pt")
            states = model.network(**encoded, output_hidden_states=True).hidden_states
            for kept, state in zip(points, states, strict=True):
                kept.append(state[0, 1:-1].numpy().copy())
    raw = [within_between(texts)["raw"] for texts in points]
    shares = [each.difference / each.within for each in raw]
    # Up to block 4, most of what is alike inside a text is alike in all texts; after the last block, little of it is.
    assert max(shares[:6]) < 1 / 3
    assert shares[6] > 2 / 3
    assert min(each.within for each in raw) > 0.05
    assert raw[6].within > 3 * raw[0].within
