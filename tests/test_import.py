"""What importing and the quick commands load: a notebook and a terminal must not wait for what they do not use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ["torch", "transformers", "streamlit", "plotly"]
TABLES = ["pandas.core", "xarray.core"]
"""A quarter of a second together: what a command that measures nothing does not need; not their names alone."""


def loaded(code: str, heavy: list[str] = HEAVY) -> list[str]:
    """The heavy libraries that a fresh interpreter holds after running the code."""
    report = f"\nimport sys; print('\\n' + ' '.join(name for name in {heavy} if name in sys.modules))"
    result = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    return result.stdout.splitlines()[-1].split()


def test_the_probe_sees_what_is_loaded() -> None:
    assert loaded("import plotly") == ["plotly"]


@pytest.mark.parametrize(
    "code",
    [
        "import oversmooth",
        "from oversmooth import Comparison, Measurement, Settings; Settings.of(texts='a b')",
        "from oversmooth import metrics; metrics.names()",
        "from oversmooth.models import catalog; catalog.CATALOG",
        "from oversmooth.report.export import bundle, folder; from oversmooth.results.files import data, tables",
        "from oversmooth.service import launch; launch.script()",
        "from oversmooth.mitigations import all_mitigations; [each.parameters() for each in all_mitigations()]",
        "from oversmooth import Settings; from oversmooth.measuring.comparing import control_settings; "
        "control_settings(Settings.of(texts='a b'))",
    ],
)
def test_declarations_come_without_heavy_libraries(code: str) -> None:
    assert loaded(code) == []


QUICK = [
    ["--help"],
    ["measure", "--help"],
    ["compare", "--help"],
    ["run", "--help"],
    ["models"],
    ["metrics"],
    ["mitigations"],
    ["--version"],
]


@pytest.mark.parametrize("arguments", QUICK)
def test_quick_commands_load_no_heavy_libraries(arguments: list[str]) -> None:
    assert loaded(f"from oversmooth.cli.main import run; assert run({arguments}) == 0", [*HEAVY, *TABLES]) == []


REFUSED = [
    ["nope"],
    ["measure"],
    ["measure", "--nope"],
    ["measure", "--text", "a b", "--max-tokens", "0"],
    ["measure", "--text", "a b", "--device", "gpu"],
    ["compare", "--text", "a b"],
    ["app", "--port", "0"],
    ["app", "--host", "nowhere.invalid"],
    ["new", "nope", "a"],
    ["measure", "--text", ""],
    ["measure", "--text", "a b", "--text", " "],
    ["measure", "--text", "a b", "--metric", "token_cosin"],
    ["measure", "--text", "a b", "--model", "./nowhere"],
    ["measure", "--text", "a b", "--model", "no model at all"],
    ["measure", "--text", "a b", "--revision", "main"],
    ["measure", "--text", "a b", "--out", ""],
    ["measure", "--texts", "nowhere.csv"],
    ["measure", "--settings", "nowhere.json"],
    ["compare", "--text", "a b", "--mitigation", "softdeca"],
    ["compare", "--text", "a b", "--mitigation", "softdecay:alhpa=1"],
    ["compare", "--text", "a b", "--mitigation", "gfsa", "--mitigation", "softdecay:alpha=x"],
    ["compare", "--text", "", "--mitigation", "gfsa"],
    ["explain", "--text", ""],
    ["explain", "--text", "a b", "--model", "./nowhere"],
    ["run", "nowhere"],
    ["run", "{settings}"],
    ["allow", "bert-base-uncased", "--file", ""],
]


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_a_mistake_in_an_argument_is_told_before_heavy_libraries_are_loaded(
    arguments: list[str], tmp_path: Path
) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text('{"texts": ["a b"], "model": "./nowhere"}')
    given = [each.format(settings=settings) for each in arguments]
    assert loaded(f"from oversmooth.cli.main import run; assert run({given}) == 2", [*HEAVY, *TABLES]) == []


def test_measuring_needs_neither_dashboard_nor_charts() -> None:
    assert loaded("import oversmooth.measuring.measuring, oversmooth.report.findings") == ["torch", "transformers"]


def test_exporting_needs_no_model_and_no_dashboard() -> None:
    assert loaded(
        "import oversmooth.report.export.images, oversmooth.report.export.pgfplots, oversmooth.results.agreement"
    ) == ["plotly"]


def test_figures_leave_the_callers_chart_templates_alone() -> None:
    code = """
import plotly.io
before = (plotly.io.templates.default, sorted(plotly.io.templates))
import oversmooth, oversmooth.report.figures
assert (plotly.io.templates.default, sorted(plotly.io.templates)) == before
"""
    assert loaded(code) == ["plotly"]


def test_measuring_loads_no_engine_and_no_server() -> None:
    measured = "from oversmooth import Settings, measure; measure(Settings.of(texts='a b c', metrics='token_cosine'))"
    shown = (
        "; import sys; print('\\n' + ' '.join(name for name in sys.modules if name.startswith('oversmooth.service')))"
    )
    run = subprocess.run([sys.executable, "-c", measured + shown], check=True, capture_output=True, text=True)
    assert run.stdout.splitlines()[-1] == ""


def test_a_worker_that_writes_files_holds_what_figures_need_before_it_is_asked_for_one() -> None:
    assert loaded("import oversmooth.service.engine.writing") == ["plotly"]


def test_lists_of_texts_are_read_under_the_name_that_scripts_know() -> None:
    code = "from oversmooth.texts import read_texts; assert read_texts(b'a b', 'x.txt').texts == ('a b',)"
    assert loaded(code) == []


def test_threads_that_wait_sleep_where_torch_is_yet_to_come_and_nobody_chose_otherwise() -> None:
    assert wait_policy("import oversmooth") == "PASSIVE"
    assert wait_policy("import oversmooth", OMP_WAIT_POLICY="ACTIVE") == "ACTIVE"
    # Too late to have an effect, and not to be handed on to programs that are started.
    assert wait_policy("import torch, oversmooth") == "None"


def wait_policy(code: str, **chosen: str) -> str:
    """What a fresh interpreter has told threads after running the code."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    report = "; import os; print(os.environ.get('OMP_WAIT_POLICY'))"
    command = [sys.executable, "-c", code + report]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment | chosen)
    return done.stdout.strip()
