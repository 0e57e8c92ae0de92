"""Intake's transaction: what came in, stored once and in order, or not at all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from imconnect.domain.conversations import Stage
from imconnect.domain.events import AgentsAct, Event, MessageEdited, MessageReceived
from imconnect.domain.messages import Address, Incoming, Language, Remark, Unreadable
from imconnect.domain.playbook import Priority
from imconnect.ports import FileState, Received, Speaker
from imconnect.storage import files
from imconnect.storage import tables as t
from imconnect.storage.codec import to_payload
from imconnect.storage.dialect import Many, among, insert, insert_new, is_listed, listed, next_ids

AGENTS = ("desk", "agents")
"""The channel and account under which agents' acts are recorded once per key."""


ADD_MESSAGES = Many(
    sa.insert(t.messages),
    (
        "id",
        "conversation_id",
        "speaker",
        "author",
        "channel",
        "account",
        "external_id",
        "text",
        "secret",
        "revision",
        "sent_at",
        "quoted",
        "remarks",
    ),
)
ADD_EVENTS = Many(
    sa.insert(t.events),
    (
        "conversation_id",
        "channel",
        "account",
        "external_id",
        "kind",
        "message_id",
        "payload",
        "at",
        "pending",
    ),
)
_ADD_CONTACTS = Many(sa.insert(t.contacts), ("id", "created_at"))
_ADD_CONVERSATIONS = Many(
    sa.insert(t.conversations),
    (
        "id",
        "reference",
        "channel",
        "account",
        "peer",
        "stage",
        "language",
        "priority",
        "created_at",
        "updated_at",
    ),
)
_JOIN = Many(
    sa.update(t.contact_channels)
    .where(t.contact_channels.c.id == sa.bindparam("row"))
    .values(conversation_id=sa.bindparam("conversation"), contact_id=sa.bindparam("contact"))
)


@dataclass(frozen=True, slots=True)
class Newcomers:
    """How a conversation begins."""

    new_reference: Callable[[], str]
    language: Language
    reopen_within: int


@dataclass(slots=True)
class Recorded:
    """How many items were new, and whose conversations they changed."""

    new: int = 0
    conversations: set[int] = field(default_factory=set[int])


Source = tuple[str, str, str]


def _source(item: Received) -> Source:
    return item.incoming.address.channel, item.incoming.address.account, item.incoming.id


def record(
    connection: sa.Connection,
    items: Sequence[Received | Unreadable],
    newcomers: Newcomers,
    done: Recorded,
    now: datetime,
) -> None:
    """Store each message that is not stored yet, and tell *done*."""
    done.new += set_aside(connection, [item for item in items if isinstance(item, Unreadable)], now)
    received = {_source(item): item for item in reversed(items) if isinstance(item, Received)}
    ordered = list(dict.fromkeys(_source(item) for item in items if isinstance(item, Received)))
    known = _known(connection, ordered)
    fresh = [received[source] for source in ordered if source not in known]
    if not fresh:
        return
    conversations = _conversations(connection, fresh, newcomers, now)
    _store(connection, fresh, conversations, now)
    _withdraw(connection, fresh)
    done.new += len(fresh)
    done.conversations |= set(conversations.values())


def set_aside(connection: sa.Connection, items: Sequence[Unreadable], now: datetime) -> int:
    """Keep for an operator that they came. Says how many are new."""
    if not items:
        return 0
    rows = [
        {
            "channel": item.channel,
            "account": item.account,
            "external_id": item.id,
            "reason": item.reason,
            "size": item.size,
            "at": now,
        }
        for item in items
    ]
    return insert_new(connection, t.quarantine, rows)


def _known(connection: sa.Connection, sources: Iterable[Source]) -> set[Source]:
    """Those of *sources* whose events are stored already."""
    inboxes: dict[tuple[str, str], list[str]] = {}
    for channel, account, external_id in sources:
        inboxes.setdefault((channel, account), []).append(external_id)
    known: set[Source] = set()
    dialect = connection.dialect.name
    for (channel, account), ids in inboxes.items():
        wanted = {"channel": channel, "account": account, "listed": listed(dialect, ids)}
        rows = connection.execute(_known_of(dialect), wanted)
        known |= {(channel, account, external_id) for external_id in rows.scalars()}
    return known


