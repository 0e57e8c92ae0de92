"""Where Discord is: its own addresses, or those a setting names."""

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

API_ROOT = "https://discord.com/api/v10"
GATEWAY = "wss://gateway.discord.gg/"


class Wire(aiohttp.TCPConnector):
    """Connections for one `discord.Client(connector=...)`; what it means for Discord goes to the addresses given.

    discord.py keeps its two addresses in class attributes that every client of a process shares. All its traffic
    (calls, responses to interactions, follow-ups, the gateway) passes the connector a client is made with, which is a
    documented parameter: so each client has addresses of its own. A gateway that names another address to resume at
    is believed, unless that is Discord's own. Make it inside the running loop; the client closes it.
    """

    def __init__(self, api_root: str = API_ROOT, gateway: str = GATEWAY) -> None:
        # No limit, as discord.py has it: it paces itself.
        super().__init__(limit=0)  # pyright: ignore[reportUnknownMemberType]  # aiohttp leaves a tuple untyped
        self._api_root = URL(api_root.rstrip("/"))
        self._gateway = URL(gateway)

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature of the method this overrides
    ) -> Connection:
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


def _as_http(url: URL) -> URL:
    """A websocket's address as the request that opens it has it."""
    return url.with_scheme({"ws": "http", "wss": "https"}.get(url.scheme, url.scheme))
