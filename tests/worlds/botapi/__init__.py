"""A Bot API server with a world behind it, for tests: real HTTP, real state, faults on demand.

    async with serving() as server:
        ann = server.world.person("Ann")
        ann.says("hello")
        ...  # a bot at server.url with server.world.token
        await ann.hears("welcome")

A staff group with topics, and somebody at work in it:

        staff = server.world.forum()
        mei = staff.member("Mei")
        mei.says("/take", thread=topic)
        await staff.hears("Mei", thread=topic)

What it answers is held against aiogram's types, and its wording and rules follow Telegram's own server.
"""

from tests.worlds.botapi.business import Connection
from tests.worlds.botapi.chats import Chat, Message, Topic
from tests.worlds.botapi.contents import ONE_PIXEL
from tests.worlds.botapi.faults import Moment
from tests.worlds.botapi.groups import Group, Member
from tests.worlds.botapi.limits import Limits
from tests.worlds.botapi.people import Person
from tests.worlds.botapi.server import Server, serving
from tests.worlds.botapi.world import TOKEN, Call, World

__all__ = [
    "ONE_PIXEL",
    "TOKEN",
    "Call",
    "Chat",
    "Connection",
    "Group",
    "Limits",
    "Member",
    "Message",
    "Moment",
    "Person",
    "Server",
    "Topic",
    "World",
    "serving",
]