@cache
def _known_of(dialect: str) -> Any:
    e = t.events.c
    here = (e.channel == sa.bindparam("channel"), e.account == sa.bindparam("account"))
    if dialect != "postgresql":
        return sa.select(e.external_id).where(*here, is_listed(dialect, e.external_id))
    # One look into the index for each. Without statistics, PostgreSQL reads the whole inbox for a list of ids.
    asked = sa.func.unnest(sa.bindparam("listed", type_=sa.ARRAY(sa.Text()))).column_valued("asked")
    stored = sa.select(e.id).where(*here, e.external_id == asked).limit(1).scalar_subquery()
    return sa.select(asked).where(stored.is_not(None))


def _conversations(
    connection: sa.Connection, fresh: Sequence[Received], newcomers: Newcomers, now: datetime
) -> dict[Address, int]:
    """The conversation each address is in, begun where there is none or the last one ended too long ago."""
    last = _last_of_each([item.incoming for item in fresh])
    known = _under_way(connection, last, newcomers, now)
    others = [incoming for address, incoming in last.items() if address not in known]
    return {**known, **_met(connection, others, newcomers, now)} if others else known


def _last_of_each(said: Iterable[Incoming]) -> dict[Address, Incoming]:
    """The newest of each address; what a machine wrote counts only where no person wrote."""
    last: dict[Address, Incoming] = {}
    for incoming in said:
        before = last.get(incoming.address)
        if before is None or before.automatic or not incoming.automatic:
            last[incoming.address] = incoming
    return last


def _under_way(
    connection: sa.Connection, last: Mapping[Address, Incoming], newcomers: Newcomers, now: datetime
) -> dict[Address, int]:
    """Those that are in a conversation, reachable and named as before: nothing about them is to be written."""
    dialect = connection.dialect.name
    inboxes: dict[tuple[str, str], list[str]] = {}
    for address in last:
        inboxes.setdefault((address.channel, address.account), []).append(address.peer)
    limit = now - timedelta(seconds=newcomers.reopen_within)
    found: dict[Address, int] = {}
    for (channel, account), peers in inboxes.items():
        wanted = {"channel": channel, "account": account, "limit": limit, "listed": listed(dialect, peers)}
        for row in connection.execute(_under_way_of(dialect), wanted):
            address = Address(channel, account, row.peer)
            author = last[address].author
            if (row.handle, row.name) == (author.id, author.name):
                found[address] = row.conversation_id
    return found


@cache
def _under_way_of(dialect: str) -> Any:
    c, v = t.contact_channels.c, t.conversations.c
    ended = sa.and_(v.stage == Stage.RESOLVED.value, v.updated_at < sa.bindparam("limit", type_=t.UtcTime()))
    return (
        sa.select(c.peer, c.handle, c.name, c.conversation_id)
        .select_from(t.contact_channels.join(t.conversations, v.id == c.conversation_id))
        .where(
            c.channel == sa.bindparam("channel"),
            c.account == sa.bindparam("account"),
            is_listed(dialect, c.peer),
            c.unreachable.is_(None),
            sa.not_(ended),
        )
    )


def _met(
    connection: sa.Connection, others: Sequence[Incoming], newcomers: Newcomers, now: datetime
) -> dict[Address, int]:
    """Write down who is new or changed. Rows are locked in order, so that two first messages begin one conversation."""
    last = {incoming.address: incoming for incoming in others}
    ordered = sorted(others, key=lambda one: (one.address.channel, one.address.account, one.address.peer))
    found = _written_down(connection, [incoming for incoming in ordered if not incoming.automatic], _INTRODUCED)
    found += _written_down(connection, [incoming for incoming in ordered if incoming.automatic], _SEEN)
    ended = _ended(connection, [row.conversation_id for row in found if row.conversation_id], newcomers, now)
    known = {
        Address(row.channel, row.account, row.peer): row.conversation_id
        for row in found
        if row.conversation_id and row.conversation_id not in ended
    }
    strangers = [row for row in found if Address(row.channel, row.account, row.peer) not in known]
    return {**known, **_begin(connection, strangers, last, newcomers, now)}


