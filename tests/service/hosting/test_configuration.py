"""What an operator sets, where it may stand, and what is said of what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from oversmooth.cli.main import run
from oversmooth.core.errors import ConfigurationError
from oversmooth.service.hosting import Configuration, Limits, Profile, current
from oversmooth.service.hosting.configuration import FILE_VARIABLE, variable
from oversmooth.service.hosting.document import document
from oversmooth.service.hosting.profiles import PROFILES


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "server.toml"))
    return tmp_path / "server.toml"


def refusal() -> str:
    with pytest.raises(ConfigurationError) as caught:
        current()
    return str(caught.value)


def test_without_a_word_it_is_for_one_user_and_has_no_limits() -> None:
    assert not current().hosted
    assert {name for name, value in current().limits if value is not None} == {"upload_bytes", "workers"}


@pytest.mark.parametrize("profile", [each for each in get_args(Profile) if each != "local"])
def test_one_key_sets_every_limit(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERSMOOTH_PROFILE", profile)
    assert current().hosted
    unlimited = {name for name, value in current().limits if value is None}
    assert unlimited == ({"worker_bytes"} if profile == "hosted-gpu" else set())


def test_larger_hosts_grant_no_less() -> None:
    small, middle, large = (PROFILES[name] for name in ("hosted-xs", "hosted-s", "hosted-m"))
    for name in Limits.model_fields:
        assert getattr(small, name) <= getattr(middle, name) <= getattr(large, name)


@pytest.mark.parametrize("profile", ["hosted-xs", "hosted-s", "hosted-m"])
def test_the_largest_model_fits_where_models_are_kept(profile: Profile) -> None:
    limits = PROFILES[profile]
    assert limits.parameters is not None
    assert limits.model_bytes is not None
    assert limits.worker_bytes is not None
    # Its weights in float32, and what a worker keeps beside them.
    needed = 4 * limits.parameters + 2**27
    assert needed <= limits.model_bytes // limits.workers < limits.worker_bytes


def test_a_variable_goes_over_the_file_and_the_file_over_the_profile(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('profile = "hosted-s"\ntokens = 100\ncharacters = 5000\nhosts = ["a.example", "b.example"]\n')
    monkeypatch.setenv("OVERSMOOTH_TOKENS", "99")
    limits = current().limits
    assert (limits.tokens, limits.characters, limits.texts) == (99, 5000, PROFILES["hosted-s"].texts)
    assert current().hosts == ("a.example", "b.example")


def test_lists_in_variables_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERSMOOTH_HOSTS", "a.example, b.example,")
    monkeypatch.setenv("OVERSMOOTH_BASE_PATH", "/lab/oversmooth/")
    assert current().hosts == ("a.example", "b.example")
    assert current().base_path == "lab/oversmooth"


def test_an_empty_variable_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    # As compose.yaml passes on what is not set.
    monkeypatch.setenv("OVERSMOOTH_TOKENS", "")
    assert current().limits.tokens is None


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("OVERSMOOTH_PROFILE", "hosted", "“profile” of the configuration (OVERSMOOTH_PROFILE)"),
        ("OVERSMOOTH_TOKENS", "many", "“tokens” of the configuration (OVERSMOOTH_TOKENS)"),
        ("OVERSMOOTH_WAITING", "-1", "greater than or equal to 0"),
        ("OVERSMOOTH_DEADLINE", "0", "greater than 0"),
        ("OVERSMOOTH_PORT", "70000", "65535"),
        ("OVERSMOOTH_TOKNES", "5", "There is no variable OVERSMOOTH_TOKNES (did you mean “OVERSMOOTH_TOKENS”?)."),
    ],
)
def test_a_wrong_variable_stops_everything(name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert told in refusal()


LEFT_BY_KUBERNETES = {
    "OVERSMOOTH_SERVICE_HOST": "10.0.0.11",
    "OVERSMOOTH_SERVICE_PORT": "8501",
    "OVERSMOOTH_SERVICE_PORT_HTTP": "8501",
    "OVERSMOOTH_SERVICE_PORT_WEB_METRICS": "9090",
    "OVERSMOOTH_PORT": "tcp://10.0.0.11:8501",
    "OVERSMOOTH_PORT_8501_TCP": "tcp://10.0.0.11:8501",
    "OVERSMOOTH_PORT_8501_TCP_PROTO": "tcp",
    "OVERSMOOTH_PORT_8501_TCP_PORT": "8501",
    "OVERSMOOTH_PORT_8501_TCP_ADDR": "10.0.0.11",
    "OVERSMOOTH_METRICS_PORT": "udp://[fd00::11]:9090",
    "OVERSMOOTH_METRICS_SERVICE_HOST": "fd00::11",
}


def test_what_kubernetes_sets_for_a_service_is_no_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in LEFT_BY_KUBERNETES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OVERSMOOTH_TOKENS", "99")
    assert (current().port, current().metrics_port, current().limits.tokens) == (None, None, 99)
    assert run(["config"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["port", "–", "default"] in rows
    assert ["tokens", "99", "OVERSMOOTH_TOKENS"] in rows


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OVERSMOOTH_PORT", "tcp://oversmooth:8501"),
        ("OVERSMOOTH_PORT", "http://10.0.0.11:8501"),
        ("OVERSMOOTH_PORT", "tcp://10.0.0.11"),
        ("OVERSMOOTH_TOKENS", "tcp://10.0.0.11:8501"),
        ("OVERSMOOTH_SERVICE_HOST", "lab.example"),
        ("OVERSMOOTH_SERVICE_PORT", "http"),
        ("OVERSMOOTH_SERVICE_PORTS", "8501"),
        ("OVERSMOOTH_PORT_TCP", "tcp://10.0.0.11:8501"),
        ("OVERSMOOTH_PROT", "8501"),
        ("OVERSMOOTH_PROT", ""),
    ],
)
def test_what_only_looks_like_that_stops_everything(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert name in refusal()


def test_a_wrong_file_stops_everything(file: Path) -> None:
    assert "There is no file" in refusal()
    file.write_text("tokens = ")
    assert "cannot be read" in refusal()
    file.write_text("toknes = 5\n")
    assert "There is no “toknes” in the configuration (did you mean “tokens”?)." in refusal()


def test_it_is_printed_with_where_each_value_comes_from(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text('profile = "hosted-s"\ncharacters = 5000\n')
    monkeypatch.setenv("OVERSMOOTH_TOKENS", "99")
    assert run(["config"]) == 0
    printed = {line.split()[0]: line.split(maxsplit=1)[1].split("  ") for line in capsys.readouterr().out.splitlines()}
    rows = {name: (cells[0].strip(), cells[-1].strip()) for name, cells in printed.items()}
    assert rows["profile"] == ("hosted-s", str(file))
    assert rows["tokens"] == ("99", "OVERSMOOTH_TOKENS")
    assert rows["characters"] == ("5000", str(file))
    assert rows["texts"] == (str(PROFILES["hosted-s"].texts), "profile hosted-s")
    assert rows["port"] == ("–", "default")
    assert set(rows) == {"KEY", *Configuration.model_fields}


def test_every_key_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "--long"]) == 0
    told = capsys.readouterr().out
    for name in Configuration.model_fields:
        meaning = told.partition(f"{variable(name)}: ")[2].partition("\n")[0]
        assert meaning.endswith("."), name
        assert len(meaning) > 20, name


def test_a_wrong_variable_is_a_sentence_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OVERSMOOTH_PROFIL", "hosted-s")
    assert run(["config"]) == 2
    assert "did you mean “OVERSMOOTH_PROFILE”" in capsys.readouterr().err


def test_the_document_is_that_of_the_code() -> None:
    path = Path(__file__).parents[3] / "docs" / "configuration.md"
    assert path.read_text(encoding="utf-8") == document(), "run scripts/reference"
