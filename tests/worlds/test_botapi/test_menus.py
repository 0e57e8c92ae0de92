"""The command menu a person is offered: by scope, by language, the narrowest first."""

from tests.worlds.botapi import World
from tests.worlds.botapi.raw_bot import RawBot


def menu(name: str, description: str) -> list[dict[str, str]]:
    return [{"command": name, "description": description}]


async def test_everybody_is_offered_the_menu_of_their_language(bot: RawBot, world: World) -> None:
    await bot.does("setMyCommands", commands=menu("human", "talk to a person"))
    await bot.does("setMyCommands", commands=menu("human", "找人工"), language_code="zh")

    assert world.person("安", language_code="zh-hans").menu() == ["/human 找人工"]
    assert world.person("Ann", language_code="de").menu() == ["/human talk to a person"]


async def test_the_narrowest_scope_wins(bot: RawBot, world: World) -> None:
    staff, ann = world.forum(), world.person("Ann")
    mei, eve = staff.member("Mei", status="administrator"), staff.member("Eve")
    for name, scope in {
        "start": {"type": "default"},
        "status": {"type": "all_private_chats"},
        "help": {"type": "all_group_chats"},
        "take": {"type": "chat_administrators", "chat_id": staff.id},
        "hello": {"type": "chat_member", "chat_id": staff.id, "user_id": eve.id},
    }.items():
        await bot.does("setMyCommands", commands=menu(name, "…"), scope=scope)

    assert ann.menu() == ["/status …"]
    assert (mei.menu(staff), eve.menu(staff)) == (["/take …"], ["/hello …"])
    assert eve.menu(world.supergroup()) == ["/help …"]


async def test_a_menu_that_was_deleted_leaves_room_for_the_wider_one(bot: RawBot, world: World) -> None:
    private = {"type": "all_private_chats"}
    await bot.does("setMyCommands", commands=menu("start", "begin"))
    await bot.does("setMyCommands", commands=menu("status", "where am I"), scope=private)

    await bot.does("deleteMyCommands", scope=private)

    assert world.person("Ann").menu() == ["/start begin"]
    assert await bot.does("getMyCommands", scope=private) == []


async def test_a_menu_nobody_could_be_offered_is_refused(bot: RawBot, world: World) -> None:
    assert "BOT_COMMAND_INVALID" in await bot.refusal("setMyCommands", commands=menu("Take", "x"))
    assert "DESCRIPTION_INVALID" in await bot.refusal("setMyCommands", commands=menu("take", ""))
    assert "LANG_CODE_INVALID" in await bot.refusal("setMyCommands", commands=[], language_code="zh-hans")
    assert "Unsupported type" in await bot.refusal("setMyCommands", commands=[], scope={"type": "everybody"})
    assert "chat not found" in await bot.refusal("setMyCommands", commands=[], scope={"type": "chat", "chat_id": 5})
    forum = world.forum()
    assert "Invalid user_id" in await bot.refusal(
        "setMyCommands", commands=[], scope={"type": "chat_member", "chat_id": forum.id}
    )
