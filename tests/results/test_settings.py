"""The one object that says what is measured: it survives every way out and in, and refuses in sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from oversmooth import metrics
from oversmooth.core.errors import SettingsError
from oversmooth.models.given import DEFAULT_MODEL
from oversmooth.results.settings import DEFAULT_MAX_TOKENS, Settings

RANDOM = hypothesis_settings(max_examples=200, deadline=None, derandomize=True)

# All of Unicode but surrogates, which no file can hold.
TEXTS = st.text(st.characters(codec="utf-8"))

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "model": TEXTS.filter(bool),
    "revision": st.none() | TEXTS,
    "texts": st.lists(TEXTS | st.tuples(TEXTS, TEXTS), min_size=1, max_size=4).map(tuple),
    "special_tokens": st.booleans(),
    "metrics": st.lists(st.sampled_from(metrics.names()), min_size=1, max_size=6).map(tuple),
    "points": st.sampled_from(("blocks", "all", "branches")),
    "similarity": st.booleans(),
    "shown": st.integers(0, 3),
    "centred_spectra": st.booleans(),
    "mitigations": st.lists(
        st.builds(
            "attnscale:omega={:g},layers={}".format, st.floats(-1, 2), st.sampled_from(("default", "none", "0-2/5"))
        )
        | st.builds("gfsa:weight={:g},order={}".format, st.floats(-1, 1), st.integers(1, 4)),
        max_size=2,
        unique_by=lambda text: text.partition(":")[0],
    ).map(tuple),
    "fidelity": st.booleans(),
    "language_model": st.booleans(),
    "explanation": st.booleans(),
    "device": st.sampled_from(("auto", "cpu", "cuda", "cuda:0", "cuda:17", "mps")),
    "precision": st.sampled_from(("float32", "float64")),
    "max_tokens": st.integers(1, 8192),
}


def drawn(fields: dict[str, Any]) -> Settings:
    """Settings of fields drawn alone, made to agree with each other."""
    agreeing = {"shown": fields.get("shown", 0) % len(fields["texts"])}
    if fields.get("explanation"):
        agreeing["points"] = "branches"
    return Settings.of(**{**fields, **agreeing})


ANY_SETTINGS = st.fixed_dictionaries(
    {"texts": FIELDS["texts"]}, optional={name: values for name, values in FIELDS.items() if name != "texts"}
).map(drawn)


def refusal(text: str | bytes) -> str:
    """The sentence with which a JSON document is refused."""
    with pytest.raises(SettingsError) as error:
        Settings.from_json(text, source="run.json")
    message = str(error.value)
    assert message.startswith("run.json: ")
    assert message.endswith(".")
    assert "\n" not in message
    return message.removeprefix("run.json: ")


def refused(**fields: object) -> str:
    """The sentence with which these fields are refused, the same from Python as from JSON."""
    with pytest.raises(SettingsError) as error:
        Settings.of(**{"texts": "a", **fields})
    message = str(error.value)
    assert refusal(json.dumps({"texts": ["a"], **fields})) == message
    return message


def test_every_field_is_drawn_by_the_property_tests() -> None:
    assert {*FIELDS, "schema_version"} == set(Settings.model_fields)


def test_an_explanation_is_measured_at_the_branches() -> None:
    assert Settings.of(texts="a", explanation=True).points == "branches"
    assert Settings.of(texts="a").points == "blocks"
    assert refused(explanation=True, points="all") == (
        "An explanation is measured at the points “branches”: leave “points” out."
    )


def test_the_text_shown_is_one_of_the_texts() -> None:
    assert Settings.of(texts=["a", "b"], shown=1).shown == 1
    assert refused(shown=1) == "The setting “shown”: text 1, counted from 0, is not among 1 text."
    assert refused(shown=-1).startswith("The setting “shown”: ")


def test_defaults() -> None:
    settings = Settings.of(texts="The cat sat.")
    assert settings.texts == ("The cat sat.",)
    assert settings.model == DEFAULT_MODEL == "all-MiniLM-L6-v2"
    assert settings.metrics == metrics.usual_names()
    assert set(metrics.names()) - set(settings.metrics) == {"prompt_entropy"}
    assert settings.special_tokens is False
    assert settings.points == "blocks"
    assert settings.device == "auto"
    assert settings.max_tokens == DEFAULT_MAX_TOKENS == 512


@RANDOM
@given(settings=ANY_SETTINGS)
def test_json_round_trip(settings: Settings) -> None:
    again = Settings.from_json(settings.to_json())
    assert again == settings
    assert again.to_json() == settings.to_json()
    assert Settings.from_json(settings.to_json().encode()) == settings
    # Strict JSON in ASCII-safe or UTF-8 form, read by any reader
    written = json.loads(settings.to_json())["texts"]
    assert written == [text if isinstance(text, str) else list(text) for text in settings.texts]


@RANDOM
@given(settings=ANY_SETTINGS)
def test_file_round_trip(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "settings.json"
    path.write_text(settings.to_json(), encoding="utf-8", newline="")
    assert Settings.from_file(path) == settings


@RANDOM
@given(first=ANY_SETTINGS, second=ANY_SETTINGS, data=st.data())
def test_keys_and_hashes_are_equal_exactly_when_settings_are(
    first: Settings, second: Settings, data: st.DataObject
) -> None:
    assert (first == second) == (first.key() == second.key())
    copy = Settings.from_json(first.to_json())
    assert (copy.key(), hash(copy)) == (first.key(), hash(first))
    name = data.draw(st.sampled_from(sorted(FIELDS)), "field")
    changed = drawn({**dict(first), name: data.draw(FIELDS[name], "value")})
    assert (changed == first) == (getattr(changed, name) == getattr(first, name))
    assert (changed == first) == (changed.key() == first.key())


def test_settings_are_keys_of_dictionaries() -> None:
    results = {Settings.of(texts="a"): 1, Settings.of(texts="b"): 2}
    assert results[Settings.of(texts=["a"])] == 1
    assert len({Settings.of(texts=("a", "b")), Settings.of(texts=("b", "a"))}) == 2


def test_settings_do_not_change() -> None:
    settings = Settings.of(texts="a")
    with pytest.raises(ValueError, match="frozen"):
        settings.texts = ("b",)


@RANDOM
@given(chosen=st.lists(st.sampled_from(metrics.names()), min_size=1))
def test_order_and_repeats_of_metrics_do_not_matter(chosen: list[str]) -> None:
    settings = Settings.of(texts="a", metrics=chosen)
    assert settings.metrics == tuple(name for name in metrics.names() if name in chosen)
    assert settings == Settings.of(texts="a", metrics=sorted(set(chosen)))


def test_one_metric_may_be_given_by_its_name() -> None:
    assert Settings.of(texts="a", metrics="rankme").metrics == ("rankme",)


def test_an_unknown_setting_is_named_with_the_nearest_known_one() -> None:
    assert refused(modle="x") == "There is no setting named “modle” (did you mean “model”?)."
    assert refused(zzz="x") == "There is no setting named “zzz”."
    # Names that Python itself uses are settings like any other.
    assert refusal('{"texts": ["a"], "cls": 1, "self": 2}') == (
        "There is no setting named “cls”. There is no setting named “self”."
    )


def test_mitigations_are_kept_with_every_parameter() -> None:
    settings = Settings.of(texts="a", mitigations=("attnscale:omega=.5", "pairnorm"))
    assert settings.mitigations == (
        "attnscale:omega=0.5,layers=default,heads=default",
        "pairnorm:scale=1,layers=default",
    )
    assert [str(method) for method in settings.methods] == list(settings.mitigations)
    assert settings.baseline() == Settings.of(texts="a")


def test_a_wrong_mitigation_is_named_with_the_nearest_known_one() -> None:
    assert "did you mean “attnscale”?" in refused(mitigations=["attnscal"])
    assert "must be in [−1, 2], not 9" in refused(mitigations=["attnscale:omega=9"])
    assert "given twice" in refused(mitigations=["pairnorm", "pairnorm"])


def test_what_every_comparison_measures_cannot_be_asked_for() -> None:
    assert "every comparison measures it by itself" in refused(metrics=["cka_to_baseline"])


def test_an_unknown_metric_is_named_with_the_nearest_known_one() -> None:
    message = refused(metrics=["rankme", "token_cosin"])
    assert message.startswith("The setting “metrics”: there is no metric named “token_cosin”")
    assert "did you mean “token_cosine”?" in message
    assert "`oversmooth metrics` lists them" in message


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("model", "", "at least 1 character"),
        ("revision", 3, "valid string"),
        ("texts", [], "give at least one"),
        ("texts", 3, "expected a list"),
        ("texts", None, "expected a list"),
        ("texts", {"a": "b"}, "expected a list"),
        ("texts", ["a", 3], "valid string"),
        ("texts", [["a"]], "a pair is a list of two texts"),
        ("texts", [["a", "b", "c"]], "a pair is a list of two texts"),
        ("texts", [["a", 3]], "a pair is a list of two texts"),
        ("texts", [["a", ["b", "c"]]], "a pair is a list of two texts"),
        ("special_tokens", "yes", "valid boolean"),
        ("special_tokens", 1, "valid boolean"),
        ("metrics", [], "give at least one"),
        ("metrics", [3], "valid string"),
        ("metrics", [["rankme"]], "valid string"),
        ("points", "some", "'blocks', 'all' or 'branches'"),
        ("similarity", None, "valid boolean"),
        ("device", "gpu", "“gpu” is no device: choose auto, cpu, mps or cuda"),
        ("device", "cuda:x", "“cuda:x” is no device"),
        ("device", "cuda:-1", "“cuda:-1” is no device"),
        ("device", "cuda:1 ", "“cuda:1 ” is no device"),
        ("device", 1, "“1” is no device"),
        ("device", None, "“None” is no device"),
        ("model", None, "not as nothing (None): save a model in memory with save_pretrained"),
        ("model", 3, "not as an object of the class int"),
        ("max_tokens", 0, "greater than or equal to 1"),
        ("max_tokens", 8193, "less than or equal to 8192"),
        ("max_tokens", "512", "valid integer"),
        ("max_tokens", True, "valid integer"),
        ("max_tokens", 1.5, "valid integer"),
        ("schema_version", 0, "should be 1"),
        ("schema_version", "1", "should be 1"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_wrong_value_is_refused_with_the_setting_it_was_meant_for(field: str, value: object, part: str) -> None:
    message = refused(**{field: value})
    assert message.startswith(f"The setting “{field}")
    assert part in message


def test_every_wrong_field_gets_its_own_sentence() -> None:
    message = refused(device="gpu", max_tokens=0, modle="x")
    assert message.count("The setting") == 2
    assert message.count("There is no setting") == 1


def test_a_missing_text_is_said() -> None:
    assert refusal("{}") == "The setting “texts” is missing."


def test_settings_of_a_newer_version_say_to_update() -> None:
    message = refusal('{"schema_version": 2, "texts": ["a"], "from_the_future": 1}')
    assert message == (
        "written by a newer Oversmooth (schema 2; this one reads up to 1). Update Oversmooth to read it."
    )


@pytest.mark.parametrize(
    "document",
    ["", "<html>", "[1, 2", b"\xff\xfe\x00", "[" * 200_000, '{"max_tokens": ' + "9" * 5000 + "}"],
    ids=["empty", "markup", "cut off", "bytes", "deep", "long number"],
)
def test_what_is_not_json_is_refused(document: str | bytes) -> None:
    assert refusal(document).startswith("this is not JSON (")


@pytest.mark.parametrize("document", ["[]", "null", "3", '"texts"'])
def test_json_that_is_no_object_is_refused(document: str) -> None:
    assert refusal(document) == "expected a JSON object with named settings."


def test_numbers_that_json_does_not_know_are_refused() -> None:
    assert "valid integer" in refusal('{"texts": ["a"], "max_tokens": NaN}')


@pytest.mark.parametrize("field", ["model", "revision", "texts", "metrics"])
def test_half_a_character_is_refused_before_it_reaches_a_file(field: str) -> None:
    message = refused(**{field: "a\ud83d" if field in ("model", "revision") else ["a\ud83d"]})
    assert "half a character" in message
    message.encode()


def test_a_name_of_half_a_character_is_refused() -> None:
    message = refusal('{"texts": ["a"], "\\ud83d": 1}')
    assert message == "One setting has an empty or unreadable name."


def test_a_settings_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.json", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(SettingsError, match=reason) as error:
            Settings.from_file(path)
        assert str(path) in str(error.value)
    with pytest.raises(SettingsError, match="null byte"):
        Settings.from_file(tmp_path / "a\0b")
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"broken\.json: this is not JSON"):
        Settings.from_file(broken)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(Settings.of(texts="é").to_json(), encoding="utf-8-sig")
    assert Settings.from_file(path).texts == ("é",)
