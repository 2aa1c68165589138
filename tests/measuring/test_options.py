"""Every two options together: what one of them gives does not change when the other is switched on.

The options are the fields of the settings. A new one fails here until it says what it gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np
import pytest
from tiny import WORDS, beneath, head, tokenizer
from xarray import DataArray

from oversmooth import Settings, measure
from oversmooth.models.loaded import LoadedModel
from oversmooth.results.measurement import Measurement

FAMILIES = ("bert", "gpt2")
TEXTS = (" ".join(WORDS[:11]), "sun moon", " ".join(WORDS[4:9]))
BASE = {"texts": TEXTS}
ALL = ("",)
"""Begins every name: of options after which something else is measured."""


@dataclass(frozen=True)
class Option:
    """A field of the settings and another value than its default; names of results are given by their beginnings."""

    value: object
    gives: tuple[str, ...]
    """What there is because of it."""
    changes: tuple[str, ...] = ()
    """What of other options it is meant to change, or to take away."""
    excludes: tuple[str, ...] = ()
    """Fields that cannot be set beside it."""
    eager: bool = False
    """Whether it asks for eager attention, which differs from other kernels by rounding."""


OPTIONS: dict[str, Option] = {
    "texts": Option(
        (*TEXTS, "rain stone house"), ("curves/", "spectra/"),
        # Over all texts: they are searched, or set against each other, together.
        changes=("curves/token_identity_retrieval", "explanation/corpus"),
    ),
    "special_tokens": Option(True, ("curves/", "spectra/", "similarity/"), changes=ALL),
    "max_tokens": Option(5, ("curves/", "spectra/", "similarity/"), changes=ALL),
    "precision": Option("float64", ("curves/", "spectra/", "similarity/"), changes=ALL),
    "mitigations": Option(
        "attnscale:omega=1.5+high_frequency_gain:gain=0.1", ("curves/", "spectra/"), changes=ALL, eager=True
    ),
    "metrics": Option(
        ("token_cosine", "stable_rank"), ("curves/token_cosine/", "curves/stable_rank/"), changes=("curves/",)
    ),
    "points": Option("all", ("curves/", "spectra/"), excludes=("explanation",)),
    "similarity": Option(False, ("curves/", "spectra/"), changes=("similarity/",)),
    "shown": Option(
        2, ("similarity/", "explanation/"),
        changes=("similarity/", "explanation/norms/deviation", "explanation/dominance/"),
    ),
    "centred_spectra": Option(True, ("spectra/centred/",)),
    "fidelity": Option(True, ("curves/token_identity_retrieval/",), eager=True),
    "language_model": Option(True, ("outputs/",)),
    "explanation": Option(True, ("explanation/",), excludes=("points",), eager=True),
}  # fmt: skip
NOT_OPTIONS = {"schema_version", "model", "revision", "device"}
"""What is measured, and where: nothing is added to a result by them."""
ROUNDING = 1e-3
"""Of another kernel or batch, in units of the largest value: some metrics are far more sensitive than states."""
NIL = 1e-9
"""Values below are rounding of what is 0."""


@cache
def model(family: str, precision: str) -> LoadedModel:
    whole, tokens = head(family), tokenizer()
    if family == "bert":
        tokens.add_special_tokens({"mask_token": "[MASK]"})
    return beneath(
        whole.double() if precision == "float64" else whole, "masked" if family == "bert" else "causal", tokens
    )


@cache
def measured(family: str, names: frozenset[str]) -> dict[str, np.ndarray]:
    """With these options: every number by its name."""
    settings = Settings.of(**{**BASE, **{name: OPTIONS[name].value for name in names}})
    found = measure(settings, model=model(family, settings.precision))
    return dict(numbers(found))


def numbers(found: Measurement) -> Iterator[tuple[str, np.ndarray]]:
    for name, values in found.curves.items():
        yield from by_text(f"curves/{name}", values)
    for name, values in found.spectra.items():
        yield from by_text(f"spectra/{name}", values)
    for name, values in found.outputs.items():
        yield from by_text(f"outputs/{name}", values)
    if found.similarity is not None:
        yield from by_point("similarity", found.similarity)
    if found.explanation is not None:
        for part, dataset in found.explanation.parts.items():
            for name, values in dataset.items():
                yield from by_text(f"explanation/{part}/{name}", values)


def by_text(name: str, values: DataArray) -> Iterator[tuple[str, np.ndarray]]:
    if "input" not in values.dims:
        yield from by_point(name, values)
        return
    for number, each in enumerate(values.transpose("input", ...)):
        yield from by_point(f"{name}/{number}", each)


def by_point(name: str, values: DataArray) -> Iterator[tuple[str, np.ndarray]]:
    """Points by their names, since some options add to them; others are whole."""
    if "point" not in values.dims or set(values.dims) == {"point", "other"}:
        yield f"{name}/", values.values
        return
    for point, each in zip(values["point"].values, values.transpose("point", ...).values, strict=True):
        yield f"{name}/{point}", np.asarray(each)


def test_every_field_of_the_settings_says_what_it_gives() -> None:
    assert set(Settings.model_fields) == {*OPTIONS, *NOT_OPTIONS}


def pairs() -> list[tuple[str, str]]:
    """Two options of which the second leaves something of the first as it is."""
    return [
        (one, other)
        for one, other in permutations(OPTIONS, 2)
        if OPTIONS[other].changes != ALL and other not in OPTIONS[one].excludes
    ]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("one", "other"), pairs())
def test_what_an_option_gives_stays_when_another_is_switched_on(one: str, other: str, family: str) -> None:
    alone, beside = measured(family, frozenset({one})), measured(family, frozenset({one, other}))
    given = [
        name for name in alone if name.startswith(OPTIONS[one].gives) and not name.startswith(OPTIONS[other].changes)
    ]
    if other == "metrics":
        given += [name for name in alone if name.startswith(OPTIONS["metrics"].gives)]
    rounding = (OPTIONS[other].eager and not OPTIONS[one].eager) or other == "texts"
    for name in given:
        assert name in beside, name
        same(beside[name], alone[name], name, ROUNDING if rounding else 0.0)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", OPTIONS)
def test_what_an_option_gives_is_there(name: str, family: str) -> None:
    found = measured(family, frozenset({name}))
    for beginning in OPTIONS[name].gives:
        if name == "shown" and beginning.startswith("explanation/"):
            found = measured(family, frozenset({name, "explanation"}))
        values = [each for each in found if each.startswith(beginning)]
        assert values, beginning
        assert any(np.isfinite(found[each]).any() for each in values if found[each].dtype.kind in "fc"), beginning


def same(found: np.ndarray, expected: np.ndarray, name: str, rounding: float) -> None:
    if not rounding or expected.dtype.kind not in "fc":
        np.testing.assert_array_equal(found, expected, err_msg=name)
        return
    known = np.abs(expected[np.isfinite(expected)])
    largest = known.max(initial=0.0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=max(rounding * largest, NIL), err_msg=name)
