"""What an inbox hands over, in its order: messages, what nobody could read, what came back, and marks."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

import sqlalchemy as sa

from imconnect.domain.messages import Unreadable
from imconnect.ports import Bounced, Mark, Received
from imconnect.storage import marks, recording
from imconnect.storage.errands import bounce
from imconnect.storage.recording import Newcomers, Recorded

Item = Received | Unreadable | Bounced | Mark


def record(connection: sa.Connection, items: Sequence[Item], newcomers: Newcomers, now: datetime) -> Recorded:
    """Store each item that is not stored yet. A mark is no news: it says how far all this goes."""
    done = Recorded()
    marks.put(connection, [item for item in items if isinstance(item, Mark)], now)
    # Who writes after their address failed can be reached again, and the other way round: so bounces keep their place.
    for bounced, group in groupby(items, key=lambda item: isinstance(item, Bounced)):
        if bounced:
            done.new += sum(_bounce(connection, item, done, now) for item in group if isinstance(item, Bounced))
        else:
            said = [item for item in group if isinstance(item, Received | Unreadable)]
            recording.record(connection, said, newcomers, done, now)
    return done


def _bounce(connection: sa.Connection, item: Bounced, done: Recorded, now: datetime) -> bool:
    """Whether it was news."""
    new, conversation = bounce(connection, item, now)
    if conversation is not None:
        done.conversations.add(conversation)
        return new
    why = f"something came back that was not sent from here: {item.reason}"
    return bool(recording.set_aside(connection, [Unreadable(item.id, item.channel, item.account, why, 0)], now))
