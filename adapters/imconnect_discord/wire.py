"""Where Discord is: its own addresses, or those a setting names; and the connections one bot calls it through."""

import asyncio
import logging
from types import SimpleNamespace

import aiohttp
import discord
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from imconnect.ports import TryLater
from imconnect_discord.invalid import InvalidRequests
from imconnect_discord.pacing import Pacing, is_counted
from imconnect_discord.refusals import done

API_ROOT = "https://discord.com/api/v10"
GATEWAY = "wss://gateway.discord.gg/"

LONGEST_LIMIT = 30.0
"""Seconds of a rate limit that are waited out here, no fewer than discord.py takes; longer ones are for the desk."""

TOKEN_REFUSED_PAUSE = 60.0
"""Seconds before Discord is asked again after it refused the token."""


class ShutOut(aiohttp.ClientError):
    """Too many refusals: nothing is asked for a while, so that Discord does not ban this address."""


class Wire(aiohttp.TCPConnector):
    """Connections for one `discord.Client(connector=...)`; what it means for Discord goes to the addresses given.

    discord.py keeps its two addresses in class attributes that every client of a process shares. All its traffic
    (calls, responses to interactions, follow-ups, the gateway) passes the connector a client is made with, which is a
    documented parameter: so each client has addresses of its own. A gateway that names another address to resume at
    is believed, unless that is Discord's own. Make it inside the running loop; the client closes it.
    """

    def __init__(
        self,
        api_root: str = API_ROOT,
        gateway: str = GATEWAY,
        invalid: InvalidRequests | None = None,
        pacing: Pacing | None = None,
    ) -> None:
        # No limit, as discord.py has it: it paces itself.
        super().__init__(limit=0)  # pyright: ignore[reportUnknownMemberType]  # aiohttp leaves a tuple untyped
        self._api_root = URL(api_root.rstrip("/"))
        self._gateway = URL(gateway)
        self._invalid = invalid
        self._pacing = pacing

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature of the method this overrides
    ) -> Connection:
        if self._invalid is not None and self._invalid.wait(asyncio.get_running_loop().time()) > 0:
            raise ShutOut
        if self._pacing is not None and _counts(req.url):
            await self._pacing.turn()
        url = self.address(req.url)
        if url != req.url:
            req.url = url
            req.headers["Host"] = url.authority
        return await super().connect(req, traces, timeout)

    def address(self, url: URL) -> URL:
        """Where a request to *url* really goes."""
        own = URL(API_ROOT)
        if url.host == own.host and url.raw_path.startswith(own.raw_path + "/"):
            rest = url.raw_path.removeprefix(own.raw_path)
            return self._api_root.with_path(self._api_root.raw_path + rest, encoded=True).with_query(url.query)
        is_gateway = url.host is not None and url.host.endswith(".discord.gg")
        if is_gateway and self._gateway != URL(GATEWAY):
            return _as_http(self._gateway).with_query(url.query)
        return url


def _counts(url: URL) -> bool:
    """Whether Discord counts a request to *url* among those a bot may make in a second."""
    own = URL(API_ROOT)
    return url.host == own.host and is_counted(url.raw_path.removeprefix(own.raw_path))


def _as_http(url: URL) -> URL:
    """A websocket's address as the request that opens it has it."""
    return url.with_scheme({"ws": "http", "wss": "https"}.get(url.scheme, url.scheme))


def silence() -> None:
    """Keep the library from logging: its lines hold what people wrote, and tokens of interactions."""
    library = logging.getLogger("discord")
    library.setLevel(logging.CRITICAL + 1)
    library.propagate = False  # whatever level somebody gives to a part of it
    for name in ("client", "gateway", "http", "state", "webhook", "webhook.async_", "ui.view", "app_commands.tree"):
        logging.getLogger(f"discord.{name}").setLevel(logging.CRITICAL + 1)
    if not library.handlers:
        library.addHandler(logging.NullHandler())


class Line:
    """A bot and the connections it calls through. Nobody is called before somebody asks for `client`."""

    def __init__(
        self, token: str, api_root: str = API_ROOT, gateway: str = GATEWAY, invalid: InvalidRequests | None = None
    ) -> None:
        silence()
        self._token = token
        self._api_root = api_root
        self._gateway = gateway
        self._client: discord.Client | None = None
        self._one_at_a_time = asyncio.Lock()
        self.invalid = invalid or InvalidRequests()
        self._pacing = Pacing()

    async def client(self) -> discord.Client:
        """The client every call goes through, logged in; it has no gateway. Raises `TryLater`."""
        async with self._one_at_a_time:
            if self._client is None:
                fresh = discord.Client(
                    intents=discord.Intents.none(),
                    connector=self.wire(),
                    http_trace=self.trace(),
                    max_ratelimit_timeout=LONGEST_LIMIT,
                    allowed_mentions=discord.AllowedMentions.none(),
                    max_messages=None,
                )
                await log_in(fresh, self._token)
                self._client = fresh
            return self._client

    async def bot_id(self) -> int:
        """The bot's own user id. Raises `TryLater`."""
        user = (await self.client()).user
        if user is None:
            raise TryLater("Discord did not say who we are")
        return user.id

    def wire(self) -> Wire:
        """Connections for one more client of this bot."""
        return Wire(self._api_root, self._gateway, self.invalid, self._pacing)

    def trace(self) -> aiohttp.TraceConfig:
        """What counts the refusals one client of this bot meets."""

        async def noted(
            _session: aiohttp.ClientSession, _context: SimpleNamespace, ended: aiohttp.TraceRequestEndParams
        ) -> None:
            scope = ended.response.headers.get("X-RateLimit-Scope")
            self.invalid.note(ended.response.status, scope, asyncio.get_running_loop().time())

        config = aiohttp.TraceConfig()
        config.on_request_end.append(noted)
        return config

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None


async def log_in(client: discord.Client, token: str) -> None:
    """Have *client* know who it is. Raises `TryLater`; the client is then closed."""

    async def login() -> None:
        try:
            await client.login(token)
        except discord.LoginFailure:
            raise TryLater("Discord refuses discord.token: copy it again", TOKEN_REFUSED_PAUSE) from None

    try:
        await done(login())
    except BaseException:
        await client.close()
        raise
