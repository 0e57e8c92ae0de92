"""Groups with their members, and what their administrators do with the bot."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.worlds.botapi.chats import PATIENCE, Chat, Json, Message
from tests.worlds.botapi.people import Person

if TYPE_CHECKING:
    from tests.worlds.botapi.world import World

TELEGRAM: Json = {"id": 777000, "is_bot": False, "first_name": "Telegram"}  # who posts what a linked channel posts


@dataclass(eq=False, slots=True)
class Group(Chat):
    """A group or supergroup: who is in it, and what the bot may do there."""

    world: "World" = field(repr=False, kw_only=True)

    # ---- members

    def member(
        self,
        who: str | Person = "Mei",
        *,
        status: str = "member",
        username: str | None = None,
        language_code: str | None = "en",
    ) -> "Member":
        """Somebody who has been in here for long: somebody new of that name, or a person there is.

        *status* is `member`, `administrator` or `creator`.
        """
        person = (
            who if isinstance(who, Person) else self.world.person(who, username=username, language_code=language_code)
        )
        self.members[person.id] = status
        return Member(self.world, person.id, person.name, person.username, person.language_code, group=self)

    def remove(self, person: Person) -> None:
        """Put *person* out, as an administrator does."""
        self.world.set_member_status(self, person.id, "kicked")
        note = self.world.post(self, self.world.actor(self), {"left_chat_member": person.as_json()})
        self.world.tell(self, note)

    def promote(self, person: Person) -> None:
        """Make *person* an administrator."""
        self.world.set_member_status(self, person.id, "administrator")

    def demote(self, person: Person) -> None:
        """Make *person* a member like others."""
        self.world.set_member_status(self, person.id, "member")

    # ---- the bot

    def grant(self, *rights: str) -> None:
        """Give the bot these rights of an administrator, beside those it has."""
        self.world.set_bot_status(self, "administrator", self.bot_rights | set(rights))

    def revoke(self, *rights: str) -> None:
        """Take these rights from the bot; an administrator it stays."""
        self.world.set_bot_status(self, "administrator", self.bot_rights - set(rights))

    def demote_bot(self) -> None:
        """Make the bot a member like others."""
        self.world.set_bot_status(self, "member")

    def mute_bot(self) -> None:
        """Let the bot read and not write."""
        self.world.set_bot_status(self, "restricted")

    def remove_bot(self) -> None:
        """Put the bot out: the last it hears of the group."""
        self.world.set_bot_status(self, "kicked")
        note = self.world.post(self, self.world.actor(self), {"left_chat_member": self.world.bot})
        self.world.emit("message", note.json, self.id)

    def add_bot(self, *rights: str) -> None:
        """Let the bot in again, as an administrator where *rights* are named."""
        self.world.set_bot_status(self, "administrator" if rights else "member", rights)
        note = self.world.post(self, self.world.actor(self), {"new_chat_members": [self.world.bot]})
        self.world.tell(self, note)

    # ---- what is said

    def passes_on_a_post(self, text: str, *, channel: str = "News") -> Message:
        """Show what the channel linked to this group posted, as Telegram does by itself."""
        face: Json = {"id": -1_008_000_000_000, "type": "channel", "title": channel}
        origin: Json = {"type": "channel", "date": int(self.world.now()), "chat": face, "message_id": 12}
        content: Json = {"text": text, "sender_chat": face, "forward_origin": origin, "is_automatic_forward": True}
        message = self.world.post(self, TELEGRAM, content)
        self.world.tell(self, message)
        return message

    async def hears(self, words: str = "", *, thread: int | None = None, within: float = PATIENCE) -> Message:
        """Wait for the bot to say something new with *words* in it here: anywhere, or in that topic."""
        return await self.world.until(lambda: self.world.unheard(self, words, thread), within)

    def administrators(self) -> Iterator[int]:
        """The ids of those who manage the group, the bot left out."""
        return (user for user, status in self.members.items() if status in ("administrator", "creator"))


@dataclass(eq=False, slots=True)
class Member(Person):
    """A person seen in one group: what they say and send goes there, and buttons are pressed where they are."""

    group: Group = field(kw_only=True)

    @property
    def place(self) -> Chat:
        """Where they write unless another chat is named: the group."""
        return self.group
