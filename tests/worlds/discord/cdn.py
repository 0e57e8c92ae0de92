"""Attachments: links that are signed, serve bytes, and expire (discord.com/developers/docs/reference#cdn-data)."""

import hashlib
from typing import Any, cast
from urllib.parse import quote

from aiohttp import web
from simcord.backend.cdn import CDN_BASE
from tests.worlds.discord.model import Model


class Cdn:
    """Serves what was uploaded. A link is good for `limits.link_lifetime` seconds; the API hands out fresh ones."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.root = ""

    def signed(self, value: Any) -> Any:
        """A copy of a payload with every stored file's address turned into a link that works now."""
        if isinstance(value, dict):
            return {key: self.signed(item) for key, item in cast("dict[str, Any]", value).items()}
        if isinstance(value, list | tuple):
            return [self.signed(item) for item in cast("list[Any]", value)]
        if isinstance(value, str) and value.startswith(f"{CDN_BASE}/attachments/"):
            return self._link(value.removeprefix(CDN_BASE))
        return value

    def _link(self, path: str) -> str:
        made = int(self._model.now())
        until = made + int(self._model.limits.link_lifetime)
        return f"{self.root}{quote(path)}?ex={until:x}&is={made:x}&hm={_mark(path, until)}"

    async def serve(self, request: web.Request) -> web.Response:
        path = request.path
        content = self._model.cdn.get(CDN_BASE + path)
        try:
            until = int(request.query.get("ex", ""), 16)
        except ValueError:
            until = 0
        good = request.query.get("hm") == _mark(path, until) and self._model.now() < until
        if content is None or not good:
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=content, content_type="application/octet-stream")


def _mark(path: str, until: int) -> str:
    return hashlib.sha256(f"loopback {path} {until:x}".encode()).hexdigest()
