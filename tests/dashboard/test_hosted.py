"""The pages of a server that strangers share: every limit is shown, and bites with a sentence that names it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from oversmooth import Settings
from oversmooth.core.errors import InputError, LimitError, ModelError, OversmoothError, QueueFullError
from oversmooth.core.progress import Progress
from oversmooth.core.texts import bundled
from oversmooth.dashboard.controls import text_file
from oversmooth.dashboard.controls.texts import examples
from oversmooth.dashboard.running import one_at_a_time, requests
from oversmooth.dashboard.running.requests import PageRequests
from oversmooth.results.measurement import Measurement
from oversmooth.service import launch
from oversmooth.service.hosting import allowed, current
from oversmooth.service.hosting.limits import require

SHORT = "The cat sat on the mat and looked at the rain."
NOT_HERE = "Nothing is computed in this test."
POLLS = 3
"""Looks after which a run of the desk is done."""
SMALL = {
    "PROFILE": "hosted-xs",
    "TOKENS": "40",
    "CHARACTERS": "500",
    "TEXTS": "3",
    "VARIANTS": "2",
    "UPLOAD_BYTES": "2000",
}


class Run:
    """A run at the desk: done after some looks, or when it is given up."""

    def __init__(self) -> None:
        self._looks = 0
        self._future: Future[Measurement] = Future()

    @property
    def progress(self) -> Progress:
        return Progress("measure", self._looks, POLLS)

    def done(self) -> bool:
        self._looks += 1
        if self._looks > POLLS and not self._future.done():
            self._future.set_exception(InputError(NOT_HERE))
        return self._future.done()

    def over(self) -> bool:
        return self._future.done()

    def result(self) -> Measurement:
        return self._future.result(0)

    def cancel(self) -> None:
        self._future.cancel()


class Desk:
    """Stands in for the engine: takes what it takes, counts, and computes nothing."""

    def __init__(self) -> None:
        self.asked: list[Settings] = []
        self.runs: list[tuple[str | None, Run]] = []
        self.most = 0
        """Runs of one owner at the same time."""
        self.refuse: Mapping[str, OversmoothError] = {}
        """What is refused, by a word of its mitigations."""

    def submit(self, settings: Settings, owner: str | None = None) -> Run:
        require(settings, current().limits, allowed(current()))
        for word, error in self.refuse.items():
            if word in str(settings.mitigations):
                raise error
        self.asked.append(settings)
        self.runs.append((owner, Run()))
        self.most = max(self.most, sum(whose == owner and not each.over() for whose, each in self.runs))
        return self.runs[-1][1]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    found = Desk()
    monkeypatch.setattr(requests, "shared_engine", lambda: found)
    return found


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the server up with variables, given without what they begin with."""

    def configure(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"OVERSMOOTH_{name}", value)

    return configure


def opened(page: str = "measure", query: Mapping[str, str | list[str]] | None = None, **state: Any) -> AppTest:
    app = AppTest.from_file(str(launch.script()), default_timeout=60)
    for key, value in state.items():
        app.session_state[key] = value
    for name, values in (query or {}).items():
        app.query_params[name] = values
    return sound(app.switch_page(f"pages/{page}.py").run())


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def shown(app: AppTest) -> str:
    groups = (app.error, app.info, app.caption, app.markdown)
    found = "\n".join(str(each.value) for group in groups for each in group)
    return found.replace("\\", "").replace("\u2060", "")


def keys(app: AppTest) -> set[str | None]:
    return {each.key for each in app.selectbox}


def listed(path: Path) -> str:
    """A list with a model that no catalog has."""
    hashes = {"config.json": "0" * 64}
    model = {"name": "tiny-house", "source": "hub", "identifier": "tiny/house", "commit": "0123456789" * 4}
    about = {"files": hashes, "family": "bert", "layers": 3, "hidden_size": 64, "parameters": 2_000_000}
    path.write_text(json.dumps({"models": [{**model, **about}]}))
    return str(path)


def test_a_local_server_offers_everything_and_speaks_of_no_limits(desk: Desk) -> None:
    page = opened(query={"model": "bert-base-uncased", "device": "cpu", "revision": "main"})
    assert page.selectbox(key="model").proto.accept_new_options
    assert page.selectbox(key="device").value == "cpu"
    assert (page.number_input(key="max_tokens").value, page.number_input(key="max_tokens").max) == (512, 8192)
    assert [settings.model for settings in desk.asked] == ["bert-base-uncased"]
    page.selectbox(key="source").set_value("File").run()
    uploader = page.get("file_uploader")[0].proto
    assert (uploader.label, uploader.max_upload_size_mb, ".parquet" in uploader.type) == ("A file of texts", 20, True)
    assert "Limits of this server" not in [each.label for each in page.expander]
    assert "limit “" not in shown(page)
    assert "Up to" not in shown(page)
    assert opened().query_params == {}


