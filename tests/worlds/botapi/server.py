"""The world over HTTP: the Bot API's addresses, files, webhook deliveries, and every fault that was asked for."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
from aiohttp import web
from tests.worlds.botapi import oracle
from tests.worlds.botapi.chats import Json
from tests.worlds.botapi.control import Control
from tests.worlds.botapi.faults import Cut, Fault, Garbled, Hangs, Moment, Refused
from tests.worlds.botapi.methods import METHODS, SPELLING
from tests.worlds.botapi.parameters import Parameters, Upload
from tests.worlds.botapi.refusals import Refusal
from tests.worlds.botapi.updates import Pending
from tests.worlds.botapi.world import Call, World

log = logging.getLogger(__name__)

LARGEST_REQUEST = 60 * 1024 * 1024  # bytes
UPLOAD_LIMIT = 50 * 1024 * 1024  # bytes of one file; core.telegram.org/bots/faq#how-do-i-upload-a-large-file
WEBHOOK_TIMEOUT = 10.0  # seconds until a delivery counts as failed
GATEWAY_PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>"
)


class Server:
    """A world that listens on loopback. `url` is what a bot names as its API root."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._pusher: asyncio.Task[None] | None = None

    async def start(self, port: int = 0) -> None:
        application = web.Application(client_max_size=LARGEST_REQUEST)
        application.router.add_route("*", "/bot{token}/{method}", self._call)
        application.router.add_get("/file/bot{token}/{path:.+}", self._file)
        application.router.add_routes(Control(self.world).routes())
        self._runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = cast("tuple[str, int]", self._runner.addresses[0][:2])
        self.url = f"http://{host}:{bound}"
        self._pusher = asyncio.create_task(self._push())

    async def stop(self) -> None:
        self.world.closing = True
        self.world.notify()
        if self._pusher is not None:
            self._pusher.cancel()
            await asyncio.gather(self._pusher, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    # ---- the Bot API

    async def _call(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.world.token:
            return _answer(Refusal(401, "Unauthorized").as_json(), 401)
        self.world.spellings.add(request.match_info["method"])
        asked = request.match_info["method"].lower()
        method = SPELLING.get(asked)
        if method is None:
            return _answer(Refusal(404, "Not Found: method not found").as_json(), 404)
        try:
            parameters = await _read(request)
        except web.HTTPRequestEntityTooLarge:
            return _answer(Refusal(413, "Request Entity Too Large").as_json(), 413)
        chat_id = parameters.integer("chat_id") or None
        fault = self.world.faults.next_for(asked, chat_id)
        return await self._meet(fault, request, method, parameters)

    async def _meet(
        self, fault: Fault | None, request: web.Request, method: str, parameters: Parameters
    ) -> web.StreamResponse:
        """Do what was asked, in the way *fault* leaves room for."""
        match fault:
            case None:
                status, body = await self._do(method, parameters)
                self._note(method, parameters, status)
                return _answer(body, status)
            case Refused():
                self._note(method, parameters, fault.status)
                return _refusal(fault)
            case Garbled():
                await self._do(method, parameters)
                self._note(method, parameters, 200)
                return web.Response(text=GATEWAY_PAGE.format("200 OK"), content_type="text/html")
            case Hangs() | Cut():
                if fault.moment is Moment.AFTER_THE_EFFECT:
                    await self._do(method, parameters)
                self._note(method, parameters, None)
                if isinstance(fault, Hangs):
                    await self._never(request)
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()

    async def _do(self, method: str, parameters: Parameters) -> tuple[int, Json]:
        world = self.world
        try:
            oracle.check_parameters(method.lower(), parameters.names())
            result = await METHODS[method](world, parameters)
            if method != "getUpdates":  # updates were checked when they were made, those meant to be unreadable apart
                oracle.check_result(method.lower(), result)
        except Refusal as refusal:
            return refusal.status, refusal.as_json()
        except Exception as error:  # whatever went wrong here is a defect of the test or of this world
            log.exception("%s is broken", method)
            world.breaches.append(error)
            return 500, Refusal(500, f"Internal Server Error: {type(error).__name__}").as_json()
        return 200, {"ok": True, "result": result}

    def _note(self, method: str, parameters: Parameters, status: int | None) -> None:
        self.world.calls.append(Call(method, parameters.as_json(), self.world.now(), status))
        self.world.notify()

    async def _never(self, request: web.Request) -> None:
        while not self.world.closing and request.transport is not None and not request.transport.is_closing():
            await self.world.changed(0.5)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.world.token:
            return _answer(Refusal(401, "Unauthorized").as_json(), 401)
        for stored in self.world.files.values():
            if stored.path == request.match_info["path"]:
                answer = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
                answer.content_length = stored.size
                await answer.prepare(request)
                for chunk in stored.chunks():
                    await answer.write(chunk)
                return answer
        return _answer(Refusal(404, "Not Found").as_json(), 404)

    # ---- the webhook

    async def _push(self) -> None:
        """Deliver updates to the webhook for as long as there is one, each chat's in order."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WEBHOOK_TIMEOUT)) as session:
            deliveries: set[asyncio.Task[None]] = set()
            while True:
                deliveries = {delivery for delivery in deliveries if not delivery.done()}
                webhook = self.world.webhook
                if webhook is not None:
                    room = webhook.max_connections - len(deliveries)
                    for pending in self.world.updates.ready(self.world.now())[:room]:
                        pending.in_flight = True
                        deliveries.add(asyncio.create_task(self._deliver(session, pending)))
                await self.world.changed(0.05 if webhook is not None else 1.0)

    async def _deliver(self, session: aiohttp.ClientSession, pending: Pending) -> None:
        world, webhook = self.world, self.world.webhook
        if webhook is None:
            return
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
        problem = ""
        try:
            async with session.post(
                webhook.url, json=pending.update, headers=headers, allow_redirects=False
            ) as response:
                if not 200 <= response.status < 300:
                    problem = f"Wrong response from the webhook: {response.status} {response.reason}"
        except (aiohttp.ClientError, TimeoutError) as error:
            problem = f"Connection failed: {type(error).__name__}"
        pending.in_flight = False
        if problem:
            pending.attempts += 1
            # Telegram waits longer and longer, seconds to minutes; here the same shape in fractions of a second.
            pending.not_before = world.now() + min(0.05 * 2**pending.attempts, 1.0)
            webhook.last_error_date, webhook.last_error_message = int(world.now()), problem
        else:
            world.updates.confirm(pending.id)
        world.notify()


def _answer(body: Json, status: int = 200) -> web.Response:
    return web.json_response(body, status=status, dumps=_dumps)


_dumps: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _refusal(fault: Refused) -> web.Response:
    if fault.status >= 500 and fault.description is None:
        return web.Response(
            status=fault.status, text=GATEWAY_PAGE.format(f"{fault.status} Gateway"), content_type="text/html"
        )
    description = fault.description or STATUS_WORDS.get(fault.status, "Error")
    if fault.retry_after is not None:
        description = fault.description or f"Too Many Requests: retry after {fault.retry_after}"
    parameters = {} if fault.retry_after is None else {"retry_after": fault.retry_after}
    return _answer(Refusal(fault.status, description, parameters).as_json(), fault.status)


STATUS_WORDS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
}


async def _read(request: web.Request) -> Parameters:
    values: dict[str, Any] = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "application/json":
        values |= await request.json()
    elif request.can_read_body:
        for name, part in (await request.post()).items():
            if isinstance(part, web.FileField):
                uploads[name] = Upload.of(part.filename, part.content_type, part.file.read())
                if uploads[name].size > UPLOAD_LIMIT:
                    raise web.HTTPRequestEntityTooLarge(UPLOAD_LIMIT, uploads[name].size)
            else:
                values[name] = part if isinstance(part, str) else bytes(part).decode()
    return Parameters(values, uploads)


@asynccontextmanager
async def serving(world: World | None = None, *, port: int = 0) -> AsyncGenerator[Server]:
    """A world on loopback for as long as the block lasts; leaving it raises what broke the Bot API's rules."""
    server = Server(world or World())
    await server.start(port)
    try:
        yield server
    finally:
        await server.stop()
    if server.world.breaches:
        raise ExceptionGroup("the Bot API was used in ways it does not know", server.world.breaches)