_INTRODUCED = ("handle", "name", "unreachable")
"""What a person who writes shows of themselves, and that they can be reached."""

_SEEN = ("peer",)
"""What a machine that writes shows: nothing that was not known."""


def _written_down(connection: sa.Connection, incomings: Sequence[Incoming], shown: Sequence[str]) -> list[Any]:
    """The rows of those who wrote, new or brought up to date with what was *shown*; locked."""
    if not incomings:
        return []
    rows = [
        {
            "channel": incoming.address.channel,
            "account": incoming.address.account,
            "peer": incoming.address.peer,
            "handle": incoming.author.id,
            "name": incoming.author.name,
        }
        for incoming in incomings
    ]
    c = t.contact_channels.c
    statement = insert(connection, t.contact_channels)
    statement = statement.on_conflict_do_update(
        index_elements=["channel", "account", "peer"], set_={name: statement.excluded[name] for name in shown}
    ).returning(c.id, c.contact_id, c.conversation_id, c.channel, c.account, c.peer)
    return list(connection.execute(statement, rows).all())


def _ended(connection: sa.Connection, ids: list[int], newcomers: Newcomers, now: datetime) -> set[int]:
    """Those of *ids* resolved so long ago that a new message is a new matter."""
    if not ids:
        return set()
    limit = now - timedelta(seconds=newcomers.reopen_within)
    statement = sa.select(t.conversations.c.id).where(
        among(connection, t.conversations.c.id, ids),
        t.conversations.c.stage == Stage.RESOLVED.value,
        t.conversations.c.updated_at < limit,
    )
    return set(connection.execute(statement).scalars())


def _begin(
    connection: sa.Connection,
    strangers: Sequence[Any],
    last: dict[Address, Incoming],
    newcomers: Newcomers,
    now: datetime,
) -> dict[Address, int]:
    if not strangers:
        return {}
    nameless = [row for row in strangers if row.contact_id is None]
    made = next_ids(connection, t.contacts, len(nameless))
    _ADD_CONTACTS.run(connection, [{"id": contact, "created_at": now} for contact in made])
    contact_of = {row.id: contact for row, contact in zip(nameless, made, strict=True)}
    addresses = [Address(row.channel, row.account, row.peer) for row in strangers]
    ids = next_ids(connection, t.conversations, len(addresses))
    _ADD_CONVERSATIONS.run(
        connection,
        [
            {
                "id": conversation,
                "reference": newcomers.new_reference(),
                "channel": address.channel,
                "account": address.account,
                "peer": address.peer,
                "stage": Stage.SELF_SERVICE.value,
                "language": (last[address].language_hint or newcomers.language).value,
                "priority": Priority.NORMAL.value,
                "created_at": now,
                "updated_at": now,
            }
            for address, conversation in zip(addresses, ids, strict=True)
        ],
    )
    _JOIN.run(
        connection,
        [
            {"row": row.id, "conversation": conversation, "contact": row.contact_id or contact_of[row.id]}
            for row, conversation in zip(strangers, ids, strict=True)
        ],
    )
    return dict(zip(addresses, ids, strict=True))


def _store(
    connection: sa.Connection, fresh: Sequence[Received], conversations: dict[Address, int], now: datetime
) -> None:
    originals = _originals(connection, fresh)
    edits = _edits(fresh, set(originals))
    edited = {id(item) for item in edits}
    messages = [item for item in fresh if id(item) not in edited]
    ids = next_ids(connection, t.messages, len(messages))
    ADD_MESSAGES.run(
        connection,
        [
            {**_message_row(item, conversations[item.incoming.address]), "id": message}
            for item, message in zip(messages, ids, strict=True)
        ],
    )
    message_of = {id(item): message for item, message in zip(messages, ids, strict=True)}
    originals |= {
        _source(item): _Original(
            message_of[id(item)], item.incoming.text, item.incoming.quoted, item.incoming.remarks, 0
        )
        for item in messages
    }
    for item in edits:
        message_of[id(item)] = _revise(connection, item, originals, now)
    attached = [
        {
            "message_id": message_of[id(item)],
            "external_id": file.id,
            "name": file.name,
            "media_type": file.media_type,
            "size": file.size,
            "state": (FileState.WITHHELD if item.secret is not None else FileState.NAMED).value,
        }
        for item in messages
        for file in item.incoming.attachments
    ]
    if attached:
        connection.execute(sa.insert(t.attachments), attached)
    ADD_EVENTS.run(
        connection,
        [
            event_row(
                conversations[item.incoming.address],
                _source(item),
                _event(item, edit=id(item) in edited),
                now,
                message_of[id(item)],
            )
            for item in fresh
        ],
    )


