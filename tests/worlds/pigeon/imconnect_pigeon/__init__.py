"""A channel in a package of its own, over HTTP to a loft: fetched by number, acknowledged by asking for the next."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import httpx
from pydantic import BaseModel, ConfigDict, Field

from imconnect.domain.messages import Address, Handle, Incoming, Outgoing
from imconnect.ports import Deliver, Finding, MaybeSent, Sent, TryLater

PATIENCE_SECONDS = 30.0


class PigeonSettings(BaseModel):
    """Which loft, and whether it drops a key it has seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, Field(description="the loft's address")]
    keyed: Annotated[bool, Field(description="whether the loft drops a key it has seen")] = True


class PigeonAdapter:
    """Both ways between a desk and a loft."""

    Settings = PigeonSettings

    def __init__(self, settings: PigeonSettings) -> None:
        self._keyed = settings.keyed
        self._http = httpx.AsyncClient(base_url=settings.url, timeout=PATIENCE_SECONDS)

    @property
    def name(self) -> str:
        return "pigeon"

    @property
    def account(self) -> str:
        return "loft"

    @property
    def keyed(self) -> bool:
        return self._keyed

    async def listen(self, deliver: Deliver) -> None:
        after = 0
        while True:
            try:
                answer = await self._http.get("/next", params={"after": after})
                answer.raise_for_status()
            except httpx.HTTPError:
                raise TryLater("the loft does not answer", 0.2) from None
            letters = answer.json()
            if letters:
                await deliver([_read(letter) for letter in letters])
                after = letters[-1]["number"]

    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        letter = {"key": message.key, "peer": message.address.peer, "text": message.text}
        try:
            answer = await self._http.post("/say", json=letter)
        except httpx.ConnectError:
            raise TryLater("the loft does not answer", 0.2) from None
        except httpx.HTTPError:
            if self._keyed:
                raise TryLater("the loft broke off", 0.2) from None
            return MaybeSent("the loft broke off")
        return Sent(answer.json()["id"])

    async def check(self) -> Sequence[Finding]:
        return [Finding("pigeon", well=True, says="flies")]

    async def close(self) -> None:
        await self._http.aclose()


def _read(letter: dict[str, str]) -> Incoming:
    peer = letter["peer"]
    return Incoming(
        id=str(letter["number"]),
        address=Address("pigeon", "loft", peer),
        author=Handle(peer, letter.get("name", "")),
        text=letter["text"],
        sent_at=datetime.now(UTC),
        choice=letter.get("choice"),
    )
