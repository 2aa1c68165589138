"""On a hosted server every model that is not on its list is refused alike, and nothing is looked up for it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from quick_engine import QuickEngine
from streamlit.testing.v1 import AppTest
from tiny import tiny

from oversmooth.core.wording import shortened
from oversmooth.dashboard.markdown import plain
from oversmooth.dashboard.running import requests
from oversmooth.models.catalog import CATALOG
from oversmooth.service import launch

UNLISTED = tuple(entry.name for entry in CATALOG if entry.name != "all-MiniLM-L6-v2")
FORMS = (
    "../../etc",
    "../../etc/passwd",
    "..",
    ".",
    "./",
    "/",
    "/etc",
    "/etc/passwd",
    "/proc/self/environ",
    "/dev/zero",
    "//host/share",
    "C:\\x",
    "C:/Windows/System32",
    "\\\\host\\share",
    "\\\\?\\C:\\x",
    "http://127.0.0.1:9/model",
    "https://example.org/model",
    "http://169.254.169.254/latest/meta-data",
    "file:///etc/passwd",
    "ftp://example.org/model",
    "data:text/plain,x",
    "hf://owner/name",
    "git+ssh://git@example.org/x.git",
    "~",
    "~root",
    "~/models",
    "$HOME",
    "${HOME}/models",
    "%USERPROFILE%",
    "$(id)",
    "`id`",
    "; ls",
    " ",
    "\x00",
    "/etc\x00.safetensors",
    "x\ny",
    "m" * 10_000,
    "../" * 3_000,
    "all-MiniLM-L6-v2\u200b",
    "аll-MiniLM-L6-v2",  # a Cyrillic a
    "ａｌｌ-MiniLM-L6-v2",
    "all-MiniLM-L6-v2/",
    "all-MiniLM-L6-v2/..",
    "./all-MiniLM-L6-v2",
    "all-MiniLM-L6-v2@main",
    "owner/name",
    "google-bert/bert-base-uncased",
    "sentence-transformers/all-MiniLM-L6-v2",
    "<script>alert(1)</script>",
    "![x](http://example.org/a.png)",
    "\u202egnp.exe",
    "None",
    *UNLISTED[:5],
)
SHOWN = 80

WATCHED = """
import builtins, io, json, os, socket, sys, threading

seen, watching = [], []

def watch(name, *arguments):
    if watching and threading.get_ident() == watching[0]:
        seen.append(f"{name} {arguments!r}"[:300])

sys.addaudithook(watch)
# Looking whether a file is there raises no event of its own.
for module, names in ((os, ("stat", "lstat", "access", "readlink")), (socket, ("getaddrinfo", "create_connection"))):
    for name in names:
        def traced(*arguments, _name=name, _real=getattr(module, name), **more):
            watch(_name, *arguments)
            return _real(*arguments, **more)
        setattr(module, name, traced)

from oversmooth import OversmoothError, Settings
from oversmooth.service.engine import Engine, engine
from oversmooth.service.hosting import current
from oversmooth.service.hosting import allowed
from oversmooth.service.hosting.limits import require

class NoWorkers:
    def __init__(self, *arguments, **options): pass
    def close(self): pass

engine.Supervisor = NoWorkers
limits, models = current().limits, allowed(current())
hosted = Engine(limits, models)

def refusal(ask):
    watching.append(threading.get_ident())
    try:
        ask()
    except OversmoothError as error:
        return type(error).__name__, str(error)
    finally:
        watching.clear()
    return "", "was granted"

require(Settings.of(texts="a b", max_tokens=8), limits, models)
told = []
for form in json.load(sys.stdin):
    asked = Settings.of(texts="a b", max_tokens=8, model=form)
    told.append((refusal(lambda: require(asked, limits, models)), refusal(lambda: hosted.submit(asked, "somebody"))))
watching.append(threading.get_ident())
os.path.exists("/etc")
watching.clear()
json.dump({"told": told, "seen": seen, "torch": "torch" in sys.modules}, sys.stdout)
"""


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """What a hosted server says to each form, and what it did in the file system and the network meanwhile."""
    environment = {**os.environ, "OVERSMOOTH_PROFILE": "hosted-s"}
    child = subprocess.run(
        [sys.executable, "-c", WATCHED],
        input=json.dumps(FORMS),
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    found: dict[str, Any] = json.loads(child.stdout)
    return found


def uniform(form: str) -> str:
    """The refusal, with the name as its only difference."""
    printed = re.sub(r"[\x00\n\u200b\u202e]", " ", form)  # what is no sign to read is a space
    shown = printed if len(printed) <= SHOWN else f"{printed[:SHOWN]}…"
    return f"This server measures the models of its list alone, and “{shown}” is not on it. Choose all-MiniLM-L6-v2."


def test_every_name_is_refused_in_the_same_words(answers: dict[str, Any]) -> None:
    assert len(FORMS) == len(set(FORMS)) > 50
    for form, asked in zip(FORMS, answers["told"], strict=True):
        for kind, message in asked:
            assert (kind, message) == ("ModelError", uniform(form))


def test_nothing_is_looked_up_for_a_name(answers: dict[str, Any]) -> None:
    # The last look is the test's own: were it not seen, this would prove nothing.
    assert answers["seen"] == ["stat ('/etc',)"]
    assert not answers["torch"]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> tuple[AppTest, QuickEngine]:
    """A page of a hosted server."""
    engine = QuickEngine(lambda: tiny("bert"))
    monkeypatch.setenv("OVERSMOOTH_PROFILE", "hosted-s")
    monkeypatch.setattr(requests, "shared_engine", lambda: engine)
    return AppTest.from_file(str(launch.script()), default_timeout=60), engine


@pytest.mark.slow
def test_a_link_with_any_name_measures_the_model_of_the_list_and_says_so(page: tuple[AppTest, QuickEngine]) -> None:
    opened, engine = page
    for form in FORMS:
        # What is told of a text is drawn much sooner than its charts are.
        told, errors = follow(opened, {"model": form, "text": " "})
        assert told == plain_text(
            plain(
                f"“{shortened(form)}” is not on the list of models that this server measures: all-MiniLM-L6-v2 takes "
                "its place."
            )
        )
        assert errors == ["The text is empty: type or paste at least two words."], form
    assert len(engine.asked) == len(FORMS)
    assert {settings.model for settings in engine.asked} == {"all-MiniLM-L6-v2"}


def plain_text(markdown: str) -> str:
    return markdown.replace("\\", "").replace("\u2060", "")


def follow(page: AppTest, query: dict[str, str]) -> tuple[str, list[str]]:
    """What the page tells of a link that a visitor follows, and its errors."""
    for state in ("link opened", "told"):
        if state in page.session_state:
            del page.session_state[state]
    page.query_params.clear()
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, query
    told = [each.value for each in page.info if "list of models" in each.value]
    assert len(told) == 1, query
    return plain_text(told[0]), [plain_text(each.value) for each in page.error]
