"""The way in for tests in another process, and for a person with curl."""

from tests.worlds.botapi import Server, World
from tests.worlds.botapi.chats import Json
from tests.worlds.botapi.control import HELP, Control
from tests.worlds.botapi.raw_bot import RawBot


async def test_a_test_in_another_process_can_speak_and_look(server: Server, bot: RawBot) -> None:
    said = (await bot.http.post(f"{server.url}/world/says", json={"text": "hello"})).json()
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    sent = await bot.does("sendMessage", chat_id=said["person"], text="choose", reply_markup=keyboard)
    press = {"person": said["person"], "message_id": sent["message_id"], "label": "Yes"}
    await bot.http.post(f"{server.url}/world/presses", json=press)

    chats = (await bot.http.get(f"{server.url}/world/chats")).json()
    assert [m["text"] for m in chats[str(said["person"])]["messages"]] == ["hello", "choose"]
    assert (await bot.does("getUpdates"))[-1]["callback_query"]["data"] == "y"


async def test_a_staff_room_can_be_played_with_curl_alone(server: Server, bot: RawBot) -> None:
    async def act(name: str, wish: Json) -> Json:
        response = await bot.http.post(f"{server.url}/world/{name}", json=wish)
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    forum = (await act("group", {"kind": "forum", "rights": ["can_manage_topics"]}))["chat"]
    mei = (await act("member", {"chat": forum, "name": "Mei", "status": "administrator"}))["person"]
    topic = (await bot.does("createForumTopic", chat_id=forum, name="IM-1"))["message_thread_id"]
    said = await act("says", {"person": mei, "chat": forum, "thread": topic, "text": "/take"})
    await act("edits", {"person": mei, "chat": forum, "message_id": said["message_id"], "text": "/resolve"})
    await act("topic", {"person": mei, "chat": forum, "thread": topic, "act": "closes"})
    ann = (await act("person", {"name": "Ann", "language_code": "zh"}))["person"]
    await act("sends", {"person": ann, "name": "big.log", "content": "x", "size": 30_000_000, "caption": "see"})
    await act("blocks", {"person": ann})
    await act("unblocks", {"person": ann})
    await act("fails", {"method": "getMe", "status": 429, "retry_after": 7})
    before = (await act("later", {"seconds": 0}))["now"]
    after = (await act("later", {"seconds": 3600}))["now"]

    seen = (await bot.http.get(f"{server.url}/world/chats")).json()[str(forum)]
    assert seen["topics"] == [{"thread": topic, "name": "IM-1", "closed": True}]
    assert seen["messages"][1]["text"] == "/resolve"
    assert [message["document"]["file_size"] for message in await bot.updates() if "document" in message] == [
        30_000_000
    ]
    assert len(await bot.updates("my_chat_member")) == 3
    assert (await bot.call("getMe"))["parameters"] == {"retry_after": 7}
    assert 3600 <= after - before < 3700
    calls = (await bot.http.get(f"{server.url}/world/calls")).json()
    assert (calls[0]["method"], calls[0]["status"]) == ("createForumTopic", 200)


async def test_an_act_that_cannot_be_is_explained(server: Server, bot: RawBot) -> None:
    says = f"{server.url}/world/says"

    nobody = await bot.http.post(f"{server.url}/world/member", json={"chat": 5, "name": "Mei"})
    empty = await bot.http.post(says, json={"text": " "})
    wordless = await bot.http.post(says, json={"person": 5})

    assert [answer.status_code for answer in (nobody, empty, wordless)] == [400, 400, 400]
    assert "no 5 here" in nobody.text
    assert "no Telegram client" in empty.text
    assert "'text'" in wordless.text


def test_the_help_names_every_act() -> None:
    acts = {route.path for route in Control(World()).routes()}

    assert {path for path in acts if path not in HELP} == set()
