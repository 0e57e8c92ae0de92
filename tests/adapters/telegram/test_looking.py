"""`imconnect doctor` tells what of Telegram is well and what to do about the rest; logs tell nothing private."""

import logging
from collections.abc import Generator
from io import StringIO

import pytest
from tests.adapters.telegram.door import Door, connected, listening, outgoing
from tests.worlds.botapi import Moment, Server, World
from tests.worlds.botapi.updates import Webhook

from imconnect.domain.messages import Address
from imconnect.ports import TryLater
from imconnect_telegram import TelegramAdapter


async def said_by(adapter: TelegramAdapter) -> dict[str, tuple[bool, str]]:
    return {finding.subject: (finding.well, finding.says) for finding in await adapter.check()}


async def test_a_bot_that_is_well(adapter: TelegramAdapter) -> None:
    assert await said_by(adapter) == {
        "telegram.token": (True, "@im_wallet_support_bot"),
        "telegram.mode": (True, "poll"),
        "telegram.privacy": (True, "privacy mode is on"),
    }


async def test_a_refused_token(server: Server) -> None:
    async with connected(server, token="1:" + "x" * 35) as adapter:
        found = await said_by(adapter)

    assert found == {"telegram.token": (False, "Telegram refuses the bot's token: correct telegram.token")}


async def test_a_server_that_is_not_there(server: Server) -> None:
    async with connected(server, api_root="http://127.0.0.1:9") as adapter:
        [(well, says)] = (await said_by(adapter)).values()

    assert (well, says) == (False, "Telegram cannot be reached (ConnectError)")


async def test_a_webhook_of_somebody_else(adapter: TelegramAdapter, world: World) -> None:
    world.webhook = Webhook("https://other.example/hook", "", 40)

    well, says = (await said_by(adapter))["telegram.mode"]
    assert (well, "another webhook is set" in says) == (False, True)


async def test_a_secret_that_can_be_guessed(server: Server) -> None:
    async with connected(
        server, mode="webhook", webhook_url="https://desk.example/tg", webhook_secret="hush"
    ) as adapter:
        well, says = (await said_by(adapter))["telegram.webhook_secret"]

    assert (well, "at least 16 letters" in says) == (False, True)


@pytest.mark.parametrize(
    ("kind", "rights", "well", "says"),
    [
        ("forum", ("can_manage_topics",), True, "topics can be managed"),
        ("forum", ("can_delete_messages",), False, "may not manage topics"),
        ("forum", None, False, "may not manage topics"),
        ("supergroup", ("can_manage_topics",), False, "has no topics"),
        ("none", None, False, "add the bot to the group"),
    ],
)
async def test_the_staff_group(
    server: Server, world: World, kind: str, rights: tuple[str, ...] | None, well: bool, says: str
) -> None:
    chat_id = -1001
    if kind != "none":
        chat_id = (world.forum if kind == "forum" else world.supergroup)(bot_rights=rights).id
    async with connected(server, staff_chat=chat_id) as adapter:
        found = (await said_by(adapter))["telegram.staff_chat"]

    assert found[0] is well
    assert says in found[1]


@pytest.fixture
def everything_logged() -> Generator[StringIO]:
    """What a configuration writes that asks for all there is, and asks single parts of the libraries by name."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    loggers = [logging.getLogger(name) for name in (None, "telegram.Bot", "telegram.request", "httpcore.http11")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    loggers[0].addHandler(handler)
    yield written
    loggers[0].removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


async def test_neither_the_token_nor_what_was_typed_is_in_any_log(
    server: Server, world: World, door: Door, everything_logged: StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "abandon ability able about above"
    ann = world.person("Ann")
    said = ann.says(secret)
    world.emit_unchecked({"message": {"text": secret, "date": secret}})
    async with connected(server) as adapter, listening(adapter, door):
        world.garble("getUpdates")
        world.fail("getUpdates", status=502)
        world.cut("sendMessage", Moment.AFTER_THE_EFFECT)
        await world.until(lambda: world.updates.waiting == 0)
        await adapter.send(outgoing(adapter, ann.id, secret))
        world.fail("deleteMessage", status=500, description="Internal Server Error")
        with pytest.raises(TryLater):
            await adapter.erase(Address("telegram", adapter.account, str(ann.id)), f"{ann.id}:{said.id}")

    logging.getLogger("tests").debug("the log is open")
    everything = everything_logged.getvalue() + "".join(capfd.readouterr())
    assert "the log is open" in everything
    assert "abandon" not in everything
    assert world.token not in everything
    assert world.token.partition(":")[2] not in everything