def test_a_stranger_picks_among_the_models_of_the_list(
    desk: Desk, configured: Callable[..., None], tmp_path: Path
) -> None:
    configured(**SMALL, MODELS=listed(tmp_path / "models.json"))
    page = opened(text=SHORT, model="/etc/passwd", device="cuda")
    control = page.selectbox(key="model")
    assert control.options == ["all-MiniLM-L6-v2", "tiny-house"]
    assert (control.value, control.proto.accept_new_options) == ("all-MiniLM-L6-v2", False)
    assert "device" not in keys(page)
    control.set_value("tiny-house").run()
    assert "3 layers × 64 dimensions · 2 M parameters" in shown(sound(page))
    assert [(each.model, each.device) for each in desk.asked] == [("all-MiniLM-L6-v2", "auto"), ("tiny-house", "auto")]


def test_another_model_of_a_variant_comes_from_the_list_too(
    desk: Desk, configured: Callable[..., None], tmp_path: Path
) -> None:
    configured(**SMALL, MODELS=listed(tmp_path / "models.json"))
    page = opened("compare", text=SHORT)
    control = page.selectbox(key="1.model")
    assert (control.options, control.proto.accept_new_options) == (["all-MiniLM-L6-v2", "tiny-house"], False)
    control.set_value("tiny-house").run()
    assert "tiny-house" in {settings.model for settings in desk.asked}
    # What no control offers may still be sent.
    page.session_state["variants"][0].model = "/etc/passwd"
    sound(page.run())
    assert "/etc/passwd" not in {settings.model for settings in desk.asked}


def test_a_link_from_elsewhere_is_fitted_and_told(desk: Desk, configured: Callable[..., None]) -> None:
    configured(**SMALL)
    of_gpt2 = json.dumps({"label": "other weights", "model": "gpt2"})
    query: dict[str, str | list[str]] = {
        "text": SHORT,
        "model": "gpt2",
        "device": "cuda",
        "max_tokens": "100",
        "variant": [of_gpt2, json.dumps({"label": "OPT", "model": "opt-125m"}), "softdecay"],
    }
    page = opened("compare", query)
    for sentence in (
        "“gpt2” is not on the list of models that this server measures: all-MiniLM-L6-v2 takes its place.",
        "The device “cuda” is ignored: this server chooses it.",
        "Texts are cut at 40 tokens here, the limit “tokens” of this server, instead of 100.",
        "The variant “OPT” is left out: its model, “opt-125m”, is not on the list of this server.",
        "There are 3 variants, and the limit “variants” of this server is 2: the first ones are shown.",
    ):
        assert sentence in shown(page)
    assert {(each.model, each.device, each.max_tokens) for each in desk.asked} == {("all-MiniLM-L6-v2", "auto", 40)}


def test_a_revision_is_ignored_but_the_one_of_the_list(
    desk: Desk, configured: Callable[..., None], tmp_path: Path
) -> None:
    configured(**SMALL, MODELS=listed(tmp_path / "models.json"))
    page = opened(query={"text": SHORT, "model": "TINY/house", "revision": "main"})
    assert "The revision “main” is ignored: this server measures tiny-house at the one commit" in shown(page)
    assert page.selectbox(key="model").value == "tiny-house"
    page = opened(query={"text": SHORT, "model": "tiny-house", "revision": "0123456789" * 4})
    assert "revision" not in shown(page)
    assert {settings.revision for settings in desk.asked} == {None}


def test_a_link_of_this_server_says_how_long_its_texts_are(desk: Desk, configured: Callable[..., None]) -> None:
    configured(**SMALL)
    page = opened(text=SHORT)
    assert page.query_params["max_tokens"] == "40"
    assert "instead of" not in shown(opened(query={"text": SHORT}))
    assert {settings.max_tokens for settings in desk.asked} == {40}


def test_a_settings_file_from_elsewhere_is_fitted_and_told(desk: Desk, configured: Callable[..., None]) -> None:
    configured(**SMALL)
    page = opened(text=SHORT)
    content = Settings.of(texts="A bird sang.", model="gpt2", metrics="rankme").to_json().encode()
    page.file_uploader(key="settings_file").set_value(("mine.json", content, "application/json")).run()
    assert "“gpt2” is not on the list" in shown(sound(page))
    assert (desk.asked[-1].model, desk.asked[-1].texts) == ("all-MiniLM-L6-v2", ("A bird sang.",))


