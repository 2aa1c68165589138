"""A fault of Oversmooth itself, as a visitor meets it: a sentence, a way on that keeps the texts, and nothing else."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from quick_engine import QuickEngine
from remembering import remembering
from shown import read
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest
from tiny import tiny
from visitor import Visitor, visit

from oversmooth import Measurement
from oversmooth.core.points import tick
from oversmooth.dashboard.controls.variants import Variant, newcomers
from oversmooth.dashboard.faults import TOLD
from oversmooth.dashboard.measure import page as panels
from oversmooth.dashboard.running import requests
from oversmooth.service import launch

CANARY = "quetzal9317 in /home/somebody"
ONE, SEVERAL = "the cat sat on the mat and saw the rain", "the dog saw a bird\nsnow and stone"
SERVER = """
import runpy, socket, sys
from pathlib import Path
from oversmooth.service.hosting import current
from oversmooth.service.server.application import serve

with socket.create_server(("127.0.0.1", 0)) as listener:
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    serve(Path(sys.argv[1]), current(), listener, "")
"""
FAULTY = f"""
import runpy
from oversmooth.service import launch
from oversmooth.dashboard.charts import chart as charts
from oversmooth.dashboard.controls import state
from oversmooth.dashboard.measure import page as panels

kept, name_text = state.keep, charts.name_text

def keep(key, value):
    if (key, value) == ("special_tokens", True):
        raise RuntimeError("{CANARY}")
    kept(key, value)

def named(what, measurement):
    if state.last("layer", "") == "2":
        raise RuntimeError("{CANARY}")
    name_text(what, measurement)

if not hasattr(state, "faulty"):
    state.faulty, state.keep, panels.name_text = True, keep, named
runpy.run_path(str(launch.script()), run_name="__main__")
"""


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    engine = QuickEngine(lambda: tiny("bert"))
    monkeypatch.setattr(requests, "shared_engine", lambda: engine)
    app = AppTest.from_file(str(launch.script()), default_timeout=60)
    app.session_state["text"] = ONE
    app.session_state["several texts"] = SEVERAL
    return remembering(app.run())


@pytest.mark.parametrize("part", ["Tokens", "Map and spectrum"])
def test_what_goes_wrong_on_a_page_or_in_a_part_of_it_is_told_and_begun_afresh(
    part: str, page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(what: str, measurement: Measurement) -> None:
        if what == part and measurement.settings.special_tokens:
            raise RuntimeError(CANARY)

    monkeypatch.setattr(panels, "name_text", broken)
    page.session_state["variants"] = [*newcomers(), Variant(5, {"neutreno": {}}, text="stone house door")]
    page.selectbox(key="source").set_value("Several texts").run()
    page.toggle(key="special_tokens").set_value(True).run()
    assert not page.exception
    assert [read(each.value) for each in page.error] == [TOLD]
    page.button[-1].click().run()
    assert not page.error
    assert not page.toggle(key="special_tokens").value
    assert page.session_state["variants"] == [Variant(5, text="stone house door")]
    assert page.query_params == {"text": SEVERAL.splitlines()}
    assert page.text_area(key="several texts").value == SEVERAL
    page.selectbox(key="source").set_value("One text").run()
    assert page.text_area(key="text").value == ONE


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[str]:
    """A server whose pages go wrong when special tokens are to be counted, or block 2 is drawn; its address."""
    script = tmp_path / "app.py"
    script.write_text(FAULTY)
    command = [sys.executable, "-c", SERVER, str(script)]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as program,
    ):
        assert program.stdout is not None
        yield program.stdout.readline().strip()
        program.terminate()
    assert (tmp_path / "log").read_text().count(f"RuntimeError: {CANARY}") == 2


@pytest.mark.slow
def test_the_server_tells_no_more_of_a_fault_wherever_it_happens(faulty: str) -> None:
    asyncio.run(_met(faulty))


async def _met(address: str) -> None:
    async with visit(address, query="text=The+cat+sat+on+the+mat.") as visitor:
        await visitor.finished()
        await visitor.change("special_tokens", True)
        await _told(visitor)
        layer = WidgetState(id=visitor.widget("layer").id)
        layer.string_array_value.data.append(tick("2"))
        await visitor.ask({layer.id: layer})
        await _told(visitor)
        assert visitor.traces == []
        assert not [frame for frame in visitor.frames if b"quetzal" in frame or b"Streamlit Cloud" in frame]


async def _told(visitor: Visitor) -> None:
    """The fault is told, and pressing the button draws the page as at first."""
    await visitor.finished()
    assert TOLD in visitor.alerts
    await visitor.press("Start afresh")
    await visitor.finished()
    assert TOLD not in visitor.alerts
    assert visitor.widget("text").set_value
    assert visitor.widget("text").value == "The cat sat on the mat."
    assert visitor.exceptions == []
