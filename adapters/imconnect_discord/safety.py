"""Safety of the community: who may come in, links that steal, names that look like ours."""

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import discord
import structlog

from imconnect.domain.messages import Remark
from imconnect.domain.readings import LinkVerdict
from imconnect.ports import Kit, TopicGone, TryLater, Undeliverable
from imconnect_discord.refusals import UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, Refused, done
from imconnect_discord.translate import Raw

DANGEROUS = frozenset({LinkVerdict.LOOKALIKE, LinkVerdict.BLOCKED})

REASON_GAP = timedelta(minutes=1)
"""How often a channel is told why messages vanish: a wave of spam must not become a wave of ours."""

TRIES = (1.0, 5.0, 25.0)
"""Seconds between tries at removing a message."""

SHORTEST_BRAND = 5
"""Letters a name needs before names that hold it, or differ by one letter, are taken for it."""

log = structlog.get_logger("imconnect.discord")


# ------------------------------------------------------------------------------------------------------ who may come in


class NotAdmitted(StrEnum):
    """Why somebody is not served."""

    BLOCKED = "blocked"
    TOO_NEW = "too_new"


@dataclass(frozen=True, slots=True)
class Gate:
    """Who is not served: those on the block list, and accounts younger than *min_account_days*; 0 lets all in."""

    blocked: frozenset[int] = frozenset()
    min_account_days: int = 0

    def keeps_out(self, user_id: int, now: datetime) -> NotAdmitted | None:
        """The same for a message, a button, a command and a form. An id tells when its account was made."""
        if user_id in self.blocked:
            return NotAdmitted.BLOCKED
        age = now - discord.utils.snowflake_time(user_id)
        return NotAdmitted.TOO_NEW if age < timedelta(days=self.min_account_days) else None


# ---------------------------------------------------------------------------------------------------------------- links


class LinkWatch:
    """Removes what leads to look-alike or blocked hosts from channels it *watches*; where it cannot, *alert* tells."""

    def __init__(
        self,
        connected: Callable[[], Awaitable[discord.Client]],
        kit: Kit,
        watches: Callable[[int], bool],
        alert: Callable[[str], Awaitable[None]],
    ) -> None:
        self._connected = connected
        self._kit = kit
        self._watches = watches
        self._alert = alert
        self._told_at: dict[int, datetime] = {}
        self._alerted: set[int] = set()

    async def look(self, message: discord.Message) -> bool:
        """Remove *message* and say why, if it leads where nobody should go. Whether it is gone."""
        texts = [message.content, *(snapshot.content for snapshot in message.message_snapshots)]
        return await self._judge(message.channel.id, message.id, message.author.id, texts)

    async def look_again(self, raw: Raw) -> bool:
        """The same for an edit, as the gateway sent it; without words in it there is nothing new to look at."""
        if not raw.get("content") or "author" not in raw:
            return False
        return await self._judge(
            int(raw["channel_id"]), int(raw["id"]), int(raw["author"]["id"]), [str(raw["content"])]
        )

    async def _judge(self, channel_id: int, message_id: int, author_id: int, texts: Iterable[str]) -> bool:
        if not self._watches(channel_id) or not any(map(self._is_dangerous, texts)):
            return False
        try:
            me = (await self._connected()).user
            if me is not None and author_id == me.id:
                return False
            await self._remove(channel_id, message_id)
        except (Undeliverable, TryLater) as error:
            log.warning("dangerous link not removed", channel_id=channel_id, says=error.reason)
            await self._alert_once(channel_id)
            return False
        log.info("dangerous link removed", channel_id=channel_id, author=author_id)
        await self._say_why(channel_id)
        return True

    def _is_dangerous(self, text: str) -> bool:
        return any(link.verdict in DANGEROUS for link in self._kit.links(text))

    async def _remove(self, channel_id: int, message_id: int) -> None:
        client = await self._connected()
        there = client.get_partial_messageable(channel_id).get_partial_message(message_id)
        for pause in (*TRIES, None):
            try:
                await done(there.delete())
            except Refused as refused:
                if refused.code not in (UNKNOWN_MESSAGE, UNKNOWN_CHANNEL):
                    raise
            except TryLater as later:
                if pause is None:
                    raise
                await asyncio.sleep(later.after if later.after is not None else pause)
                continue
            return

    async def _say_why(self, channel_id: int) -> None:
        """In every language of the pack, now and then: everybody reads along, and no name is called."""
        now, told = self._kit.now(), self._told_at.get(channel_id)
        if told is not None and now - told < REASON_GAP:
            return
        self._told_at[channel_id] = now
        playbook = self._kit.playbook
        reason = "\n".join(dict.fromkeys(labels["discord_link_removed"] for labels in playbook.labels.values()))
        where = (await self._connected()).get_partial_messageable(channel_id)
        try:
            await done(where.send(reason, allowed_mentions=discord.AllowedMentions.none()))
        except (Undeliverable, TryLater) as error:
            log.info("reason not said", channel_id=channel_id, says=error.reason)

    async def _alert_once(self, channel_id: int) -> None:
        if channel_id in self._alerted:
            return
        self._alerted.add(channel_id)
        playbook = self._kit.playbook
        try:
            await self._alert(playbook.label("discord_link_stays", playbook.default_language, place=f"<#{channel_id}>"))
        except (Undeliverable, TryLater, TopicGone) as error:
            self._alerted.discard(channel_id)
            log.warning("colleagues not told of a link", error=type(error).__name__)


