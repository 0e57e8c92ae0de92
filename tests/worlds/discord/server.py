"""Discord over HTTP: the API with its limits and faults, the gateway, attachments, and a way in for other processes."""

import asyncio
import io
import json
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from aiohttp import BodyPartReader, web
from simcord.backend.errors import BackendError, SetupError
from simcord.http.router import RouteNotImplemented, UnsupportedField
from tests.worlds.discord.faults import Broken, BrokenAfter, Cut, Fault, Hangs, Limited, Moment, Refused, Slow, fits
from tests.worlds.discord.limits import Standing
from tests.worlds.discord.model import Json
from tests.worlds.discord.refusals import refusal
from tests.worlds.discord.routes import Ask, Upload, as_json
from tests.worlds.discord.world import Request, World

log = logging.getLogger(__name__)

PREFIX = "/api/v10"
LARGEST_REQUEST = 64 * 1024 * 1024  # bytes
WITHOUT_TOKEN = ("GET /gateway", "* /webhooks/*/*/**", "POST /interactions/*/*/callback")
VIA = {"Via": "1.1 google"}
PROXY_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>cloudflare</body></html>"


class Server:
    """A world that listens on loopback."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> None:
        application = web.Application(client_max_size=LARGEST_REQUEST)
        router = application.router
        for path in ("/gw", "/gw/"):
            router.add_get(path, self.world.connection.serve)
        router.add_get("/attachments/{channel}/{id}/{name}", self.world.cdn.serve)
        router.add_post("/world/says", self._says)
        router.add_post("/world/presses", self._presses)
        router.add_get("/world/channels", self._channels)
        router.add_route("*", PREFIX + "/{rest:.*}", self._api)
        self._runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        host, bound = cast("tuple[str, int]", self._runner.addresses[0][:2])
        self.world.listens_at(f"{host}:{bound}")

    async def stop(self) -> None:
        self.world.closing = True
        self.world.notify()
        self.world.connection.cuts()
        if self._runner is not None:
            await self._runner.cleanup()

    # ---- the API

    async def _api(self, request: web.Request) -> web.StreamResponse:
        world, path = self.world, request.path.removeprefix(PREFIX)
        if world.meter.banned(world.now()):
            return self._out(request, path, None, _cloudflare())
        open_to_all = any(fits(pattern, request.method, path) for pattern in WITHOUT_TOKEN)
        if not open_to_all and request.headers.get("Authorization") != f"Bot {world.token}":
            return self._out(request, path, None, _answer({"message": "401: Unauthorized", "code": 0}, 401))
        ask = await _read(request, path)
        fault = world.faults.next_for(request.method, path)
        if fault is not None:
            return await self._spoiled(fault, request, ask)
        standing = self._measure(ask)
        if not standing.passes:
            return self._out(request, path, ask, _slow_down(standing.wait, standing.scope, standing.headers))
        return self._out(request, path, ask, self._do(ask), standing.headers)

    def _measure(self, ask: Ask) -> Standing:
        """Where this request stands. Interaction responses do not count globally (docs: topics/rate-limits)."""
        world = self.world
        route = next((one for one in world.limits.buckets if fits(one, ask.method, ask.path)), None)
        parts = ask.path.strip("/").split("/")
        resource = "/".join(parts[1 : 3 if parts[0] == "webhooks" else 2])
        counts = not fits("* /interactions/**", ask.method, ask.path) and parts[0] != "webhooks"
        return world.meter.take(route, resource, world.now(), counts_globally=counts)

    def _do(self, ask: Ask) -> web.Response:
        world = self.world
        if sum(len(upload.fp.getbuffer()) for upload in ask.files) > world.limits.upload:
            return _answer(as_json(refusal(40005)), 413)
        try:
            result = world.api.answer(ask)
        except (RouteNotImplemented, UnsupportedField) as missing:
            world.breaches.append(missing)
            return _answer({"message": missing.message, "code": 0}, 501)
        except BackendError as error:
            return _answer(as_json(error), error.status)
        except Exception as error:  # whatever went wrong here is a defect of the test or of this world
            log.exception("%s %s is broken", ask.method, ask.path)
            world.breaches.append(error)
            return _answer({"message": "500: Internal Server Error", "code": 0}, 500)
        return web.Response(status=204) if result is None else _answer(world.cdn.signed(result))

    async def _spoiled(self, fault: Fault, request: web.Request, ask: Ask) -> web.StreamResponse:
        """Do what was asked, in the way *fault* leaves room for."""
        if isinstance(fault, Hangs | Cut):
            return await self._unanswered(fault, request, ask)
        return self._out(request, ask.path, ask, await self._spoilt_answer(fault, ask))

    async def _spoilt_answer(self, fault: Refused | Limited | Broken | BrokenAfter | Slow, ask: Ask) -> web.Response:
        match fault:
            case Refused():
                return _answer({"message": fault.words, "code": fault.code}, fault.status)
            case Limited():
                return _slow_down(fault.retry_after, fault.scope, {}) if fault.via else _cloudflare()
            case Broken():
                return _proxy_page(fault.status)
            case BrokenAfter():
                self._do(ask)
                return _proxy_page(fault.status)
            case Slow():
                response = self._do(ask)
                await asyncio.sleep(fault.seconds)
                return response

    async def _unanswered(self, fault: Hangs | Cut, request: web.Request, ask: Ask) -> web.Response:
        if fault.moment is Moment.AFTER_THE_EFFECT:
            self._do(ask)
        self._note(request, ask.path, ask, None)
        while isinstance(fault, Hangs) and _is_open(request) and not self.world.closing:
            await self.world.changed(0.5)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _out(
        self,
        request: web.Request,
        path: str,
        ask: Ask | None,
        response: web.Response,
        headers: dict[str, str] | None = None,
    ) -> web.Response:
        """Record the answer and let it go."""
        if "Via" not in response.headers and response.headers.get("Server") != "cloudflare":
            response.headers.update(VIA)
        response.headers.update(headers or {})
        status, scope = response.status, response.headers.get("X-RateLimit-Scope")
        if status in (401, 403) or (status == 429 and scope != "shared"):
            self.world.meter.note_invalid(self.world.now())
        self._note(request, path, ask, status)
        return response

    def _note(self, request: web.Request, path: str, ask: Ask | None, status: int | None) -> None:
        asked = ask or Ask(request.method, path, None, {}, [])
        names = tuple(upload.filename for upload in asked.files)
        query = dict(asked.query)
        self.world.requests.append(Request(asked.method, path, asked.body, query, names, self.world.now(), status))
        self.world.notify()

    # ---- a way in for tests that run in another process

    async def _says(self, request: web.Request) -> web.Response:
        """`{"person": "Mei", "channel": 123, "text": "…"}`; without `channel` it is a direct message."""
        wish = await request.json()
        member = self.world.member(wish.get("person", "Mei"))
        channel = self.world.channel_by_id(int(wish["channel"])) if "channel" in wish else member.direct
        post = member.say(wish["text"], channel)
        return _answer({"person": str(member.id), "channel": str(post.channel_id), "message": str(post.id)})

    async def _presses(self, request: web.Request) -> web.Response:
        """`{"person": "Mei", "channel": 123, "message": 456, "label": "…"}`"""
        wish = await request.json()
        member = self.world.member(wish.get("person", "Mei"))
        post = self.world.post(int(wish["channel"]), int(wish["message"]))
        try:
            asked = member.press(post, wish["label"])
        except SetupError as impossible:
            return _answer({"problem": str(impossible)}, 409)
        return _answer({"interaction": str(asked.id)})

    async def _channels(self, _request: web.Request) -> web.Response:
        """Every channel by its id: its name, and its messages as they stand."""
        model = self.world.model
        return _answer(
            {
                str(row.id): {
                    "name": row.name,
                    "type": row.type,
                    "parent": str(row.parent_id) if row.parent_id else None,
                    "messages": [
                        {"id": str(one.id), "author": str(one.author_id), "content": one.content, "flags": one.flags}
                        for one in model.posts_in(row.id)
                    ],
                }
                for row in model.channels.values()
            }
        )


# discord.py takes an answer for JSON only if its content type is exactly this, without a charset.
def _answer(body: Any, status: int = 200) -> web.Response:
    return web.Response(body=_dumps(body).encode(), status=status, headers={"Content-Type": "application/json"})


_dumps: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _slow_down(wait: float, scope: str, headers: dict[str, str]) -> web.Response:
    is_global = scope == "global"
    body: Json = {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": is_global}
    response = _answer(body, 429)
    response.headers.update(headers | {"Retry-After": str(int(wait) + 1), "X-RateLimit-Scope": scope})
    if is_global:
        response.headers["X-RateLimit-Global"] = "true"
    return response


def _cloudflare() -> web.Response:
    """What a shut-out address gets: a page, and no `Via`."""
    words = PROXY_PAGE.format("Error 1015: you are being rate limited")
    page = web.Response(status=429, text=words, content_type="text/html")
    page.headers["Server"] = "cloudflare"
    page.headers["Retry-After"] = "60"
    return page


def _proxy_page(status: int) -> web.Response:
    words = f"{status} {HTTPStatus(status).phrase}"
    return web.Response(status=status, text=PROXY_PAGE.format(words), content_type="text/html")


def _is_open(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


async def _read(request: web.Request, path: str) -> Ask:
    body: Any = None
    files: list[Upload] = []
    if request.content_type.startswith("multipart/"):
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            content = bytes(await part.read())
            if part.name == "payload_json":
                body = json.loads(content)
            else:
                files.append(Upload(part.filename or "file", io.BytesIO(content)))
    elif request.can_read_body:
        body = await request.json()
    reason = request.headers.get("X-Audit-Log-Reason")
    return Ask(request.method, path, body, dict(request.query), files, reason)
