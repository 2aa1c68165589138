"""compose.yaml: who may do what, and that it fits the image, the server's configuration and the proxy's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from oversmooth.hosting import Configuration

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file as compose reads it where no variable is set."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (ROOT / "compose.yaml").read_text("utf-8"))
    found: dict[str, Any] = yaml.safe_load(text)
    return found


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
    online = [name for name, each in services.items() if each.get("environment", {}).get("HF_HUB_OFFLINE") == "0"]
    assert online == ["fetch"]
    assert services["fetch"]["profiles"] == ["tools"]
    assert services["fetch"]["entrypoint"] == ["oversmooth", "allow"]
    assert [name for name, each in services.items() if "models:/models" in each["volumes"]] == ["fetch"]


def test_by_itself_only_this_machine_reaches_it(compose: dict[str, Any]) -> None:
    assert compose["services"]["proxy"]["ports"] == ["127.0.0.1:8080:8080"]


@pytest.mark.parametrize("name", ["web", "fetch"])
def test_the_server_takes_what_it_is_told(compose: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in compose["services"][name]["environment"].items():
        if variable.startswith("OVERSMOOTH_"):
            monkeypatch.setenv(variable, value)
    assert Configuration.of().hosted


def test_proxy_and_server_agree_on_path_and_port(compose: dict[str, Any], proxy: str) -> None:
    path = compose["services"]["web"]["environment"]["OVERSMOOTH_BASE_PATH"]
    assert f"location /{path}/ {{" in proxy
    port = re.search(r"^EXPOSE (\d+)$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert port is not None
    assert f"server web:{port[1]};" in proxy
    assert "listen 8080;" in proxy


def test_the_proxy_tells_the_server_who_asks_and_keeps_no_query(proxy: str) -> None:
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in proxy
    logged = re.findall(r"log_format \w+ '([^']*)'", proxy)
    assert len(logged) == 1
    assert not re.search(r"\$(request|request_uri|args|query_string|http_referer)\b", logged[0])
