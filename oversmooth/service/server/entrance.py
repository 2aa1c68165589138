"""Leads from the server's root to the dashboard, which a proxy may serve under a path of its own."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route


def routes(base_path: str) -> list[Route]:
    """From the root, and from the path without its last slash.

    Args:
        base_path: path of the dashboard, without slashes around it; empty where it stands at the root by itself.
    """

    async def lead(request: Request) -> RedirectResponse:
        # Without a host: a proxy may be asked by another name than this server.
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/{base_path}/{query}")

    return [Route(path, lead, methods=["GET"]) for path in ("/", f"/{base_path}")] if base_path else []
