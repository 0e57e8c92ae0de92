"""The web channel: an adapter like any other, whose customers read and write on our own page."""

import asyncio
from collections.abc import Sequence

from imconnect.desk.bells import Bell
from imconnect.domain.messages import Address, Incoming, Outgoing
from imconnect.ports import Deliver, Finding, Sent, TryLater


class WebChat:
    """Posts become messages once they are stored; what we say is delivered by being in the transcript a page reads."""

    def __init__(self) -> None:
        self._deliver: Deliver | None = None
        self._open: dict[str, list[Bell]] = {}

    @property
    def name(self) -> str:
        return "web"

    @property
    def account(self) -> str:
        return "chat"

    @property
    def keyed(self) -> bool:
        """A line is shown once, however often it is said to be there."""
        return True

    def address(self, peer: str) -> Address:
        return Address(self.name, self.account, peer)

    async def listen(self, deliver: Deliver) -> None:
        """Serve posts until cancelled."""
        if self._deliver is not None:
            raise RuntimeError("the web chat is being listened to already")
        self._deliver = deliver
        try:
            await asyncio.Event().wait()
        finally:
            self._deliver = None

    async def post(self, incoming: Incoming) -> None:
        """Hand over what a customer wrote; returns once it is stored. Raises `TryLater` when it cannot be now."""
        deliver = self._deliver
        if deliver is None:
            raise TryLater("nobody is taking messages from the web chat", 5)
        await deliver([incoming])
        self._ring(incoming.address.peer)

    async def send(self, message: Outgoing) -> Sent:
        """Wake the pages of this process that show the conversation; those of others hear of it from the store."""
        self._ring(message.address.peer)
        return Sent(message.key)

    async def erase(self, address: Address, message_id: str) -> None:
        """Open pages read the transcript again, in which the message is withheld: nothing else holds it."""
        self._ring(address.peer)

    async def check(self) -> Sequence[Finding]:
        return [Finding("web chat", True, "served at /chat")]

    async def close(self) -> None:
        self._open.clear()

    def watch(self, peer: str) -> Bell:
        """A bell that rings when something happened at *peer*. Give it back with `unwatch`."""
        bell = Bell()
        self._open.setdefault(peer, []).append(bell)
        return bell

    def unwatch(self, peer: str, bell: Bell) -> None:
        bells = self._open.get(peer, [])
        if bell in bells:
            bells.remove(bell)
        if not bells:
            self._open.pop(peer, None)

    def _ring(self, peer: str) -> None:
        for bell in self._open.get(peer, ()):
            bell.ring()
