"""The way in for a person with curl, and for tests of a bot in another process: `/world/…` beside the Bot API."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from aiohttp import web
from tests.worlds.botapi.chats import Chat, Json, Message
from tests.worlds.botapi.groups import Group
from tests.worlds.botapi.people import Person
from tests.worlds.botapi.world import World

HELP = """\
POST /world/says     {"text": "hello"}                        somebody new writes to the bot in private
                     {"person": 1001, "text": "…"}            that person writes again
                     {"person": 1001, "chat": -100…, "thread": 7, "reply_to": 9, "text": "/take"}   in a topic
POST /world/sends    {"person": 1001, "name": "a.log", "content": "…", "size": 21000000, "caption": "…"}   a file
POST /world/edits    {"person": 1001, "chat": 1001, "message_id": 7, "text": "…"}
POST /world/presses  {"person": 1001, "chat": 1001, "message_id": 7, "label": "Yes"}
POST /world/blocks   {"person": 1001}                         and /world/unblocks
POST /world/person   {"name": "Ann", "language_code": "zh"}   somebody who has not written yet
POST /world/group    {"kind": "forum", "title": "Staff", "rights": ["can_manage_topics"]}   or group, supergroup
POST /world/member   {"chat": -100…, "name": "Mei", "status": "administrator"}
POST /world/topic    {"chat": -100…, "person": 1001, "thread": 7, "act": "closes"}   or reopens, deletes
POST /world/later    {"seconds": 3600}                        Telegram's clock goes on
POST /world/fails    {"method": "sendMessage", "times": 2, "status": 429, "retry_after": 5}
GET  /world/chats    every chat: its messages as they stand, its topics, and the ids of what was taken back
GET  /world/calls    what the bot asked for
"""


class Control:
    """Acts of people, asked for over HTTP."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[web.RouteDef]:
        acts: dict[str, Callable[[Json], Json]] = {
            "says": self.says,
            "sends": self.sends,
            "edits": self.edits,
            "presses": self.presses,
            "blocks": self.blocks,
            "unblocks": self.unblocks,
            "person": self.person,
            "group": self.group,
            "member": self.member,
            "topic": self.topic,
            "later": self.later,
            "fails": self.fails,
        }
        posts = [web.post(f"/world/{name}", _answering(act)) for name, act in acts.items()]
        return [*posts, web.get("/world/chats", self.chats), web.get("/world/calls", self.calls)]

    def says(self, wish: Json) -> Json:
        person = self._person(wish)
        chat, answered = self._chat(wish), None
        if "reply_to" in wish:
            answered = (chat or person.chat).messages[wish["reply_to"]]
        message = person.says(wish["text"], chat=chat, thread=wish.get("thread"), reply_to=answered)
        return _said(person, message)

    def sends(self, wish: Json) -> Json:
        person = self._person(wish)
        content = str(wish.get("content", "")).encode()
        message = person.sends_document(
            wish.get("name", "log.txt"), content, size=wish.get("size"), caption=wish.get("caption")
        )
        return _said(person, message)

    def edits(self, wish: Json) -> Json:
        person = self._person(wish)
        return _said(person, person.edits(self._message(wish, person), wish["text"]))

    def presses(self, wish: Json) -> Json:
        person = self._person(wish)
        return {"press": person.presses(self._message(wish, person), wish["label"])}

    def blocks(self, wish: Json) -> Json:
        self._person(wish).blocks()
        return {}

    def unblocks(self, wish: Json) -> Json:
        self._person(wish).unblocks()
        return {}

    def person(self, wish: Json) -> Json:
        return {"person": self._newcomer(wish).id}

    def group(self, wish: Json) -> Json:
        make = {"group": self.world.group, "supergroup": self.world.supergroup, "forum": self.world.forum}
        return {"chat": make[wish.get("kind", "forum")](wish.get("title", "Staff"), bot_rights=wish.get("rights")).id}

    def member(self, wish: Json) -> Json:
        group = self.world.chats[wish["chat"]]
        if not isinstance(group, Group):
            raise web.HTTPBadRequest(text="that is no group")
        who = self.world.people[wish["person"]] if "person" in wish else self._newcomer(wish)
        return {"person": group.member(who, status=wish.get("status", "member")).id}

    def topic(self, wish: Json) -> Json:
        person, chat = self._person(wish), self.world.chats[wish["chat"]]
        acts = {"closes": person.closes_topic, "reopens": person.reopens_topic, "deletes": person.deletes_topic}
        acts[wish["act"]](chat, wish["thread"])
        return {}

    def later(self, wish: Json) -> Json:
        self.world.later(timedelta(seconds=wish["seconds"]))
        return {"now": self.world.now()}

    def fails(self, wish: Json) -> Json:
        self.world.fail(
            wish["method"],
            times=wish.get("times", 1),
            status=wish.get("status", 500),
            description=wish.get("description"),
            retry_after=wish.get("retry_after"),
            chat_id=wish.get("chat"),
        )
        return {}

    async def chats(self, _: web.Request) -> web.Response:
        return web.json_response({str(chat.id): _seen(chat) for chat in self.world.chats.values()})

    async def calls(self, _: web.Request) -> web.Response:
        return web.json_response(
            [
                {"method": call.method, "parameters": call.parameters, "at": call.at, "status": call.status}
                for call in self.world.calls
            ]
        )

    def _person(self, wish: Json) -> Person:
        return self.world.people.get(wish.get("person", 0)) or self._newcomer(wish)

    def _newcomer(self, wish: Json) -> Person:
        return self.world.person(
            wish.get("name", "Ann"), username=wish.get("username"), language_code=wish.get("language_code", "en")
        )

    def _chat(self, wish: Json) -> Chat | None:
        return self.world.chats[wish["chat"]] if "chat" in wish else None

    def _message(self, wish: Json, person: Person) -> Message:
        return (self._chat(wish) or person.chat).messages[wish["message_id"]]


def _answering(act: Callable[[Json], Json]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        wish: Any = await request.json()
        try:
            return web.json_response(act(wish))
        except KeyError as missing:
            raise web.HTTPBadRequest(text=f"there is no {missing} here, or it was not named") from None
        except ValueError as reason:
            raise web.HTTPBadRequest(text=str(reason)) from None

    return answer


def _said(person: Person, message: Message) -> Json:
    return {"person": person.id, "chat": message.chat_id, "message_id": message.id}


def _seen(chat: Chat) -> Json:
    topics = [{"thread": topic.thread, "name": topic.name, "closed": topic.closed} for topic in chat.topics.values()]
    messages = [message.json for message in chat.messages.values()]
    return {"messages": messages, "deleted": chat.deleted, "topics": topics, "pinned": chat.pinned}