def test_the_longest_text_has_the_bound_of_the_server(desk: Desk, configured: Callable[..., None]) -> None:
    configured(**SMALL)
    control = opened(text=SHORT, max_tokens=300).number_input(key="max_tokens")
    assert (control.value, control.max, control.label) == (40, 40, "Longest text, in tokens, up to 40")
    assert desk.asked[-1].max_tokens == 40


def test_a_text_that_is_too_long_is_refused_where_it_is_typed(desk: Desk, configured: Callable[..., None]) -> None:
    configured(**SMALL)
    page = opened(text=SHORT)
    assert "Up to 500 characters and 40 tokens a text here." in shown(page)
    page.text_area(key="text").set_value("a" * 501).run()
    assert "at most 500 characters (its limit “characters”); this text has 501. Shorten it." in shown(sound(page))
    assert "The text read before stays: “The cat sat" in shown(page)
    assert page.text_area(key="text").value == "a" * 501
    page.text_area(key="text").set_value("a" * 500).run()
    assert "Shorten it" not in shown(page)
    assert [settings.texts for settings in desk.asked] == [(SHORT,), (SHORT,), ("a" * 500,)]


def test_a_text_that_never_fitted_leaves_the_example(desk: Desk, configured: Callable[..., None]) -> None:
    configured(**{**SMALL, "CHARACTERS": str(len(examples()[0].text))})
    page = opened(query={"text": examples()[0].text + "."})
    assert "Shorten it" in shown(page)
    assert desk.asked[-1].texts == (examples()[0].text,)


def test_too_many_texts_are_refused_where_they_are_entered(desk: Desk, configured: Callable[..., None]) -> None:
    configured(**SMALL)
    page = opened(text=SHORT)
    page.selectbox(key="source").set_value("Several texts").run()
    page.text_area(key="several texts").set_value("One bird.\nTwo birds.\nThree birds.").run()
    assert "Up to 3 texts, 500 characters in all and 40 tokens a text here." in shown(sound(page))
    page.text_area(key="several texts").set_value("One bird.\nTwo birds.\nThree birds.\nFour birds.").run()
    assert "at most 3 texts at once (its limit “texts”); these are 4." in shown(sound(page))
    assert "The 3 texts read before stay." in shown(page)
    page.selectbox(key="source").set_value("64 sentences").run()
    assert f"these are {len(bundled())}" in shown(sound(page))
    assert desk.asked[-1].texts == ("One bird.", "Two birds.", "Three birds.")


def test_uploads_have_the_bound_of_the_server_to_the_byte(desk: Desk, configured: Callable[..., None]) -> None:
    configured(**{**SMALL, "CHARACTERS": "5000"})
    page = opened(text=SHORT)
    assert [each.proto.label.rsplit(", ", 1)[1] for each in page.get("file_uploader")] == ["up to 2.0 kB"] * 2
    page.file_uploader(key="upload").set_value(("note.txt", b"a" * 2001, "text/plain")).run()
    refusal = "has 2,001 bytes, and this server takes at most 2,000 (its limit “upload_bytes”)."
    assert f"note.txt {refusal}" in shown(sound(page))
    page.file_uploader(key="settings_file").set_value(("mine.zip", b"a" * 2001, "application/zip")).run()
    assert f"mine.zip {refusal}" in shown(sound(page))
    page.file_uploader(key="upload").set_value(("note.txt", b"a" * 2000, "text/plain")).run()
    assert desk.asked[-1].texts == ("a" * 2000,)
    page.selectbox(key="source").set_value("File").run()
    page.file_uploader(key="texts_file").set_value(("list.txt", b"a bird\n" * 300, "text/plain")).run()
    assert "list.txt has 2,100 bytes" in shown(sound(page))


def test_no_parquet_of_a_stranger_is_read(
    monkeypatch: pytest.MonkeyPatch, desk: Desk, configured: Callable[..., None]
) -> None:
    configured(**SMALL)
    page = opened(text=SHORT, source="File")
    uploader = page.get("file_uploader")[0].proto
    assert ".csv" in uploader.type
    assert ".parquet" not in uploader.type
    assert "reads no Parquet files, which can be made to harm their reader" in uploader.help
    read: list[str] = []
    monkeypatch.setattr(text_file, "columns_of", lambda _content, name: read.append(name))
    # What the control does not take may still be sent.
    sent = ("table.PARQUET", b"PAR1", "application/octet-stream")
    page.file_uploader(key="texts_file").set_value(sent).run()
    assert not read


