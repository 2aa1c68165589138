"""Plug-ins as a user installs them: two that work and one that does not, seen from processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from served import served

from oversmooth.cli.main import run

BROKEN = "oversmooth-broken-one"
NOTE = f"The metric “broken_one” of the plug-in “{BROKEN}” 0.1.0 is left out: ZeroDivisionError: division by zero."
MARK = """
import os, pathlib
pathlib.Path(os.environ["MARKS"], f"{os.getpid()}").touch()
"""
"""Leaves a file wherever the plug-in is imported."""
FIGURE = """
from oversmooth.report.figures.canvas import blank
from oversmooth.report.figures.registry import figure
from oversmooth.results.measurement import Measurement

@figure(of=Measurement, title=lambda _: "A figure of my own", alternative=lambda _: "Nothing is drawn.")
def my_figure(measurement, *, theme):
    return blank("drawn by a plug-in", theme)
"""


def install(folder: Path, into: Path) -> None:
    """Build the wheel of a package, and install it into a folder."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(into.parent / "dist")]
    subprocess.run(build, cwd=folder, check=True, capture_output=True)
    (wheel,) = (into.parent / "dist").glob(f"{folder.name.replace('-', '_')}-*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", str(into)]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)


def declared_in(folder: Path) -> Path:
    """The one file of a package that declares something."""
    (path,) = folder.glob("oversmooth_*/__init__.py")
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Packages as ``oversmooth new`` writes them, by their names."""
    home = tmp_path_factory.mktemp("written")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        for kind, name in (("metric", "largest_distance"), ("mitigation", "push_apart"), ("metric", "broken_one")):
            assert run(["new", kind, name]) == 0
    return {path.name: path for path in home.iterdir()}


@pytest.fixture(scope="module")
def installed(written: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder on the path with all three, of which one fails when it is imported."""
    target = tmp_path_factory.mktemp("installed") / "site"
    broken = declared_in(written[BROKEN])
    broken.write_text("1 / 0\n", encoding="utf-8")
    marked = declared_in(written["oversmooth-largest-distance"])
    marked.write_text(marked.read_text(encoding="utf-8") + MARK, encoding="utf-8")
    (marked.parent / "figures.py").write_text(FIGURE, encoding="utf-8")
    project = marked.parents[1] / "pyproject.toml"
    entry = f'[project.entry-points."oversmooth.figures"]\nmy_figure = "{marked.parent.name}.figures:my_figure"\n'
    project.write_text(f"{project.read_text(encoding='utf-8')}\n{entry}", encoding="utf-8")
    for folder in written.values():
        install(folder, target)
    return target


