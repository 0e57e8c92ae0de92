"""Discord's messages as the desk's, and the desk's choices as Discord's buttons. Pure, both ways."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import discord

from imconnect.domain.messages import Address, Attachment, Choice, Handle, Incoming, Remark, Unreadable

CHANNEL = "discord"

TEXT_LIMIT = 2000  # characters; docs.discord.com/developers/resources/message#create-message
CUSTOM_ID_LIMIT = 100  # characters; docs.discord.com/developers/components/reference#button
LABEL_LIMIT, OPTION_LIMIT = 80, 100  # characters of a button's and of an option's label; the same page
MOST_BUTTONS, MOST_OPTIONS = 10, 25
"""More choices than that become a menu, which has room for so many."""

WRITTEN = frozenset({0, 19})
"""Kinds of messages people write: plain, and replies. The others are Discord's own notes and answers to commands;
docs.discord.com/developers/resources/message#message-object-message-types."""

_KEY, _NUMBER, MENU = "k:", "#", "k"
"""What a button carries: the choice's key, or its place where the key is too long; and the custom id of a menu."""

_REF = re.compile(r"(\d+):(\d+)(?::edit:.*)?")
_PEER = re.compile(r"(?:([ud])(\d+)|g(\d+):(\d+))")

Raw = Mapping[str, Any]


# ---------------------------------------------------------------------------------------------------------- addresses


@dataclass(frozen=True, slots=True)
class Place:
    """Who is talked to, and where: in their private thread, in private messages, or in a public channel."""

    member: int
    channel: int | None = None
    direct: bool = False


def threads_peer(member: int) -> str:
    """A member in the private thread that is theirs."""
    return f"u{member}"


def direct_peer(member: int) -> str:
    """Somebody in private messages."""
    return f"d{member}"


def public_peer(channel: int, member: int) -> str:
    """A member in a channel where others read along."""
    return f"g{channel}:{member}"


def place_of(peer: str) -> Place:
    """What one of the three made a peer of. Raises `ValueError`."""
    found = _PEER.fullmatch(peer)
    if found is None:
        raise ValueError("this is no peer of Discord's")
    if found[1] is not None:
        return Place(int(found[2]), direct=found[1] == "d")
    return Place(int(found[4]), channel=int(found[3]))


def message_ref(channel: int, message: int) -> str:
    """What a message is called: its own id, and the channel it has to be asked for in."""
    return f"{channel}:{message}"


def read_ref(ref: str) -> tuple[int, int] | None:
    """The channel and the message of `message_ref`, of an edit those of what it changed; None for anything else."""
    found = _REF.fullmatch(ref)
    return (int(found[1]), int(found[2])) if found is not None else None


# ------------------------------------------------------------------------------------------------------------ reading


@dataclass(frozen=True, slots=True)
class Said:
    """One message, as it stands. `edited` is Discord's own stamp of the last change, "" if there was none."""

    channel: int
    id: int
    member: int
    author: Handle
    by_machine: bool
    text: str = field(repr=False)
    files: tuple[Attachment, ...] = field(repr=False)
    at: datetime
    edited: str = ""
    forwarded: bool = False
    mentions: frozenset[int] = frozenset()
    answers: int | None = None
    answers_to: int | None = None
    nonce: str | None = None
    names: tuple[str, ...] = field(default=(), repr=False)
    roles: frozenset[int] = frozenset()

    @property
    def ref(self) -> str:
        return message_ref(self.channel, self.id)


def read(raw: Raw) -> Said | None:
    """*raw*, as the gateway or the history tells it; None for what nobody wrote. Raises what a strange one raises."""
    if int(raw.get("type", 0)) not in WRITTEN:
        return None
    author: Raw = raw["author"]
    snapshots = [cast("Raw", one["message"]) for one in raw.get("message_snapshots") or ()]
    answered: Raw = raw.get("referenced_message") or {}
    reference: Raw = raw.get("message_reference") or {}
    member: Raw = raw.get("member") or {}
    names = tuple(_names(author, member))
    return Said(
        channel=int(raw["channel_id"]),
        id=int(raw["id"]),
        member=int(author["id"]),
        author=Handle(str(author["id"]), next(iter(names), "")),
        by_machine=bool(author.get("bot")) or raw.get("webhook_id") is not None,
        text="\n".join(part for one in (raw, *snapshots) for part in _words(one)),
        files=tuple(file for one in (raw, *snapshots) for file in _files(one)),
        at=datetime.fromisoformat(str(raw["timestamp"])),
        edited=str(raw.get("edited_timestamp") or ""),
        forwarded=bool(snapshots),
        mentions=frozenset(int(one["id"]) for one in raw.get("mentions") or ()),
        answers=int(reference["message_id"]) if reference.get("message_id") and not snapshots else None,
        answers_to=int(answered["author"]["id"]) if answered.get("author") else None,
        nonce=str(raw["nonce"]) if raw.get("nonce") is not None else None,
        names=names,
        roles=frozenset(int(one) for one in member.get("roles") or ()),
    )


def _names(author: Raw, member: Raw) -> Iterator[str]:
    """By which names they are shown: first that of this server, then the one of their own, then that of the account."""
    for name in (member.get("nick"), author.get("global_name"), author.get("username")):
        if name:
            yield str(name)


