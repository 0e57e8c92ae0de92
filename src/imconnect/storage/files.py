"""Files that came with messages: what is known of each, and the content of those that may be kept."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from imconnect.domain.messages import Attachment
from imconnect.domain.readings import SecretKind
from imconnect.ports import FileOfMessage, FileResult, FileState
from imconnect.storage import tables as t
from imconnect.storage.dialect import among


def files_of(connection: sa.Connection, messages: Collection[int]) -> dict[int, tuple[FileOfMessage, ...]]:
    """The files of each of *messages* that has any, in the order they came."""
    if not messages:
        return {}
    statement = sa.select(t.attachments).where(among(connection, t.attachments.c.message_id, messages))
    found: dict[int, tuple[FileOfMessage, ...]] = {}
    for row in connection.execute(statement.order_by(t.attachments.c.id)):
        found[row.message_id] = (*found.get(row.message_id, ()), _file(row))
    return found


def _file(row: Any) -> FileOfMessage:
    return FileOfMessage(
        row.id,
        Attachment(row.external_id, row.name, row.media_type, row.size),
        FileState(row.state),
        row.kept_type or row.media_type,
        SecretKind(row.secret) if row.secret else None,
    )


def named_by(
    connection: sa.Connection, channel: str, account: str, subjects: Iterable[str]
) -> dict[str, tuple[FileOfMessage, ...]]:
    """The files of the messages that the inbox knows as *subjects*."""
    m = t.messages.c
    wanted = sorted(set(subjects))
    if not wanted:
        return {}
    rows = connection.execute(
        sa.select(m.id, m.external_id).where(
            m.channel == channel, m.account == account, among(connection, m.external_id, wanted)
        )
    ).all()
    files = files_of(connection, [row.id for row in rows])
    return {row.external_id: files.get(row.id, ()) for row in rows}


def keep(connection: sa.Connection, results: Sequence[FileResult]) -> set[int]:
    """Record what came of fetching. Nothing is kept of a message that is withheld. Returns the conversations."""
    a, m = t.attachments.c, t.messages.c
    result_of = {result.id: result for result in results}
    # The lock makes whoever withdraws the message meanwhile wait, and see what was kept.
    rows = connection.execute(
        sa.select(a.id, m.secret, m.conversation_id)
        .select_from(t.attachments.join(t.messages, m.id == a.message_id))
        .where(among(connection, a.id, sorted(result_of)))
        .order_by(m.id)
        .with_for_update(of=t.messages, key_share=True)
    ).all()
    for row in rows:
        _settle(connection, row.id, result_of[row.id], message_withheld=row.secret is not None)
    return {row.conversation_id for row in rows}


def _settle(connection: sa.Connection, file: int, result: FileResult, *, message_withheld: bool) -> None:
    withheld = message_withheld or result.secret is not None
    state = FileState.WITHHELD if withheld else result.state
    connection.execute(
        sa.update(t.attachments)
        .where(t.attachments.c.id == file)
        .values(
            state=state.value,
            kept_type=result.media_type or None,
            secret=result.secret.value if result.secret is not None else None,
        )
    )
    connection.execute(sa.delete(t.files).where(t.files.c.attachment_id == file))
    if state is FileState.KEPT:
        connection.execute(sa.insert(t.files), {"attachment_id": file, "content": result.content})


def withhold(connection: sa.Connection, messages: Collection[int]) -> None:
    """Be rid of the files of *messages*: what was kept of them, and the wish to fetch them."""
    mine = among(connection, t.attachments.c.message_id, messages)
    theirs = t.files.c.attachment_id.in_(sa.select(t.attachments.c.id).where(mine))
    connection.execute(sa.delete(t.files).where(theirs))
    open_states = (FileState.NAMED.value, FileState.KEPT.value)
    connection.execute(
        sa.update(t.attachments)
        .where(mine, t.attachments.c.state.in_(open_states))
        .values(state=FileState.WITHHELD.value)
    )


def kept(connection: sa.Connection, file: int) -> tuple[FileOfMessage, bytes] | None:
    """A kept file and its content."""
    row = connection.execute(
        sa.select(t.attachments, t.files.c.content)
        .join(t.files, t.files.c.attachment_id == t.attachments.c.id)
        .where(t.attachments.c.id == file)
    ).first()
    return (_file(row), bytes(row.content)) if row is not None else None