class Beside:
    """Programs that run with plug-ins on their path."""

    def __init__(self, site: Path, marks: Path) -> None:
        self.marks = marks
        marks.mkdir()
        paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "MARKS": str(marks)}

    def __call__(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            env=self.environment | variables,
            cwd=self.marks.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    def oversmooth(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self("-m", "oversmooth", *arguments)

    @property
    def imported_by(self) -> set[str]:
        """Ids of the processes that imported the metric."""
        return {path.name for path in self.marks.iterdir()}


@pytest.fixture
def beside(installed: Path, tmp_path: Path) -> Beside:
    return Beside(installed, tmp_path / "marks")


def test_what_is_written_passes_its_own_test_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["new", "metric", "my_spread"]) == 0
    assert run(["new", "mitigation", "my_push"]) == 0
    for folder in (tmp_path / "oversmooth-my-spread", tmp_path / "oversmooth-my-push"):
        done = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        # It tests the formula: without it, it fails.
        path = declared_in(folder)
        text = path.read_text(encoding="utf-8")
        assert text != text.replace("xp.max(", "xp.min(").replace("states + ", "states - ")
        path.write_text(text.replace("xp.max(", "xp.min(").replace("states + ", "states - "), encoding="utf-8")
        done = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 1, done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["metric", "token_cosine"], "There is a metric named “token_cosine” already."),
        (["metric", "lsds"], "There is a metric named “lsds” already."),
        (["mitigation", "neutreno"], "There is a mitigation named “neutreno” already."),
        (["metric", "Großes"], "“Großes” cannot be a name"),
        (["metric", "../up"], "“../up” cannot be a name"),
        (["metric", "lambda"], "“lambda” cannot be a name"),
        (["metric", "there_already"], "There is “oversmooth-there-already” already, and nothing in it was changed."),
        (["page", "mine"], "page"),
    ],
)
def test_a_package_that_cannot_be_begun_is_refused_in_a_sentence(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = tmp_path / "oversmooth-there-already" / "kept"
    kept.parent.mkdir()
    kept.touch()
    assert run(["new", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]


@pytest.mark.slow
class TestInstalled:
    def test_the_command_line_lists_what_works_and_names_what_does_not_once(self, beside: Beside) -> None:
        metrics = beside.oversmooth("metrics")
        assert metrics.returncode == 0
        assert "\nlargest_distance " in metrics.stdout
        assert "broken" not in metrics.stdout
        assert metrics.stderr == f"Note: {NOTE}\n"
        mitigations = beside.oversmooth("mitigations")
        assert "\npush_apart " in mitigations.stdout
        assert mitigations.stderr == ""

    def test_a_run_has_its_numbers_in_every_file_and_the_record_names_what_took_part(self, beside: Beside) -> None:
        options = [
            "--metric",
            "largest_distance",
            "--metric",
            "token_cosine",
            "--mitigation",
            "push_apart:strength=0.5",
        ]
        done = beside.oversmooth("compare", "--text", "The cat sat on the mat.", *options, "--out", "out")
        assert done.returncode == 0, done.stderr
        assert done.stderr.count(NOTE) == 1
        out = beside.marks.parent / "out"
        curves = (out / "curves.csv").read_text(encoding="utf-8")
        for label in ("baseline", "push_apart:strength=0.5"):
            assert any(label in line and ",largest_distance," in line for line in curves.splitlines())
        sides = json.loads((out / "record.json").read_text(encoding="utf-8"))["measurements"].values()
        versions = {"oversmooth-largest-distance": "0.1.0"}
        assert [side["environment"]["plugins"] for side in sides] == [
            versions,
            versions | {"oversmooth-push-apart": "0.1.0"},
        ]
        again = beside.oversmooth("run", "out")
        assert again.returncode == 0, again.stderr
        assert "plug-in" not in again.stdout

    def test_repeating_says_that_a_version_differs(self, beside: Beside) -> None:
        options = ["--text", "The cat sat on the mat.", "--metric", "largest_distance", "--out", "out"]
        assert beside.oversmooth("measure", *options).returncode == 0
        record = beside.marks.parent / "out" / "record.json"
        text = record.read_text(encoding="utf-8")
        earlier = text.replace('"oversmooth-largest-distance": "0.1.0"', '"oversmooth-largest-distance": "0.0.9"')
        assert earlier != text
        record.write_text(earlier, encoding="utf-8")
        again = beside.oversmooth("run", "out")
        assert "the plug-in oversmooth-largest-distance was 0.0.9, now 0.1.0" in again.stdout + again.stderr

    def test_the_reference_has_an_entry(self, beside: Beside) -> None:
        code = "from oversmooth.report.glossary import document; print(document())"
        found = beside("-c", code).stdout
        assert '<a id="largest_distance"></a>' in found
        assert '<a id="push_apart"></a>' in found

    def test_a_worker_measures_and_writes_with_it(self, beside: Beside) -> None:
        done = beside("-c", ENGINE)
        assert done.returncode == 0, done.stderr
        measured, exported, drawn, web = done.stdout.splitlines()
        assert "A figure of my own" in drawn
        assert json.loads(measured) == {"oversmooth-largest-distance": "0.1.0", "oversmooth-push-apart": "0.1.0"}
        assert "Largest distance" in exported
        assert len(beside.imported_by - {web}) in (2, 3), "a worker that measures, and one or both of those that write"

    def test_a_page_offers_it_and_says_what_is_left_out(self, beside: Beside) -> None:
        done = beside("-c", PAGE)
        assert done.returncode == 0, done.stderr
        assert "Largest distance" in done.stdout
        assert NOTE in done.stdout.replace("\\", "")
        assert "'Figures of plug-ins'" in done.stdout
        assert "'**A figure of my own**'" in done.stdout
        assert "chart_plugin_my_figure" in done.stdout


ENGINE = """
import io, json, os, zipfile
from oversmooth.report.export.requests import ChartFile
from oversmooth.report.figures.gallery import figures_of
from oversmooth.report.paper.presets import PRESETS
from oversmooth.results.settings import Settings
from oversmooth.service.engine.engine import close_shared_engine, shared_engine

engine = shared_engine()
settings = Settings.of(texts="The cat sat.", metrics=["largest_distance"], mitigations=["push_apart"])
result = engine.submit(settings).result(120)
print(json.dumps(result.record.environment.plugins))
figures = figures_of(result)
for name in ("largest_distance", "my_figure"):
    file = engine.export(ChartFile(result, name, figures[name], ("latex", "svg"), PRESETS["single"], 300)).result(120)
    files = zipfile.ZipFile(io.BytesIO(file))
    told = (files.read(each).decode() for each in files.namelist() if each.endswith(".tex"))
    print(" ".join(" ".join(told).split()))
print(os.getpid())
close_shared_engine()
"""
PAGE = """
from streamlit.testing.v1 import AppTest
import oversmooth.service.launch
page = AppTest.from_file(oversmooth.service.launch.script(), default_timeout=90).run()
assert not page.exception and not page.error, (page.exception, page.error)
print(page.multiselect, [each.value for each in (*page.caption, *page.subheader, *page.markdown)])
print([each.proto.id for each in page.get("plotly_chart")])
"""


@pytest.mark.slow
class TestHosted:
    def test_a_hosted_server_loads_none(self, beside: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
        log = beside.marks.parent / "log"
        for name in ("PYTHONPATH", "MARKS"):
            monkeypatch.setenv(name, beside.environment[name])
        with served(log, profile="hosted-xs"):
            assert beside.imported_by == set()
        assert "plug-in" not in log.read_text(encoding="utf-8")

    def test_one_that_is_allowed_by_name_is_loaded_and_what_fails_is_logged(
        self, beside: Beside, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log = beside.marks.parent / "log"
        for name in ("PYTHONPATH", "MARKS"):
            monkeypatch.setenv(name, beside.environment[name])
        allowed = f"Oversmooth_Largest.Distance,{BROKEN},absent"
        with served(log, profile="hosted-xs", plugins=allowed) as server:
            assert str(server.process.pid) in beside.imported_by
        told = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        reasons = [line["reason"] for line in told if line.get("event") == "plug-in left out"]
        assert sorted(reasons) == [NOTE, "The plug-in “absent” is allowed here, but is not installed."]

    def test_no_process_of_it_knows_what_is_not_allowed(self, beside: Beside) -> None:
        code = "from oversmooth.service.hosting import plugins; plugins.permit(); print(plugins.notes())\n"
        code += "from oversmooth import metrics, mitigations; print('largest_distance' in metrics.names(), "
        code += "'push_apart' in mitigations.names())"
        hosted = {"OVERSMOOTH_PROFILE": "hosted-m"}
        assert beside("-c", code, **hosted).stdout.splitlines() == ["()", "False False"]
        one = beside("-c", code, **hosted, OVERSMOOTH_PLUGINS="oversmooth-push-apart")
        assert one.stdout.splitlines() == ["()", "False True"]
        local = beside("-c", code)
        assert local.stdout.splitlines()[1] == "True True"
