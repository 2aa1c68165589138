"""What every answer tells the browser: load and run nothing foreign, show the page in no frame, hand on no address."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse
from streamlit import file_util

from oversmooth.service.server import front

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_STARTS: Final = ("http.response.start", "websocket.http.response.start")
_UNUSED: Final = (
    "accelerometer",
    "browsing-topics",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
)
# The browser alone knows the whole address. Without https, browsers have only the old way to the clipboard.
COPY_SCRIPT: Final = """
for (const button of document.querySelectorAll(".copy-link")) button.onclick = async () => {
  const address = window.location.href
  let copied = true
  try {
    await navigator.clipboard.writeText(address)
  } catch {
    const box = document.createElement("textarea")
    box.value = address
    document.body.append(box)
    box.select()
    copied = document.execCommand("copy")
    box.remove()
  }
  button.textContent = copied ? "Copied" : "Copy it from the address bar"
  setTimeout(() => { button.textContent = "Copy link" }, 3000)
}
"""
"""Of the button that copies an address: scripts of the page are allowed by their hash alone."""


class SecurityHeaders:
    """ASGI middleware that adds :func:`security_headers` to every answer, in the place of others of these names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = [(name.encode(), value.encode()) for name, value in security_headers().items()]
        self._names = {name for name, _ in self._headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def add(message: Message) -> None:
            if message["type"] in _STARTS:
                kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in self._names]
                message = {**message, "headers": [*kept, *self._headers]}
            await send(message)

        await self._app(scope, receive, add)


async def failure(_: Request, error: Exception) -> PlainTextResponse:
    """The answer where the server itself went wrong, which no middleware of ours sees any more."""
    del error  # its words may be a visitor's; uvicorn has it logged
    return PlainTextResponse("Internal Server Error", 500, headers=security_headers())


def security_headers() -> dict[str, str]:
    """Names, in lower case, and values."""
    return {
        "content-security-policy": content_security_policy(),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": ", ".join(f"{feature}=()" for feature in _UNUSED),
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }


def content_security_policy() -> str:
    """What the page may load and run: of this server alone, and of scripts in the page only the known ones."""
    scripts = " ".join(
        f"'sha256-{_hash(script)}'" for script in (*_inline_scripts(_index()), front.SCRIPT, COPY_SCRIPT)
    )
    directives = {
        "default-src": "'none'",
        "script-src": f"'self' {scripts}",
        # Plotly and the components of Streamlit write their styles into the page.
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def _index() -> str:
    return (Path(file_util.get_static_dir()) / "index.html").read_text("utf-8")


def _inline_scripts(page: str) -> list[str]:
    return re.findall(r"<script>(.*?)</script>", page, re.DOTALL)


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