def test_variants_have_the_bound_of_the_server(desk: Desk, configured: Callable[..., None]) -> None:
    configured(**SMALL)
    page = opened("compare", text=SHORT)
    assert len(page.button_group(key="chosen_variant").options) == 3
    assert page.selectbox(key="add_variant").disabled
    assert "This server compares at most 2 variants (its limit “variants”): remove one to add another." in shown(page)
    page.button(key="remove_variant").click().run()
    assert not page.selectbox(key="add_variant").disabled
    assert "limit “variants”" not in shown(page)
    page.selectbox(key="add_variant").set_value("no_mlp").run()
    assert page.selectbox(key="add_variant").disabled


@pytest.mark.parametrize(("in_flight", "most"), [("1", 1), ("2", 2)])
def test_a_page_takes_turns_with_the_others(
    desk: Desk, configured: Callable[..., None], in_flight: str, most: int
) -> None:
    configured(PROFILE="hosted-m", IN_FLIGHT=in_flight)
    opened("compare", text=SHORT)
    assert len(desk.asked) == 4
    assert desk.most == most
    assert [len(settings.mitigations) for settings in desk.asked] == [0, 1, 1, 1]
    assert len({owner for owner, _ in desk.runs} - {None}) == 1


def test_all_sides_are_asked_for_at_once_where_nobody_else_waits(desk: Desk) -> None:
    opened("compare", text=SHORT)
    assert desk.most == 4


def test_what_a_side_is_refused_for_is_its_sentence(desk: Desk, configured: Callable[..., None]) -> None:
    configured(PROFILE="hosted-m")
    asked = {name: Settings.of(texts=SHORT, mitigations=name) for name in ("softdecay", "neutreno", "attnscale")}
    desk.refuse = {
        "softdecay": QueueFullError("The queue is full."),
        "neutreno": ModelError("Delete /srv/models/house/model.safetensors and fetch it again."),
        "attnscale": LimitError("That is too much.", "run_bytes"),
    }
    turn = PageRequests({"": Settings.of(texts=SHORT), **asked}, "somebody")
    turn.submit()
    for _ in range(10):
        if turn.pending():
            turn.submit()
    assert not turn.pending()
    assert turn.outcomes().failures == {
        "": NOT_HERE,
        "softdecay": "The queue is full.",
        "neutreno": "Delete model.safetensors and fetch it again.",
        "attnscale": "That is too much.",
    }


def test_a_page_that_goes_on_gives_up_what_it_asked_for_before(desk: Desk, configured: Callable[..., None]) -> None:
    configured(PROFILE="hosted-m")
    requests = {name: Settings.of(texts=f"{SHORT} {name}") for name in "ab"}
    before, other = PageRequests(requests, "somebody"), PageRequests(requests, "somebody else")
    before.submit()
    other.submit()
    after = PageRequests(requests, "somebody")
    after.submit()
    before.submit()
    assert [each.over() for _, each in desk.runs] == [True, False, False]
    assert not before.pending()
    assert [after.progress(name).stage for name in "ab"] == ["measure", "queue"]


def test_a_page_that_is_left_gives_up_its_runs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(_turns: PageRequests, _label: str) -> Progress:
        raise StopException

    monkeypatch.setattr(PageRequests, "progress", leave)
    opened("compare", text=SHORT)
    assert [each.over() for _, each in desk.runs] == [True] * 4


def test_the_sidebar_says_what_the_server_allows(desk: Desk, configured: Callable[..., None]) -> None:
    configured(**SMALL, DEADLINE="7.5", WAITING="1234")
    for page in ("measure", "compare", "explain"):
        words = shown(opened(page, text=SHORT))
        for row in (
            "**characters: 500**  \nCharacters of all texts of a run together.",
            "**upload_bytes: 2.0 kB**  \nBytes of an uploaded file.",
            "**waiting: 1,234**",
            "**deadline: 7.5 s**",
            "**variants: 2**",
            "**in_flight: 1**",
        ):
            assert row in words
        assert "never written to a log or kept in a file" in words


def test_who_finds_no_place_is_told_at_the_door_and_comes_in_later(
    desk: Desk, configured: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(**SMALL, WORKERS="1", WAITING="1")
    monkeypatch.setattr(one_at_a_time, "_at_work", Counter(["one visitor", "another"]))
    page = sound(AppTest.from_file(str(launch.script()), default_timeout=60).run())
    assert "2 pages wait or are being drawn, and no more may (the limit “waiting”)" in shown(page)
    assert (len(page.selectbox), desk.asked) == (0, [])
    one_at_a_time._at_work.clear()
    page.button(key="place").click().run()
    assert keys(sound(page)) >= {"model"}
    # A page that has been drawn leaves its place.
    assert not one_at_a_time._at_work
