"""Where vendors deliver: messages that a channel does not fetch, but is brought."""

from collections.abc import Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from imconnect.ports import Hook

MOST_BROUGHT = 1024 * 1024
"""Bytes of one delivery."""


class Hooks:
    """Hands deliveries to the channel whose path they come to, ahead of everything that is for browsers."""

    def __init__(self, app: ASGIApp, hooks: Mapping[str, Hook]) -> None:
        self._app = app
        self._hooks = hooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hook = self._hooks.get(scope.get("path", "")) if scope["type"] == "http" else None
        if hook is None:
            await self._app(scope, receive, send)
            return
        status = await _taken(hook, Request(scope, receive))
        await Response(status_code=status)(scope, receive, send)


async def _taken(hook: Hook, request: Request) -> int:
    """The status to answer with: the channel's own, once what was brought is stored."""
    if request.method != "POST":
        return 405
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BROUGHT:
                return 413
    except ClientDisconnect:
        return 400
    return await hook.take(request.headers.get(hook.secret_header), bytes(body))
