"""Whether the server lives, and whether it can compute, for whoever starts and supervises it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse
from starlette.routing import Route

from oversmooth.service.engine.shared import shared_engine

if TYPE_CHECKING:
    from starlette.requests import Request

ALIVE: Final = "/healthz"
READY: Final = "/readyz"
PATHS: Final = (ALIVE, READY)
_UNKEPT: Final = {"Cache-Control": "no-store"}


def routes() -> list[Route]:
    """Both stand at the root, whatever the path of the dashboard."""
    return [Route(ALIVE, _alive, methods=["GET"]), Route(READY, _ready, methods=["GET"])]


async def _alive(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ok", headers=_UNKEPT)


async def _ready(_: Request) -> PlainTextResponse:
    """200 when a worker lives and has loaded the default model; else 503 and why not."""
    engine = shared_engine()
    if engine.ready:
        return PlainTextResponse("ready", headers=_UNKEPT)
    word = "loading the model" if engine.worker_pids else "no worker"
    return PlainTextResponse(word, 503, headers=_UNKEPT)
