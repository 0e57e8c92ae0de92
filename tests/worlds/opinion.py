"""A server of chat completions (`POST /v1/chat/completions`) over real HTTP, which also fails as such servers do."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import web

SLOW_SECONDS = 60.0


class Fault(StrEnum):
    """What such a server does instead of answering."""

    SILENT = "silent"  # takes the question and says nothing
    DRIPPING = "dripping"  # says a byte now and then, for ever
    CUT = "cut"  # ends in the middle of its answer
    BROKEN = "broken"  # 500, with the question in the body
    REFUSING = "refusing"  # 401
    MOVED = "moved"  # sends on to another address
    BABBLING = "babbling"  # 200, and no end of it
    NOT_JSON = "not_json"  # a page of a proxy
    EMPTY = "empty"  # a completion without choices
    WORDLESS = "wordless"  # a completion without text, as when a tool is to be called


AT_ONCE: Mapping[Fault | None, tuple[int, str, str]] = {
    Fault.REFUSING: (401, "application/json", '{"error": {"message": "no such key"}}'),
    Fault.MOVED: (307, "text/plain", ""),
    Fault.NOT_JSON: (200, "text/html", "<html>Sign in to the network</html>"),
    Fault.EMPTY: (200, "application/json", '{"choices": []}'),
    Fault.WORDLESS: (200, "application/json", '{"choices": [{"message": {"role": "assistant", "content": null}}]}'),
}
"""Status, type and body of what some faults answer."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request as it came in."""

    body: dict[str, Any]
    raw: bytes
    authorization: str | None

    @property
    def told(self) -> dict[str, Any]:
        """What stands as data in the user's turn: `message` and `topics`."""
        return dict(json.loads(self.body["messages"][-1]["content"]))

    @property
    def message(self) -> str:
        return str(self.told["message"])

    @property
    def ids(self) -> list[str]:
        return [str(topic["id"]) for topic in self.told["topics"]]


def first_topic(question: Question) -> str:
    return json.dumps({"topic": question.ids[0]})


@dataclass(slots=True)
class Completions:
    """The server. `says` makes the text of an answer; while `fault` is set it does that instead.

    Without `knows_json` it refuses a question with `response_format`, as servers do that do not know it. `key` is the
    bearer token it wants.
    """

    url: str = ""
    says: Callable[[Question], str] = first_topic
    fault: Fault | None = None
    knows_json: bool = True
    key: str | None = None
    asked: list[Question] = field(default_factory=list[Question])
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until_asked(self, times: int = 1, within: float = 30.0) -> None:
        """Return once it was asked so often. Raises `TimeoutError`."""
        async with asyncio.timeout(within), self._came:
            await self._came.wait_for(lambda: len(self.asked) >= times)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        question = Question(json.loads(raw), raw, request.headers.get("Authorization"))
        self.asked.append(question)
        async with self._came:
            self._came.notify_all()
        if self.key is not None and question.authorization != f"Bearer {self.key}":
            return web.json_response({"error": {"message": "no such key"}}, status=401)
        if not self.knows_json and "response_format" in question.body:
            told = {"message": "'response_format' is not supported", "param": "response_format"}
            return web.json_response({"error": told}, status=400)
        if self.fault is not None:
            return await self._fails(request, question)
        return _completion(self.says(question))

    async def _fails(self, request: web.Request, question: Question) -> web.StreamResponse:
        if self.fault is Fault.BROKEN:
            return web.Response(status=500, body=question.raw)
        if self.fault in AT_ONCE:
            status, content_type, body = AT_ONCE[self.fault]
            return web.Response(status=status, headers={"Location": "/elsewhere"}, content_type=content_type, text=body)
        return await self._lingers(request)

    async def _lingers(self, request: web.Request) -> web.StreamResponse:
        if self.fault is Fault.SILENT:
            await asyncio.sleep(SLOW_SECONDS)
            return web.Response(status=504)
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        if self.fault is Fault.CUT:
            await answer.write(b'{"choices": [{"mess')
            assert request.transport is not None
            request.transport.abort()
            return answer
        pause = 0.05 if self.fault is Fault.DRIPPING else 0.0
        piece = b" " if self.fault is Fault.DRIPPING else b'"' + b"a" * 8_192 + b'",'
        while True:
            await answer.write(piece)
            await asyncio.sleep(pause)


def _completion(text: str) -> web.Response:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return web.json_response({"id": "chatcmpl-1", "object": "chat.completion", "model": "small", "choices": [choice]})


@asynccontextmanager
async def serving_completions(port: int = 0) -> AsyncGenerator[Completions]:
    """The server, at `url` until the block ends."""
    world = Completions()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", world.complete)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    host, taken = runner.addresses[0][:2]
    world.url = f"http://{host}:{taken}/v1"
    try:
        yield world
    finally:
        await runner.cleanup()
