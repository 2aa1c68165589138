"""A model hub on loopback that speaks as much of the hub's protocol as its client uses for a download."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclass
class Repository:
    """One model on the hub."""

    folder: Path
    commit: str = "1234567890abcdef1234567890abcdef12345678"
    gated: bool = False
    status: int = 200
    """Answered to every question, when it is not 200."""
    parameters: int | None = None
    """What the hub says that the weights hold."""
    branch: str = "main"
    listed_size: int | None = None
    """Told instead of the real size of the weights."""
    corrupt: str = ""
    """The large file that is served with one byte changed."""
    large: tuple[str, ...] = ()
    """Further files that the hub keeps as it keeps weights, and knows by their SHA-256."""
    moves_to: str = ""
    """The commit of its branch as soon as somebody has asked what there is."""

    def files(self) -> dict[str, bytes]:
        """Content of each file."""
        found = sorted(each for each in self.folder.rglob("*") if each.is_file())
        return {each.relative_to(self.folder).as_posix(): each.read_bytes() for each in found}

    def facts(self, name: str, body: bytes) -> dict[str, Any]:
        """Size and hashes as the hub lists them: weights are large files, known by their SHA-256."""
        facts: dict[str, Any] = {"size": len(body), "oid": hashlib.sha1(body).hexdigest()}
        if name.endswith((".safetensors", ".bin")) or name in self.large:
            facts["lfs"] = {"oid": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 134}
        return facts


@dataclass
class Hub:
    """What the server offers, and what it was asked."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    url: str = ""
    requests: list[str] = field(default_factory=list)
    stall_after: int | None = None
    """Bytes of the weights after which nothing more is sent until ``go_on`` is set."""
    go_on: threading.Event = field(default_factory=threading.Event)
    sent: int = 0
    """Bytes of weights handed to the network."""

    def downloads(self) -> list[str]:
        """The files whose bytes were asked for."""
        return [line.rpartition("/")[2] for line in self.requests if line.startswith("GET") and "/resolve/" in line]


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub, answering on a loopback port of its own."""

    class Handler(_Handler):
        offered = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        hub.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    offered: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        self.offered.requests.append(f"{self.command} {unquote(self.path)}")

    def do_GET(self) -> None:
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        if parts[:2] == ["api", "models"]:
            self._answer_question("/".join(parts[2:4]), parts[4:])
        else:
            self._answer_file("/".join(parts[:2]), parts[3], "/".join(parts[4:]))

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer_question(self, identifier: str, rest: list[str]) -> None:
        repository = self._repository(identifier, rest[1] if len(rest) > 1 else None)
        if repository is None:
            return
        found = repository.files()
        if rest[:1] == ["tree"]:
            self._json([{"type": "file", "path": name, **repository.facts(name, body)} for name, body in found.items()])
            return
        siblings = []
        for name, body in found.items():
            facts = repository.facts(name, body)
            if repository.listed_size is not None and "lfs" in facts:
                facts["size"] = repository.listed_size
            lfs = {"lfs": {**facts["lfs"], "sha256": facts["lfs"]["oid"], "pointerSize": 134}} if "lfs" in facts else {}
            siblings.append({"rfilename": name, "size": facts["size"], "blobId": facts["oid"], **lfs})
        answer: dict[str, Any] = {
            "id": identifier,
            "sha": repository.commit,
            "gated": "manual" if repository.gated else False,
            "siblings": siblings,
        }
        if repository.parameters is not None:
            answer["safetensors"] = {"parameters": {"F32": repository.parameters}, "total": repository.parameters}
        self._json(answer)
        repository.commit = repository.moves_to or repository.commit

    def _answer_file(self, identifier: str, revision: str, name: str) -> None:
        repository = self._repository(identifier, revision)
        if repository is None:
            return
        if repository.gated:
            self._refuse(401, "GatedRepo")
            return
        body = repository.files().get(name)
        if body is None:
            self._refuse(404, "EntryNotFound")
            return
        facts = repository.facts(name, body)
        if repository.corrupt == name and "lfs" in facts:
            body = body[:-1] + bytes([body[-1] ^ 1])
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", repository.commit)
        self.send_header("ETag", f'"{facts["lfs"]["oid"] if "lfs" in facts else facts["oid"]}"')
        self.send_header("Content-Length", str(len(body) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        if self.command == "GET":
            self._send(body[start:], "lfs" in facts)

    def _send(self, body: bytes, weights: bool) -> None:
        pause = self.offered.stall_after if weights and not self.offered.go_on.is_set() else None
        first = body if pause is None else body[:pause]
        try:
            self.wfile.write(first)
            self.wfile.flush()
            self.offered.sent += len(first) if weights else 0
            if pause is not None:
                self.offered.go_on.wait(60)
                self.wfile.write(body[pause:])
        except ConnectionError:
            self.close_connection = True  # The client has left, which is what a cancelled download does.

    def _repository(self, identifier: str, revision: str | None) -> Repository | None:
        repository = self.offered.repositories.get(identifier)
        if repository is None:
            self._refuse(404, "RepoNotFound")
        elif repository.status != 200:
            self._refuse(repository.status, "")
        elif revision not in (None, repository.commit, repository.branch):
            self._refuse(404, "RevisionNotFound")
        else:
            return repository
        return None

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