def _event(item: Received, *, edit: bool) -> Event:
    incoming = item.incoming
    if edit:
        return MessageEdited(incoming.revises or incoming.id, item.secret)
    return MessageReceived(
        incoming.id,
        "",
        incoming.choice,
        secret=item.secret,
        language_hint=incoming.language_hint,
        public=incoming.public,
        automatic=incoming.automatic,
    )


def event_row(
    conversation: int, source: Source, event: Event, now: datetime, message: int | None = None
) -> dict[str, Any]:
    """A row of the inbox."""
    kind, payload = to_payload(event)
    return {
        "conversation_id": conversation,
        "channel": source[0],
        "account": source[1],
        "external_id": source[2],
        "kind": kind,
        "message_id": message,
        "payload": payload,
        "at": now,
        "pending": True,
    }


def _message_row(item: Received, conversation: int) -> dict[str, Any]:
    incoming = item.incoming
    return {
        "conversation_id": conversation,
        "speaker": Speaker.CUSTOMER.value,
        "author": incoming.author.name,
        "channel": incoming.address.channel,
        "account": incoming.address.account,
        "external_id": incoming.id,
        "text": incoming.text,
        "secret": item.secret.kind.value if item.secret else None,
        "revision": 0,
        "sent_at": incoming.sent_at,
        "quoted": incoming.quoted or None,
        "remarks": [remark.value for remark in incoming.remarks] or None,
    }


@dataclass(frozen=True, slots=True)
class _Original:
    """A message before it is edited."""

    id: int
    text: str = field(repr=False)
    quoted: str = field(repr=False)
    remarks: tuple[Remark, ...]
    revision: int


def _originals(connection: sa.Connection, fresh: Sequence[Received]) -> dict[Source, _Original]:
    """What the messages that are being edited said until now."""
    m = t.messages.c
    found: dict[Source, _Original] = {}
    inboxes: dict[tuple[str, str], list[str]] = {}
    for item in fresh:
        if item.incoming.revises is not None:
            address = item.incoming.address
            inboxes.setdefault((address.channel, address.account), []).append(item.incoming.revises)
    for (channel, account), ids in inboxes.items():
        rows = connection.execute(
            sa.select(m.external_id, m.id, m.text, m.quoted, m.remarks, m.revision).where(
                m.channel == channel, m.account == account, among(connection, m.external_id, ids)
            )
        )
        for row in rows:
            remarks = tuple(Remark(remark) for remark in row.remarks or ())
            original = _Original(row.id, row.text, row.quoted or "", remarks, row.revision)
            found[channel, account, row.external_id] = original
    return found


def _edits(fresh: Sequence[Received], stored: set[Source]) -> list[Received]:
    """Those of *fresh* that revise what is stored or stands before them; any other edit is a message to us."""
    known, edits = set(stored), list[Received]()
    for item in fresh:
        if _revised(item) in known:
            edits.append(item)
        else:
            known.add(_source(item))
    return edits


def _revised(item: Received) -> Source | None:
    incoming = item.incoming
    if incoming.revises is None:
        return None
    return incoming.address.channel, incoming.address.account, incoming.revises


def _revise(connection: sa.Connection, item: Received, originals: dict[Source, _Original], now: datetime) -> int:
    incoming = item.incoming
    source = (incoming.address.channel, incoming.address.account, incoming.revises or "")
    original = originals[source]
    connection.execute(
        sa.insert(t.message_revisions),
        {"message_id": original.id, "revision": original.revision, "text": original.text, "at": now},
    )
    text, quoted, remarks = _revised_by(original.text, original.quoted, original.remarks, incoming)
    values: dict[str, Any] = {
        "text": text,
        "quoted": quoted or None,
        "remarks": [remark.value for remark in remarks] or None,
        "revision": original.revision + 1,
    }
    if item.secret is not None:
        values["secret"] = item.secret.kind.value
    connection.execute(sa.update(t.messages).where(t.messages.c.id == original.id).values(**values))
    if item.secret is not None:
        files.withhold(connection, [original.id])
    originals[source] = _Original(original.id, text, quoted, remarks, original.revision + 1)
    return original.id


