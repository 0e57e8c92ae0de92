"""What every answer and every request has in common: headers that keep pages to themselves, bounds, and origins."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import HTTPException, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_TEXT = 16 * 1024
"""Bytes of one message, in UTF-8."""

MOST_BODY = 64 * 1024
"""Bytes of a request: a message of Chinese, percent-encoded, is three times as long as its UTF-8."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class TooLarge(HTTPException):
    """The request is longer than any of ours."""

    def __init__(self) -> None:
        super().__init__(413, f"At most {MOST_BODY // 1024} KB.")


class Armour:
    """Sets the headers, bounds every body, and turns away what another site's page sends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sender = _with_headers(send)
        if scope["method"] not in _SAFE and comes_from_elsewhere(Headers(scope=scope)):
            await PlainTextResponse("This came from another site.", 403)(scope, receive, sender)
            return
        await self._app(scope, _bounded(receive), sender)


def comes_from_elsewhere(headers: Headers) -> bool:
    """Whether a browser says that another site's page made the request.

    Under `no-referrer` a form's Origin is "null" (Fetch, "append a request Origin header"): Sec-Fetch-Site tells then,
    and where neither does, the cookies' SameSite and the form's token still hold.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin not in (None, "null") and urlsplit(origin).netloc != headers.get("host")


def _with_headers(send: Send) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)  # what hands out a file is stricter
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sender


def _bounded(receive: Receive) -> Callable[[], Awaitable[MutableMapping[str, Any]]]:
    received = 0

    async def receiver() -> MutableMapping[str, Any]:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MOST_BODY:
            raise TooLarge
        return message

    return receiver


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a posted form; of a field given twice, the first."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Expected a form.")
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise HTTPException(400, "This form cannot be read.") from None
    return dict(reversed(pairs))


def too_long(text: str) -> bool:
    return len(text.encode("utf-8", "surrogatepass")) > MOST_TEXT