def _words(raw: Raw) -> Iterator[str]:
    """Everything typed. Embeds are not: Discord makes them of the links. A sticker is its name, as it is shown."""
    if raw.get("content"):
        yield str(raw["content"])
    for sticker in raw.get("sticker_items") or ():
        yield f":{sticker['name']}:"


def _files(raw: Raw) -> Iterator[Attachment]:
    for one in raw.get("attachments") or ():
        media_type = str(one.get("content_type") or "application/octet-stream").partition(";")[0].strip()
        yield Attachment(str(one["id"]), str(one.get("filename") or ""), media_type, int(one.get("size") or 0))


def link_to(raw: Raw, file: str) -> tuple[str, int] | None:
    """Where the file of that id can be had now, and its bytes; None if *raw* has none such."""
    snapshots = [cast("Raw", one["message"]) for one in raw.get("message_snapshots") or ()]
    for one in (raw, *snapshots):
        for attached in one.get("attachments") or ():
            if str(attached["id"]) == file:
                return str(attached["url"]), int(attached.get("size") or 0)
    return None


def incoming(said: Said, address: Address, remarks: tuple[Remark, ...] = (), *, text: str | None = None) -> Incoming:
    """*said* as a message at *address*. In public its files are nobody's business."""
    public = place_of(address.peer).channel is not None
    return Incoming(
        id=said.ref,
        address=address,
        author=said.author,
        text=said.text if text is None else text,
        sent_at=said.at,
        attachments=() if public else said.files,
        public=public,
        remarks=(*((Remark.FORWARDED,) if said.forwarded else ()), *remarks),
    )


def edit(said: Said, address: Address, remarks: tuple[Remark, ...] = (), *, text: str | None = None) -> Incoming:
    """What *said* says since its last change. The same change always has the same id."""
    now = incoming(said, address, remarks, text=text)
    changed = datetime.fromisoformat(said.edited)
    return Incoming(
        id=f"{said.ref}:edit:{said.edited}",
        address=address,
        author=now.author,
        text=now.text,
        sent_at=changed,
        attachments=now.attachments,
        revises=said.ref,
        public=now.public,
        remarks=now.remarks,
    )


def removed(channel: int, message: int, address: Address, author: Handle, at: datetime) -> Incoming:
    """That somebody took a message of theirs back."""
    ref = message_ref(channel, message)
    return Incoming(f"{ref}:removed", address, author, "", at, revises=ref, remarks=(Remark.REMOVED_BY_SENDER,))


def addressed(said: Said, bot: int) -> bool:
    """Whether a message in a public channel is for the bot: it names it, or answers it."""
    return bot in said.mentions or said.answers_to == bot


def without_mention(text: str, bot: int) -> str:
    """*text* without the bot's own name."""
    return re.sub(rf"\s*<@!?{bot}>\s*", " ", text).strip()


def unreadable(raw: Raw, account: str, error: str) -> Unreadable:
    """What could not be read: its name, its size and what failed."""
    written = json.dumps(raw, sort_keys=True, default=repr).encode()
    number = str(raw.get("id", ""))
    name = number if number.isdecimal() else hashlib.sha256(written).hexdigest()[:32]
    return Unreadable(f"message:{name}", CHANNEL, account, f"not understood: {error}", len(written))


# ------------------------------------------------------------------------------------------------------------ writing


def nonce_of(key: str, part: int, channel: int) -> str:
    """What tells Discord that a part was sent there before: at most 25 characters."""
    return hashlib.sha256(f"{key}:{part}:{channel}".encode()).hexdigest()[:25]


def buttons(choices: Sequence[Choice]) -> discord.ui.View | None:
    """What can be chosen. Each carries its choice's key, so it works after any restart; discord.py keeps none of it."""
    if not choices:
        return None
    view = discord.ui.View(timeout=None)
    if len(choices) > MOST_BUTTONS:
        options = [
            discord.SelectOption(label=choice.label[:OPTION_LIMIT], value=_carried(number, choice))
            for number, choice in enumerate(choices[:MOST_OPTIONS], 1)
        ]
        view.add_item(discord.ui.Select[discord.ui.View](custom_id=MENU, options=options))
    else:
        for number, choice in enumerate(choices, 1):
            button = discord.ui.Button[discord.ui.View](
                label=choice.label[:LABEL_LIMIT], custom_id=_carried(number, choice)
            )
            view.add_item(button)
    view.stop()
    return view


def _carried(number: int, choice: Choice) -> str:
    key = _KEY + choice.key
    return key if len(key) <= CUSTOM_ID_LIMIT else f"{_NUMBER}{number}"


def key_of(carried: str) -> str | None:
    """The key of the choice a button or an option carries: None where it carries its number or is none of ours."""
    return carried.removeprefix(_KEY) if carried.startswith(_KEY) else None


def is_ours(carried: str) -> bool:
    """Whether `buttons` made what carries this."""
    return carried == MENU or carried.startswith(_KEY) or re.fullmatch(rf"{_NUMBER}\d+", carried) is not None


def words_on(message: Raw, carried: str) -> str:
    """What stands on the button or option of *message* that carries this; the number where it carries one."""
    if carried.startswith(_NUMBER):
        return carried.removeprefix(_NUMBER)
    shown = _walk(message.get("components") or ())
    return next((str(one.get("label", "")) for one in shown if carried in (one.get("custom_id"), one.get("value"))), "")


def _walk(components: Iterable[Raw]) -> Iterator[Raw]:
    for one in components:
        yield one
        yield from _walk(one.get("components") or ())
        yield from one.get("options") or ()
