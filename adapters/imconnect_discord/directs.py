"""Private messages with the bot: Discord has one channel for each person, which is remembered."""

from collections.abc import Mapping
from typing import Any, cast

from imconnect.ports import Kit, TryLater
from imconnect_discord.refusals import done
from imconnect_discord.wire import Line

DIRECT = "dm:"
"""The mark of the channel of a person's private messages."""

Raw = Mapping[str, Any]


class Directs:
    """Who writes in which private channel. A bot cannot ask for the list of them: what is not kept is not found."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._kit: Kit | None = None
        self._of: dict[int, int] = {}
        self._people: dict[int, int] = {}

    async def equip(self, kit: Kit) -> None:
        """Remember which channels there are. Raises `TryLater`."""
        self._kit = kit
        for name, kept in (await kit.recall(DIRECT)).items():
            self.hold(int(name.removeprefix(DIRECT)), int(kept.value))

    @property
    def known(self) -> Mapping[int, int]:
        """The person of each channel."""
        return self._people

    def hold(self, person: int, channel: int) -> bool:
        """Whether that this is their channel was news."""
        news = self._of.get(person) != channel
        self._of[person] = channel
        self._people[channel] = person
        return news

    async def open_for(self, person: int) -> int:
        """The channel to them; Discord opens it also for those who take no messages. Raises `TryLater`, `Refused`."""
        known = self._of.get(person)
        if known is not None:
            return known
        if self._kit is None:
            raise TryLater("the desk is not ready yet")
        client = await self._line.client()
        channel = int(cast("Raw", await done(client.http.start_private_message(person)))["id"])
        self.hold(person, channel)
        await self._kit.remember(f"{DIRECT}{person}", str(channel))
        return channel
