"""Whatever a stranger types or uploads, a hosted page shows numbers or a sentence, never an exception."""

from __future__ import annotations

import json
import random
from functools import cache

import pytest
from any_texts import HALF, sentence, texts
from any_tokenizers import readers
from quick_engine import QuickEngine
from streamlit.testing.v1 import AppTest

from oversmooth.dashboard.running import requests
from oversmooth.service import launch

known = cache(readers)
NUMBER = 500
KINDS = ("WordPiece", "byte-level BPE", "BPE with byte fallback", "characters")


@pytest.fixture
def page(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """A page of a hosted server whose model reads through the tokenizer that the test names."""
    engine = QuickEngine(lambda: known()[request.param].model)
    monkeypatch.setenv("OVERSMOOTH_PROFILE", "hosted-s")
    monkeypatch.setattr(requests, "shared_engine", lambda: engine)
    opened = AppTest.from_file(str(launch.script()), default_timeout=60)
    opened.session_state["metrics"] = ["stable_rank"]
    return opened.run()


def shown(page: AppTest, what: object) -> int:
    """Whether there is a result, after making sure that there is one or a sentence, and no exception."""
    assert not page.exception, what
    for error in page.error:
        sentence(error.value.replace("\\", "").replace("\u2060", ""))
    assert bool(page.header) != bool(page.error), what
    return bool(page.header)


@pytest.mark.slow
@pytest.mark.parametrize("page", KINDS, indirect=True)
def test_a_typed_text_is_drawn_or_refused_in_a_sentence(page: AppTest, request: pytest.FixtureRequest) -> None:
    each = NUMBER // len(KINDS)
    made = [text for text in texts(2 * each, 100 + KINDS.index(request.node.callspec.params["page"]))]
    typed = [text for text in made if not HALF.search(text)][:each]
    assert len(typed) == each
    drawn = sum(shown(page.text_area(key="text").set_value(text).run(), text) for text in typed)
    assert 0.8 * each < drawn < each


@pytest.mark.parametrize("page", KINDS[:1], indirect=True)
def test_an_uploaded_file_of_any_bytes_is_drawn_or_refused_in_a_sentence(page: AppTest) -> None:
    chance = random.Random(4)
    for name in ("a.txt", "![x](http://example.org/a.png).txt", "\u202etxt.exe.txt", "$x$.txt"):
        for content in (chance.randbytes(40), b"", b"\xff\xfe\x00", b"\x00\x00 \x00", "ab 🙂".encode()):
            page.file_uploader(key="upload").set_value((name, content, "text/plain")).run()
            assert not page.exception, (name, content)
            for error in page.error:
                sentence(error.value.replace("\\", "").replace("\u2060", ""))


@pytest.mark.parametrize("page", KINDS[:1], indirect=True)
@pytest.mark.parametrize("text", ["\ud800", "a b \udfff", "\udc80\ud800"])
def test_half_a_character_in_a_settings_file_is_refused_in_a_sentence(page: AppTest, text: str) -> None:
    content = json.dumps({"texts": [text]}).encode()
    page.file_uploader(key="settings_file").set_value(("settings.json", content, "application/json")).run()
    assert not page.exception
    said = "\n".join(each.value for group in (page.info, page.error) for each in group).replace("\\", "")
    assert "half a character" in said
    assert page.header
