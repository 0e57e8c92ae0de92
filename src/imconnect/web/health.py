"""For operators and their machines: alive, ready, measured."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from imconnect.ports import Backlog


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the desk can do its work: the database, each channel by name, and how far behind it is.

    `database` and each channel say "ok", or what is the matter. `backlog` is None where it could not be read.
    """

    database: str
    channels: Mapping[str, str] = field(default_factory=dict[str, str])
    backlog: Backlog | None = None

    @property
    def well(self) -> bool:
        return self.database == "ok" and all(says == "ok" for says in self.channels.values())


class HealthPages:
    """`/healthz`, `/readyz` and `/metrics`."""

    def __init__(self, render_metrics: Callable[[], bytes], ready: Callable[[], Awaitable[Readiness]]) -> None:
        self._render_metrics = render_metrics
        self._ready = ready

    def router(self) -> APIRouter:
        router = APIRouter()
        router.add_route("/healthz", self.alive)
        router.add_route("/readyz", self.readiness)
        router.add_route("/metrics", self.metrics)
        return router

    async def alive(self, request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readiness(self, request: Request) -> Response:
        found = await self._ready()
        says = {
            "ready": found.well,
            "database": found.database,
            "channels": dict(found.channels),
            "backlog": asdict(found.backlog) if found.backlog else None,
        }
        return JSONResponse(says, 200 if found.well else 503)

    async def metrics(self, request: Request) -> Response:
        return Response(self._render_metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")
