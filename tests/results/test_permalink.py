"""Settings and view as the query of an address, and back: for anything that a page can ask for, and for any junk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversmooth import Settings, metrics, mitigations
from oversmooth.core.pairs import Input
from oversmooth.core.texts import bundled
from oversmooth.results.comparison import MOST_VARIANTS
from oversmooth.results.comparison_settings import ComparisonSettings
from oversmooth.results.permalink import LONGEST, LONGEST_ENTRY, AnySettings, Link, from_query, to_query
from oversmooth.results.view import LEFT, View

BUNDLED = tuple(sentence.text for sentence in bundled())
USUAL = Settings.of(texts="The cat sat on the mat.", centred_spectra=True)


def comparison(baseline: Settings, **variants: dict[str, Any]) -> ComparisonSettings:
    sides = {label: Settings.of(**{**baseline.model_dump(), **own}) for label, own in variants.items()}
    return ComparisonSettings(baseline=baseline, variants=tuple(sides.items()))


COMPARED = comparison(
    USUAL.model_copy(update={"fidelity": True}),
    softdecay={"mitigations": ("softdecay",)},
    attnscale={"mitigations": ("attnscale",)},
)

# Any character but halves of one; whatever is printable stands for labels.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
LABELS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20).filter(
    lambda label: label != "baseline"
)
SPECIFICATIONS = st.sampled_from(
    [
        "softdecay:blend=0.5",
        "neutreno:strength=0.4+attnscale:omega=0.5,layers=0-2/4",
        "gfsa",
        *mitigations.names(),
    ]
)
# What looks like a pair, and is a text.
LIKE_PAIRS = st.sampled_from(['["a","b"]', '["a"]', "[", '["a",1]', "[" * 40, '["a", "b", "c"]'])
OWN_TEXTS = st.lists(TEXTS | LIKE_PAIRS | st.tuples(TEXTS, TEXTS), min_size=1, max_size=3).map(tuple)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "model": TEXTS.filter(bool),
    "revision": st.none() | TEXTS,
    "texts": OWN_TEXTS | st.just(BUNDLED),
    "shown": st.integers(0, 70),
    "special_tokens": st.booleans(),
    "metrics": st.lists(st.sampled_from(metrics.names()), min_size=1).map(tuple),
    "points": st.sampled_from(["blocks", "all", "branches"]),
    "similarity": st.booleans(),
    "centred_spectra": st.booleans(),
    "fidelity": st.booleans(),
    "language_model": st.booleans(),
    "explanation": st.booleans(),
    "device": st.sampled_from(["auto", "cpu", "cuda", "mps"]),
    "precision": st.sampled_from(["float32", "float64"]),
    "max_tokens": st.integers(1, 8192),
}
SETTINGS = st.fixed_dictionaries(
    {"texts": FIELDS["texts"]}, optional={name: each for name, each in FIELDS.items() if name != "texts"}
).map(lambda own: Settings.of(**_fitting(own, own["texts"])))
VIEWS = st.builds(
    View,
    curves=st.none() | st.lists(st.sampled_from([*metrics.usual_names(), *LEFT]), unique=True).map(tuple),
    lines=st.booleans(),
    layer=st.sampled_from(["", "0", "11", "embedding", "final_norm"]),
    scale=st.sampled_from(["Linear", "Log"]),
    form=st.sampled_from(["Raw", "Centred"]),
    across=st.sampled_from(["", *LEFT]),
    upwards=st.sampled_from(["", *metrics.usual_names()]),
    controls=st.booleans(),
)


def _fitting(
    own: dict[str, Any], texts: Sequence[Input], shown: int = 0, *, explanation: bool = False
) -> dict[str, Any]:
    """The fields with the number of a text that is there, and the points that an explanation is measured at."""
    return {
        **own,
        "shown": own.get("shown", shown) % len(texts),
        **({"points": "branches"} if own.get("explanation", explanation) else {}),
    }


@st.composite
def comparisons(draw: st.DrawFn) -> ComparisonSettings:
    baseline = draw(SETTINGS)
    labels = draw(st.lists(LABELS | SPECIFICATIONS, unique=True, max_size=MOST_VARIANTS))
    # The sentences that come along are too long for a variant's own texts.
    fields = {**FIELDS, "mitigations": st.tuples(SPECIFICATIONS), "texts": OWN_TEXTS}
    own = {label: draw(st.fixed_dictionaries({}, optional=fields)) for label in labels}
    fitting = {
        label: _fitting(each, each.get("texts", baseline.texts), baseline.shown, explanation=baseline.explanation)
        for label, each in own.items()
    }
    return comparison(baseline, **fitting)


def test_every_setting_is_tried() -> None:
    assert {*FIELDS, "schema_version", "mitigations"} == set(Settings.model_fields)


def travelled(settings: AnySettings, view: View, usual: AnySettings) -> Link:
    """What comes out of an address after a browser has had it."""
    address = to_query(settings, view, usual)
    query = urlencode(address.query, doseq=True)
    assert len(query) <= LONGEST
    return from_query(parse_qs(query, keep_blank_values=True), usual)


@given(settings=SETTINGS, view=VIEWS)
def test_a_measurement_comes_back_from_its_address_and_its_json(settings: Settings, view: View) -> None:
    link = travelled(settings, view, USUAL)
    assert link == Link(settings, view)
    assert Settings.from_json(settings.to_json()) == link.settings


@given(settings=comparisons(), view=VIEWS, data=st.data())
def test_a_comparison_comes_back_from_its_address_and_its_json(
    settings: ComparisonSettings, view: View, data: st.DataObject
) -> None:
    labels = [label for label, _ in settings.variants]
    view = view.model_copy(
        update={
            "mapped": data.draw(st.sampled_from(["", *labels])),
            "edited": data.draw(st.integers(0, len(labels))) if labels else 1,
        }
    )
    order = tuple(range(1, len(labels) + 1))
    places = data.draw(st.permutations(range(1, MOST_VARIANTS + 1)))[: len(labels)]
    view = view.model_copy(update={"places": None if tuple(places) == order else tuple(places)})
    link = travelled(settings, view, COMPARED)
    assert link == Link(settings, view)
    assert ComparisonSettings.from_json(settings.to_json()) == link.settings


NAMES = st.sampled_from([*Settings.model_fields, *View.model_fields, "text", "metric", "curve", "variant", "left_out"])
VALUES = st.text(max_size=40) | st.sampled_from(
    [
        "{",
        "{}",
        "null",
        "[]",
        '{"label":1}',
        '{"label":"a","texts":[1]}',
        '{"label":"a","x":1}',
        "[" * 5000,
        "-1",
        "yes",
    ]
)


@given(query=st.dictionaries(NAMES | st.text(max_size=20), st.lists(VALUES, max_size=9), max_size=12))
@pytest.mark.parametrize("usual", [USUAL, COMPARED], ids=["measure", "compare"])
def test_junk_is_told_and_never_raises(usual: AnySettings, query: dict[str, list[str]]) -> None:
    link = from_query(query, usual)
    assert type(link.settings) is type(usual)
    assert all(notice.isprintable() and len(notice) < 1000 for notice in link.notices)


def test_what_is_usual_is_not_in_the_address() -> None:
    assert to_query(USUAL, View(), USUAL).query == {}
    assert to_query(COMPARED, View(), COMPARED).query == {}
    assert from_query({}, COMPARED) == Link(COMPARED, View())


def test_an_address_can_be_read_and_written_by_hand() -> None:
    link = from_query(parse_qs("text=A+cat.&variant=gfsa&variant=softdecay:blend=0.5&layer=3&curve=rankme"), COMPARED)
    assert link.notices == ()
    assert isinstance(link.settings, ComparisonSettings)
    assert link.settings.baseline.texts == ("A cat.",)
    assert [label for label, _ in link.settings.variants] == ["gfsa", "softdecay:blend=0.5"]
    assert "blend=0.5" in link.settings.variants[1][1].mitigations[0]
    assert link.view == View(curves=("rankme",), layer="3")


def test_of_what_is_given_twice_the_last_stands() -> None:
    link = from_query({"layer": ["1", "3"], "max_tokens": ["7", "9"]}, USUAL)
    assert (link.view.layer, link.settings, link.notices) == ("3", USUAL.model_copy(update={"max_tokens": 9}), ())


def test_other_baselines_keep_the_usual_variants() -> None:
    link = from_query({"device": ["cpu"]}, COMPARED)
    assert isinstance(link.settings, ComparisonSettings)
    assert [(label, each.device) for label, each in link.settings.variants] == [
        ("softdecay", "cpu"),
        ("attnscale", "cpu"),
    ]


@pytest.mark.parametrize(
    ("query", "notice"),
    [
        ({"device": ["gpu"]}, "“device”"),
        ({"max_tokens": ["0"]}, "“max_tokens”"),
        ({"special_tokens": ["1"]}, "“special_tokens”"),
        ({"curve": ["rankmee"]}, "did you mean “rankme”?"),
        ({"scale": ["log"]}, "“scale” in the link cannot be “log”"),
        ({"layr": ["3"]}, "The link names “layr”, which is no control."),
        ({"left_out": ["text"]}, "The link leaves out the text: it is too long for an address."),
        ({"variant": ["softdecai"]}, "Variant 1 of the link is left out: "),
        ({"variant": ["gfsa", "gfsa"]}, "“gfsa” is given 2 times"),
        ({"variant": [f"noise:seed={seed}" for seed in range(9)]}, "has 9 variants; the first 6 are taken"),
        ({"mapped": ["pairnorm"]}, "“pairnorm”, which is no variant"),
        ({"place": ["2", "2", "3"]}, "no two variants have the same place"),
        ({"place": ["2", "x", "3"]}, "“place” in the link cannot be “3”"),
        ({"place": ["2", "7", "3"]}, "“place” in the link cannot be “3”"),
        ({"place": ["2"]}, "other variants than places"),
        ({"texts": ["all"]}, "“texts” in the link cannot be “all”. Its usual value stands."),
        ({"shown": ["1"]}, "The setting “shown”: text 1, counted from 0, is not among 1 text."),
        ({"edited": ["7"]}, "controls of variant 7, which is not there"),
    ],
)
def test_each_part_that_cannot_be_read_is_told_and_the_rest_stands(query: dict[str, list[str]], notice: str) -> None:
    link = from_query({"layer": ["2"], **query}, COMPARED)
    assert len(link.notices) == 1
    assert notice in link.notices[0]
    assert link.view.layer == "2"


def test_of_too_many_variants_the_first_are_taken_and_no_more() -> None:
    link = from_query({"variant": [f"noise:seed={seed}" for seed in range(9)]}, COMPARED)
    assert isinstance(link.settings, ComparisonSettings)
    assert [label for label, _ in link.settings.variants] == [f"noise:seed={seed}" for seed in range(6)]


def test_a_long_text_stays_out_and_says_so_at_both_ends() -> None:
    settings = Settings.of(texts="字" * LONGEST_ENTRY, centred_spectra=True, device="cpu")
    address = to_query(settings, View(), USUAL)
    assert address.left_out == ("text",)
    link = from_query(address.query, USUAL)
    assert link.settings == USUAL.model_copy(update={"device": "cpu"})
    assert link.notices == ("The link leaves out the text: it is too long for an address.",)


def test_the_sentences_that_come_along_travel_by_name() -> None:
    settings = Settings.of(texts=BUNDLED, centred_spectra=True, shown=63)
    address = to_query(settings, View(lines=True), USUAL)
    assert address.query == {"texts": ["bundled"], "shown": ["63"], "lines": ["yes"]}
    assert from_query(address.query, USUAL) == Link(settings, View(lines=True))


def test_texts_that_are_too_long_together_stay_out_with_the_number_of_the_one_shown() -> None:
    settings = Settings.of(texts=["word " * 100] * 4, shown=3, centred_spectra=True)
    address = to_query(settings, View(), USUAL)
    assert address.left_out == ("text",)
    link = from_query(address.query, USUAL)
    assert (link.settings, len(link.notices)) == (USUAL, 1)


def test_an_address_stays_short_and_names_the_variants_that_it_leaves_out() -> None:
    long = {f"variant {number}": {"texts": ("x" * 1_400,), "model": f"m{number}"} for number in range(MOST_VARIANTS)}
    settings = comparison(COMPARED.baseline.model_copy(update={"texts": ("y" * 1_400,)}), **long)
    address = to_query(settings, View(), COMPARED)
    assert len(urlencode(address.query, doseq=True)) <= LONGEST
    assert address.left_out
    link = from_query(address.query, COMPARED)
    assert isinstance(link.settings, ComparisonSettings)
    kept = len(link.settings.variants)
    assert link.settings.variants == settings.variants[:kept]
    assert 1 <= kept == MOST_VARIANTS - len(address.left_out)
    assert len(link.notices) == len(address.left_out)