def _revised_by(
    text: str, quoted: str, remarks: Sequence[Remark], edit: Incoming
) -> tuple[str, str, tuple[Remark, ...]]:
    """What a message says, quotes and is remarked on after *edit*. Words that were removed upstream stay with us."""
    if Remark.REMOVED_BY_SENDER in edit.remarks and not edit.text:
        return text, quoted, tuple(dict.fromkeys((*remarks, *edit.remarks)))
    return edit.text, edit.quoted, edit.remarks


def _withdraw(connection: sa.Connection, fresh: Sequence[Received]) -> None:
    """Take the words of earlier messages out of the store: they are parts of a secret."""
    for item in fresh:
        if not item.withdrawn or item.secret is None:
            continue
        address = item.incoming.address
        mark = f"[{item.secret.kind.value} removed]"
        mine = sa.and_(
            t.messages.c.channel == address.channel,
            t.messages.c.account == address.account,
            among(connection, t.messages.c.external_id, item.withdrawn),
        )
        found = connection.execute(
            sa.select(t.messages.c.id, t.messages.c.conversation_id, t.messages.c.text).where(mine)
        ).all()
        revisions = among(connection, t.message_revisions.c.message_id, [row.id for row in found])
        earlier = connection.execute(sa.select(t.message_revisions.c.text).where(revisions)).scalars()
        _forget_details(connection, {row.conversation_id for row in found}, [*(row.text for row in found), *earlier])
        connection.execute(
            sa.update(t.messages).where(mine).values(text=mark, quoted=None, secret=item.secret.kind.value)
        )
        connection.execute(sa.update(t.message_revisions).where(revisions).values(text=mark))
        _forget_quotes(connection, found)
        files.withhold(connection, [row.id for row in found])


def _forget_quotes(connection: sa.Connection, withdrawn: Sequence[Any]) -> None:
    """Whatever was said after the first of *withdrawn* may quote it, in whatever form: none of it is kept."""
    since: dict[int, int] = {}
    for row in withdrawn:
        since[row.conversation_id] = min(row.id, since.get(row.conversation_id, row.id))
    m = t.messages.c
    for conversation, first in since.items():
        after = sa.and_(m.conversation_id == conversation, m.id > first, m.quoted.is_not(None))
        connection.execute(sa.update(t.messages).where(after).values(quoted=None))


def _forget_details(connection: sa.Connection, conversations: set[int], words: Sequence[str]) -> None:
    """Be rid of the details that were taken from *words*."""
    # A turn under way holds this lock until it has written down the details it took.
    locked = sa.select(t.conversations.c.id).where(among(connection, t.conversations.c.id, conversations))
    connection.execute(locked.order_by(t.conversations.c.id).with_for_update(key_share=True)).all()
    d = t.details.c
    for row in connection.execute(sa.select(t.details).where(among(connection, d.conversation_id, conversations))):
        if any(row.value in text for text in words):
            mine = sa.and_(d.conversation_id == row.conversation_id, d.name == row.name)
            connection.execute(sa.delete(t.details).where(mine))


def record_act(
    connection: sa.Connection, reference: str, act: AgentsAct, key: str, now: datetime
) -> tuple[int, int] | None:
    """Put an agent's act into the inbox of the conversation, once: its event's id and the conversation's."""
    conversation = connection.execute(
        sa.select(t.conversations.c.id).where(t.conversations.c.reference == reference)
    ).scalar_one_or_none()
    if conversation is None:
        return None
    row = event_row(conversation, (*AGENTS, key), act, now)
    connection.execute(insert(connection, t.events).on_conflict_do_nothing(), row)
    event = connection.execute(
        sa.select(t.events.c.id).where(
            t.events.c.channel == AGENTS[0], t.events.c.account == AGENTS[1], t.events.c.external_id == key
        )
    ).scalar_one()
    return event, conversation
