"""Mitigations as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversmooth.core.errors import MitigationError
from oversmooth.mitigations import names, parse
from oversmooth.mitigations.attnscale import AttnScale
from oversmooth.mitigations.pairnorm import PairNorm
from oversmooth.results.settings import Settings


def canonical(text: str) -> str:
    return "+".join(map(str, parse(text)))


def test_one_method_with_its_defaults() -> None:
    assert parse("attnscale") == (AttnScale(),)


def test_several_methods_keep_their_order() -> None:
    assert parse("pairnorm:scale=2+attnscale:omega=0.5") == (PairNorm(scale=2), AttnScale(omega=0.5))
    assert parse("attnscale:omega=0.5+pairnorm:scale=2") == (AttnScale(omega=0.5), PairNorm(scale=2))


@pytest.mark.parametrize(
    "text",
    [
        "attnscale:omega=5e-1",
        "attnscale:omega=+0.5",
        "attnscale:omega=.50",
        " attnscale : omega = 0.5 ",
        "attnscale:layers=default,omega=0.5",
        "attnscale:omega=0.5,heads=DEFAULT",
    ],
)
def test_one_meaning_has_one_canonical_form(text: str) -> None:
    assert canonical(text) == "attnscale:omega=0.5,layers=default,heads=default"
    assert canonical(canonical(text)) == canonical(text)


def test_the_plus_of_an_exponent_joins_nothing() -> None:
    assert parse("pairnorm:scale=1e+1+attnscale") == (PairNorm(scale=10), AttnScale())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "A mitigation is missing: write its name, such as “neutreno:strength=0.05”."),
        ("   ", "A mitigation is missing: write its name, such as “neutreno:strength=0.05”."),
        ("+attnscale", "A mitigation is missing: write its name, such as “neutreno:strength=0.05”."),
        (":omega=1", "A mitigation is missing: write its name, such as “neutreno:strength=0.05”."),
        (
            "attnscael",
            "There is no mitigation named “attnscael” (did you mean “attnscale”?); "
            "`oversmooth mitigations` lists them.",
        ),
        ("§", "There is no mitigation named “§”; `oversmooth mitigations` lists them."),
        ("attnscale:omega", "attnscale: write “omega=value”; its parameters are omega, layers, heads."),
        ("attnscale:0.5", "attnscale: write “0.5=value”; its parameters are omega, layers, heads."),
        ("attnscale:omega=1,", "attnscale: write “…=value”; its parameters are omega, layers, heads."),
        (
            "attnscale:omgea=1",
            "attnscale has no parameter “omgea” (did you mean “omega”?); its parameters are omega, layers, heads.",
        ),
        ("attnscale:omega=1,omega=1", "attnscale: “omega” is given twice."),
        ("attnscale:omega=3", "attnscale: “omega” must be in [−1, 2], not 3."),
        ("attnscale:omega=nan", "attnscale: “omega” must be in [−1, 2], not nan."),
        ("attnscale:omega=1=2", "attnscale: “omega” must be a number, not “1=2”."),
        (
            "attnscale:heads=0-x",
            "attnscale: “heads” must be default, none or numbers from 0 on such as 0-2/5, not “0-x”.",
        ),
        (
            "attnscale+attnscale:omega=1",
            "“attnscale” is given twice: give it once, with the parameters you mean.",
        ),
        ("+".join(["attnscale"] * 17), "At most 16 mitigations can be combined, not 17."),
        ("attnscale:omega=" + "1" * 10_000, "A specification has at most 10,000 characters, not 10,016."),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(text: str, message: str) -> None:
    with pytest.raises(MitigationError) as told:
        parse(text)
    assert str(told.value) == message


def test_methods_that_contradict_each_other_are_refused_unless_in_layers_of_their_own() -> None:
    with pytest.raises(MitigationError, match=r"“no_skip” and “residual_scaling” contradict each other"):
        parse("no_skip+residual_scaling:weight=0.5")
    with pytest.raises(MitigationError, match="contradict each other"):
        parse("no_skip:layers=0-2+residual_scaling:layers=2-3")
    assert len(parse("no_skip:layers=0-2+residual_scaling:layers=3-5")) == 2
    assert len(parse("no_skip:layers=none+residual_scaling")) == 2


def test_the_longest_lists_are_read() -> None:
    (method,) = parse("attnscale:layers=" + "/".join(["0-9999"] * 1400))
    assert method.layers == tuple(range(10_000))


@given(st.text(max_size=80) | st.text("+:=,/-0123456789e. _" + "".join(sorted(set("".join(names())))), max_size=80))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    try:
        methods, refusal = parse(text), "None."
    except MitigationError as error:
        methods, refusal = (), str(error)
    assert refusal.endswith(".")
    if methods:
        assert parse("+".join(map(str, methods))) == methods


def test_settings_keep_the_canonical_form_and_tell_what_is_wrong() -> None:
    settings = Settings.of(texts="x", mitigations="attnscale:omega=5e-1+pairnorm")
    assert settings.mitigations == (
        "attnscale:omega=0.5,layers=default,heads=default",
        "pairnorm:scale=1,layers=default",
    )
    assert settings.methods == (AttnScale(omega=0.5), PairNorm())
    assert settings == Settings.of(texts="x", mitigations=("attnscale:omega=0.5", "pairnorm"))
