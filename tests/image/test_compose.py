"""compose.yaml: who may do what, and that it fits the image, the server's configuration and the proxy's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from oversmooth.service.hosting import Configuration
from oversmooth.service.hosting.configuration import PREFIX, variable
from oversmooth.service.hosting.profiles import PROFILES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file as compose reads it where no variable is set."""
    return read("compose.yaml")


def read(name: str, **shell: str) -> dict[str, Any]:
    """A file as compose reads it where these variables are set."""
    text = re.sub(
        r"\$\{(\w+):-([^}]*)\}", lambda found: shell.get(found[1]) or found[2], (ROOT / name).read_text("utf-8")
    )
    assert "${" not in text
    found: dict[str, Any] = yaml.safe_load(text)
    for service in found["services"].values():
        variables = service.get("environment", {})
        # One without a value is that of the shell.
        given = {key: shell.get(key) if value is None else value for key, value in variables.items()}
        service["environment"] = {key: value for key, value in given.items() if value is not None}
        service["passed"] = set(variables)
    return found


def configured(service: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Configuration:
    """What the server makes of the variables that compose gives it."""
    for name, value in service["environment"].items():
        if name.startswith(PREFIX):
            monkeypatch.setenv(name, value)
    return Configuration.of()


@pytest.fixture(scope="module")
def proxy() -> str:
    return (ROOT / "deploy/nginx.conf").read_text("utf-8")


@pytest.mark.parametrize("name", ["web", "proxy", "fetch"])
def test_every_service_is_bounded_and_has_no_rights(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "cpus", "pids_limit", "tmpfs"} <= service.keys()
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service.keys().isdisjoint({"privileged", "cap_add", "network_mode", "pid", "devices"})
    assert [volume for volume in service["volumes"] if "docker.sock" in volume] == []


def test_the_server_reaches_nobody_and_only_reads_the_models(compose: dict[str, Any]) -> None:
    web = compose["services"]["web"]
    assert web["networks"] == ["inside"]
    assert compose["networks"]["inside"]["internal"] is True
    assert "ports" not in web
    assert web["volumes"] == ["models:/models:ro"]
    assert {"stop_grace_period", "ulimits"} <= web.keys()


def test_only_the_job_that_fetches_asks_the_hub_and_only_when_it_is_run(compose: dict[str, Any]) -> None:
    services = compose["services"]
    online = [name for name, each in services.items() if each["environment"].get("HF_HUB_OFFLINE") == "0"]
    assert online == ["fetch"]
    assert services["fetch"]["profiles"] == ["tools"]
    assert services["fetch"]["entrypoint"] == ["oversmooth", "allow"]
    assert [name for name, each in services.items() if "models:/models" in each["volumes"]] == ["fetch"]


def test_by_itself_only_this_machine_reaches_it(compose: dict[str, Any]) -> None:
    assert compose["services"]["proxy"]["ports"] == ["127.0.0.1:8080:8080", "127.0.0.1:8081:8081"]
    opened = read("compose.yaml", PUBLISH="0.0.0.0:80")["services"]["proxy"]["ports"]
    assert opened == ["0.0.0.0:80:8080", "127.0.0.1:8081:8081"]


@pytest.mark.parametrize("name", ["web", "fetch"])
def test_every_key_of_the_configuration_is_passed_on(compose: dict[str, Any], name: str) -> None:
    passed = {key for key in compose["services"][name]["passed"] if key.startswith(PREFIX)}
    assert passed == {variable(key) for key in Configuration.model_fields}


@pytest.mark.parametrize("name", ["web", "fetch"])
def test_the_server_takes_what_it_is_told(compose: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = configured(compose["services"][name], monkeypatch)
    assert configuration.hosted
    assert configuration.limits == PROFILES["hosted-s"]
    assert configuration.base_path == "oversmooth"


def test_what_the_operator_sets_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    set_by_hand = {
        "OVERSMOOTH_CONNECTIONS": "40",
        "OVERSMOOTH_BASE_PATH": "/lab/tokens/",
        "OVERSMOOTH_HOSTS": "a.example",
    }
    web = read("compose.yaml", OVERSMOOTH_PROFILE="hosted-m", **set_by_hand)["services"]["web"]
    configuration = configured(web, monkeypatch)
    assert configuration.limits == PROFILES["hosted-m"].model_copy(update={"connections": 40})
    assert (configuration.base_path, configuration.hosts) == ("lab/tokens", ("a.example",))


def test_proxy_and_server_agree_on_ports_and_the_proxy_knows_no_path(compose: dict[str, Any], proxy: str) -> None:
    variables = compose["services"]["web"]["environment"]
    assert f"server web:{variables['OVERSMOOTH_PORT']};" in proxy
    assert f"server web:{variables['OVERSMOOTH_METRICS_PORT']};" in proxy
    assert f"EXPOSE {variables['OVERSMOOTH_PORT']}\n" in (ROOT / "Dockerfile").read_text("utf-8")
    assert {port.rpartition(":")[2] for port in compose["services"]["proxy"]["ports"]} == {"8080", "8081"}
    assert set(re.findall(r"listen (\d+);", proxy)) == {"8080", "8081"}
    directives = re.sub(r"#.*", "", proxy)
    assert variables["OVERSMOOTH_BASE_PATH"] not in directives


def test_no_dead_process_stays_and_the_proxy_keeps_within_its_own(compose: dict[str, Any], proxy: str) -> None:
    assert compose["services"]["web"]["init"] is True
    assert compose["services"]["fetch"]["init"] is True
    workers = re.findall(r"^worker_processes (\d+);$", proxy, re.MULTILINE)
    assert len(workers) == 1
    # Besides them: the one that starts them, and two that see to the files kept.
    assert int(workers[0]) + 3 <= compose["services"]["proxy"]["pids_limit"] // 2


def test_the_proxy_is_of_one_version(compose: dict[str, Any]) -> None:
    assert re.fullmatch(r"nginx:\d+\.\d+\.\d+", compose["services"]["proxy"]["image"])


def test_on_a_gpu_the_server_has_the_device_and_the_profile_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, override = read("compose.yaml")["services"], read("compose.cuda.yaml")["services"]
    assert override.keys() == {"web", "fetch"}
    for name, service in override.items():
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        assert (device["driver"], device["count"], device["capabilities"]) == ("nvidia", 1, ["gpu"])
        assert service["image"] == "oversmooth:cuda"
        both = {"environment": plain[name]["environment"] | service["environment"]}
        assert configured(both, monkeypatch).limits == PROFILES["hosted-gpu"]
    declared = re.findall(r"^ARG (\w+)", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert override["web"]["build"]["args"].keys() <= set(declared)


def test_the_proxy_tells_the_server_who_asks_and_keeps_no_query(proxy: str) -> None:
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in proxy
    logged = re.findall(r"log_format \w+ '([^']*)'", proxy)
    assert len(logged) == 1
    assert not re.search(r"\$(request|request_uri|args|query_string|http_referer)\b", logged[0])
