"""Chats and their members."""

from tests.worlds.botapi.chats import Chat, Json
from tests.worlds.botapi.parameters import Parameters
from tests.worlds.botapi.refusals import bad_request
from tests.worlds.botapi.world import World

LEFT = ("left", "kicked")


async def get_chat(world: World, parameters: Parameters) -> Json:
    chat = world.chat_to_read(parameters.text("chat_id"))
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    pinned = [chat.messages[number] for number in chat.pinned if number in chat.messages]
    return (
        chat.as_json()
        | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": dict.fromkeys(gifts, False)}
        | ({"pinned_message": pinned[-1].json} if pinned else {})
    )


async def get_chat_member(world: World, parameters: Parameters) -> Json:
    chat = _with_members(world, parameters)
    user_id = parameters.integer("user_id")
    if user_id != world.bot["id"] and user_id not in world.people:
        raise bad_request("invalid user_id specified")
    return world.member_json(chat, user_id)


async def get_chat_administrators(world: World, parameters: Parameters) -> list[Json]:
    """All who manage the chat but other bots."""
    chat = _with_members(world, parameters)
    if chat.kind == "private":
        raise bad_request("there are no administrators in the private chat")
    ids = [user for user, status in chat.members.items() if status in ("administrator", "creator")]
    if chat.bot_status == "administrator":
        ids.append(world.bot["id"])
    return [world.member_json(chat, user_id) for user_id in ids]


async def get_chat_member_count(world: World, parameters: Parameters) -> int:
    chat = _with_members(world, parameters)
    return 1 + (1 if chat.kind == "private" else sum(status not in LEFT for status in chat.members.values()))


async def leave_chat(world: World, parameters: Parameters) -> bool:
    chat = world.chat_to_read(parameters.text("chat_id"))
    if not chat.is_group:
        raise bad_request("can't leave the private chat")
    world.set_bot_status(chat, "left")
    return True


def _with_members(world: World, parameters: Parameters) -> Chat:
    chat = world.chat_to_read(parameters.text("chat_id"))
    if chat.migrated_to is not None:
        raise world.migrated(chat.migrated_to)
    return chat
