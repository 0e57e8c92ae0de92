"""The second opinion: aiogram, asked about everything this world says."""

import httpx
import pytest
from tests.worlds.botapi import World, serving
from tests.worlds.botapi.oracle import Breach
from tests.worlds.botapi.raw_bot import RawBot


def test_an_update_telegram_would_not_send_is_not_made() -> None:
    world = World()
    ann = world.person("Ann")

    with pytest.raises(Breach, match="mesage"):
        world.emit("mesage", {"text": "hi"}, ann.id)
    with pytest.raises(Breach, match="date"):
        world.emit("message", {"message_id": 1, "chat": ann.chat.as_json()}, ann.id)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_parameter_the_bot_api_does_not_know_fails_the_test(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ExceptionGroup, match="used in ways"):
        async with serving() as server, httpx.AsyncClient() as http:
            await RawBot(server, http).call("sendMessage", chat_id=1, txt="hi")

    assert "sendMessage is broken" in caplog.text


async def test_an_update_of_tomorrows_bot_api_can_be_told(bot: RawBot, world: World) -> None:
    world.emit_unchecked({"message": {"message_id": "seven", "date": "noon"}})

    [update] = await bot.does("getUpdates")

    assert update["message"]["date"] == "noon"
