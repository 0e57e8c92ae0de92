"""The Discord channel: one bot in one server, members' private threads, private messages, mentions, the staff forum."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import aiohttp
import structlog
from pydantic import BaseModel

from imconnect.domain.messages import Address, Attachment, Outgoing
from imconnect.ports import Deliver, Finding, Kit, Sent, TopicGone, TryLater, Undeliverable
from imconnect_discord.archive import Archive
from imconnect_discord.checking import look_at
from imconnect_discord.directs import Directs
from imconnect_discord.gateway import Gateway
from imconnect_discord.hearing import Hearing
from imconnect_discord.refusals import (
    MISSING_PERMISSIONS,
    THREAD_ARCHIVED,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    Refused,
    done,
)
from imconnect_discord.settings import DiscordSettings
from imconnect_discord.speaking import Speaking
from imconnect_discord.staff import DiscordStaffRoom
from imconnect_discord.threads import Full, Threads
from imconnect_discord.translate import CHANNEL, link_to, place_of, read_ref
from imconnect_discord.wire import Line, log_in

LONGEST_PAUSE = 30.0
GOODBYE_WITHIN = 1.5
"""Seconds a connection is given to close in good order."""

FETCH_WITHIN = 60.0
"""Seconds a file may take."""

Raw = Mapping[str, Any]

log = structlog.get_logger("imconnect.discord")


class DiscordAdapter:
    """One bot. A member's private thread is a conversation, so are private messages; in public it answers its name."""

    Settings: type[BaseModel] = DiscordSettings

    name = CHANNEL
    keyed = True  # by nonce while Discord knows it, then by looking

    def __init__(self, settings: BaseModel) -> None:
        chosen = DiscordSettings.model_validate(settings)
        self._settings = chosen
        self._line = Line(chosen.token.get_secret_value(), chosen.api_root, chosen.gateway)
        self._archive = Archive(self._line, chosen.support_channel, chosen.staff_channel)
        self._threads = Threads(self._line, chosen.support_channel, self._archive)
        self._directs = Directs(self._line)
        self._speaking = Speaking(self._line, self._threads, self._directs, self._archive, self._full)
        self._staff_room = (
            DiscordStaffRoom(self._line.client, chosen.staff_channel, self._archive)
            if chosen.staff_channel is not None
            else None
        )
        self._kit: Kit | None = None
        self._hearing: Hearing | None = None
        self._failures = 0

    @property
    def account(self) -> str:
        return self._settings.bot_id

    @property
    def staff_room(self) -> DiscordStaffRoom | None:
        """Where agents work, if `discord.staff_channel` is set."""
        return self._staff_room

    async def equip(self, kit: Kit) -> None:
        """Remember threads, private channels and how far each was heard. Raises `TryLater`."""
        self._kit = kit
        self._archive.equip(kit)
        await self._threads.equip(kit)
        await self._directs.equip(kit)
        self._speaking.equip(kit)
        if self._staff_room is not None:
            self._staff_room.equip(kit)
        hearing = Hearing(self._settings, self._line, kit, self._threads, self._directs, self._staff_room)
        await hearing.recall()
        self._hearing = hearing

    # ---------------------------------------------------------------------------------------------------- listening

    async def listen(self, deliver: Deliver) -> None:
        """Hand over what people write until cancelled. Raises `TryLater`, with the seconds to wait, where it cannot."""
        if self._hearing is None:
            raise TryLater("the desk is not ready yet", 1.0)
        hearing = self._hearing
        gateway = Gateway(self._line, hearing.told, hearing.asked, hearing.said, hearing.arrived)
        try:
            await log_in(gateway, self._settings.token.get_secret_value())
            await hearing.begin(gateway, deliver)
            later = await gateway.run_until_it_ends()
        except TryLater as error:
            later = error
        finally:
            await hearing.end()
            try:
                await asyncio.wait_for(gateway.close(), GOODBYE_WITHIN)
            except TimeoutError:
                log.debug("connection did not close in time")
        self._failures = 0 if gateway.listened else self._failures + 1
        pause = later.after if later.after is not None else min(LONGEST_PAUSE, 0.25 * 2 ** min(self._failures, 7))
        raise TryLater(later.reason, pause)

    # ----------------------------------------------------------------------------------------------------- speaking

    async def send(self, message: Outgoing) -> Sent:
        """Say it, in several parts where it is long. Raises `TryLater` or `Undeliverable`."""
        return await self._speaking.send(message)

    async def _full(self) -> None:
        """No thread can be opened: tell those who can do something about it, once."""
        log.error("no more threads", cure="archive threads: Discord allows 1,000 active ones in a server")
        if self._staff_room is None or self._kit is None:
            return
        playbook = self._kit.playbook
        try:
            await self._staff_room.answer(None, playbook.label("discord_threads_full", playbook.default_language))
        except (TryLater, Undeliverable, TopicGone) as error:
            log.warning("colleagues not told that no thread can be opened", error=type(error).__name__)

    async def erase(self, address: Address, message_id: str) -> None:
        """Delete a message of theirs where the bot may: in threads and channels, never in private messages.

        One that is gone counts as deleted. Raises `TryLater` or `Undeliverable`.
        """
        ref = read_ref(message_id)
        if ref is None:
            raise Undeliverable("this is no message of Discord's")
        if _is_direct(address):
            raise Undeliverable("in private messages nobody but their author can delete them")
        channel, message = ref
        if self._hearing is not None:
            self._hearing.erasing(message)
        try:
            await self._delete(channel, message)
        except Refused as refused:
            if refused.code == THREAD_ARCHIVED and await self._reopened(channel):
                await self._delete(channel, message)
            elif refused.code == MISSING_PERMISSIONS:
                raise Undeliverable("the bot lacks the right to manage messages there") from None
            else:
                raise

    async def _reopened(self, channel: int) -> bool:
        try:
            return await self._threads.reopen(channel)
        except Full:
            raise TryLater("Discord allows no more threads") from None

    async def _delete(self, channel: int, message: int) -> None:
        client = await self._line.client()
        try:
            await done(client.http.delete_message(channel, message))
        except Refused as refused:
            if refused.code not in (UNKNOWN_MESSAGE, UNKNOWN_CHANNEL):
                raise

    async def fetch(self, address: Address, message_id: str, file: Attachment, most: int) -> bytes:
        """The content of a file, if it has at most *most* bytes, by a link that is asked for anew: links expire.

        Raises `TryLater`, or `Undeliverable` for a file that is larger or gone.
        """
        ref = read_ref(message_id)
        if ref is None:
            raise Undeliverable("this is no message of Discord's")
        client = await self._line.client()
        found = link_to(cast("Raw", await done(client.http.get_message(*ref))), file.id)
        if found is None:
            raise Undeliverable("the file is not there any more")
        link, size = found
        if size > most:
            raise Undeliverable(f"the file has more than {most} bytes")
        return await done(_download(link, most))

    # ------------------------------------------------------------------------------------------------------ looking

    async def check(self) -> Sequence[Finding]:
        """The token, what may be read, and the rights in each channel. Never raises."""
        return await look_at(self._line, self._settings)

    async def close(self) -> None:
        if self._hearing is not None:
            await self._hearing.end()
        await self._line.close()


async def _download(link: str, most: int) -> bytes:
    """What is at *link*; no more than *most* bytes of it are read."""
    timeout = aiohttp.ClientTimeout(total=FETCH_WITHIN)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(link, allow_redirects=False) as answer:
        if answer.status in (403, 404, 410):
            raise Undeliverable("the file is not there any more")
        if answer.status != 200:
            raise TryLater(f"Discord's files cannot be had: {answer.status}")
        content = bytearray()
        async for piece in answer.content.iter_chunked(65_536):
            content += piece
            if len(content) > most:
                raise Undeliverable(f"the file has more than {most} bytes")
        return bytes(content)


def _is_direct(address: Address) -> bool:
    try:
        return place_of(address.peer).direct
    except ValueError:
        return False
