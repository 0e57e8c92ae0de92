"""A Bot API server with a world behind it, for tests: real HTTP, real state, faults on demand.

    async with serving() as server:
        ann = server.world.person("Ann")
        ann.says("hello")
        ...  # a bot at server.url with server.world.token
        await ann.hears("welcome")

What it answers is held against aiogram's types, and its wording and rules follow Telegram's own server.
"""

from tests.worlds.botapi.chats import Chat, Message, Topic
from tests.worlds.botapi.faults import Moment
from tests.worlds.botapi.limits import Limits
from tests.worlds.botapi.people import ONE_PIXEL, Person
from tests.worlds.botapi.server import Server, serving
from tests.worlds.botapi.world import TOKEN, Call, World

__all__ = [
    "ONE_PIXEL",
    "TOKEN",
    "Call",
    "Chat",
    "Limits",
    "Message",
    "Moment",
    "Person",
    "Server",
    "Topic",
    "World",
    "serving",
]
