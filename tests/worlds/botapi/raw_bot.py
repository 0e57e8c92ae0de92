"""A bot that speaks plain HTTP, so that nothing stands between a test and the server."""

from dataclasses import dataclass
from typing import Any

import httpx
from tests.worlds.botapi.chats import Json
from tests.worlds.botapi.server import Server


@dataclass(frozen=True, slots=True)
class RawBot:
    """Asks the server for methods by name."""

    server: Server
    http: httpx.AsyncClient

    async def call(self, method: str, **parameters: Any) -> Json:
        """The whole answer, a refusal included."""
        response = await self.http.post(f"{self.server.url}/bot{self.server.world.token}/{method}", json=parameters)
        answer: Json = response.json()
        assert answer.get("error_code", 200) == response.status_code
        return answer

    async def does(self, method: str, **parameters: Any) -> Any:
        """The result; fails where it is refused."""
        answer = await self.call(method, **parameters)
        assert answer["ok"], answer
        return answer["result"]

    async def refusal(self, method: str, **parameters: Any) -> str:
        """The words of the refusal; fails where there is none."""
        answer = await self.call(method, **parameters)
        assert not answer["ok"], answer
        return str(answer["description"])

    async def updates(self, kind: str = "message") -> list[Json]:
        """What the bot is told of that kind, oldest first, nothing of it confirmed."""
        offset = 1 + len(self.server.world.calls)  # another each time: who repeats a poll at once is given one update
        return [update[kind] for update in await self.does("getUpdates", offset=offset) if kind in update]