# ---------------------------------------------------------------------------------------------------------------- names


def remarks_on(user: discord.User | discord.Member, ours: Iterable[str]) -> tuple[Remark, ...]:
    """What agents should know of a customer's names: that one of them could be taken for one of *ours*."""
    names, known = {user.display_name, user.name, user.global_name or ""}, tuple(ours)
    return (Remark.LOOKALIKE_SENDER,) if any(looks_like_ours(name, known) for name in names) else ()


def looks_like_ours(name: str, ours: Iterable[str]) -> bool:
    """Whether *name* reads like one of *ours*: decorated, in similar letters, with more around it, one letter off."""
    shown = _skeleton(name)
    return bool(shown) and any(_reads_like(shown, _skeleton(one)) for one in ours)


def _reads_like(shown: str, known: str) -> bool:
    if not known or shown == known:
        return bool(known)
    if len(known) < (SHORTEST_BRAND if known.isascii() else 3):  # a Chinese name of three characters is a whole one
        return False
    return known in shown or (known.isascii() and _one_off(shown, known))


def _skeleton(name: str) -> str:
    """What *name* looks like: its letters and digits alone, in lower case, those that look alike as one."""
    level = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    letters = "".join(_LOOKS_LIKE.get(one, one) for one in level if one.isalnum() or one in _LOOKS_LIKE)
    return letters.replace("rn", "m").replace("vv", "w").replace("i", "l")


def _one_off(one: str, other: str) -> bool:
    """Whether a letter was changed, added or left out, or two neighbours were exchanged."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    start = next((at for at, letter in enumerate(one) if letter != other[at]), len(one))
    if len(other) > len(one):
        return one[start:] == other[start + 1 :]
    exchanged = one[start : start + 2] == other[start : start + 2][::-1]
    return one[start + 1 :] == other[start + 1 :] or (exchanged and one[start + 2 :] == other[start + 2 :])


# Lower-case letters, digits and signs by the Latin letter they are taken for (UTS #39, confusables).
_LOOKS_LIKE = {
    **dict(zip("аеорсухіјѕһԁԛԝвнмтккьгӏ", "aeopcyxijshdqwbhmtkkbrl", strict=True)),
    **dict(zip("αβεηικνορτυχω", "abenikvoptuxw", strict=True)),
    **dict(zip("ɑɡօսոցհᴏɩıł", "agounghoiil", strict=True)),
    **dict(zip("01345789$@", "oleastbgsa", strict=True)),
}
