"""Forum topics (core.telegram.org/bots/api#createforumtopic); who may do what follows github.com/tdlib/td."""

from tests.worlds.botapi.chats import Chat, Json, Topic
from tests.worlds.botapi.parameters import Parameters
from tests.worlds.botapi.people import forget_topic, open_topic
from tests.worlds.botapi.refusals import bad_request
from tests.worlds.botapi.world import World

TOPIC_NAME_LIMIT = 128  # characters; Telegram's server cuts off what is beyond
ICON_COLORS = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)


async def create_forum_topic(world: World, parameters: Parameters) -> Json:
    chat = _managed_forum(world, parameters, "create a topic")
    color = parameters.integer("icon_color", ICON_COLORS[0])
    if color not in ICON_COLORS:
        raise bad_request("TOPIC_ICON_COLOR_INVALID")
    topic = open_topic(world, chat, world.bot, _topic_name(parameters), color)
    return {"message_thread_id": topic.thread, "name": topic.name, "icon_color": topic.icon_color}


async def edit_forum_topic(world: World, parameters: Parameters) -> bool:
    chat, topic = _own_or_managed(world, parameters, "edit the topic")
    if not parameters.text("name"):
        return True  # nothing but the icon, which this world does not show
    return _renamed(world, chat, topic, _topic_name(parameters))


async def close_forum_topic(world: World, parameters: Parameters) -> bool:
    chat, topic = _own_or_managed(world, parameters, "close or open the topic")
    return _set_closed(world, chat, topic, True)


async def reopen_forum_topic(world: World, parameters: Parameters) -> bool:
    chat, topic = _own_or_managed(world, parameters, "close or open the topic")
    return _set_closed(world, chat, topic, False)


async def delete_forum_topic(world: World, parameters: Parameters) -> bool:
    chat = _forum(world, parameters)
    topic = _topic(chat, parameters)
    if "can_delete_messages" not in chat.bot_rights and topic.creator != world.bot["id"]:
        raise bad_request("not enough rights to delete the topic")
    forget_topic(chat, topic.thread, world.now())
    world.notify()
    return True


async def edit_general_forum_topic(world: World, parameters: Parameters) -> bool:
    chat = _managed_forum(world, parameters, "edit the topic")
    return _renamed(world, chat, chat.general, _topic_name(parameters))


async def close_general_forum_topic(world: World, parameters: Parameters) -> bool:
    chat = _managed_forum(world, parameters, "close or open the topic")
    return _set_closed(world, chat, chat.general, True)


async def reopen_general_forum_topic(world: World, parameters: Parameters) -> bool:
    chat = _managed_forum(world, parameters, "close or open the topic")
    return _set_closed(world, chat, chat.general, False)


async def hide_general_forum_topic(world: World, parameters: Parameters) -> bool:
    return _set_hidden(world, _managed_forum(world, parameters, "close or open the topic"), True)


async def unhide_general_forum_topic(world: World, parameters: Parameters) -> bool:
    return _set_hidden(world, _managed_forum(world, parameters, "close or open the topic"), False)


def _forum(world: World, parameters: Parameters) -> Chat:
    chat = world.chat_to_write(parameters.text("chat_id"))
    if not chat.forum:
        raise bad_request("the chat is not a forum")
    return chat


def _managed_forum(world: World, parameters: Parameters, what: str) -> Chat:
    chat = _forum(world, parameters)
    if "can_manage_topics" not in chat.bot_rights:
        raise bad_request(f"not enough rights to {what}")
    return chat


def _own_or_managed(world: World, parameters: Parameters, what: str) -> tuple[Chat, Topic]:
    chat = _forum(world, parameters)
    topic = _topic(chat, parameters)
    if "can_manage_topics" not in chat.bot_rights and topic.creator != world.bot["id"]:
        raise bad_request(f"not enough rights to {what}")
    return chat, topic


def _topic(chat: Chat, parameters: Parameters) -> Topic:
    thread = parameters.integer("message_thread_id")
    if thread not in chat.topics:
        raise bad_request("TOPIC_ID_INVALID")
    return chat.topics[thread]


def _topic_name(parameters: Parameters) -> str:
    name = " ".join(parameters.text("name").split())[:TOPIC_NAME_LIMIT]
    if not name:
        raise bad_request("name must be non-empty")
    return name


def _renamed(world: World, chat: Chat, topic: Topic, name: str) -> bool:
    if topic.name == name:
        raise bad_request("TOPIC_NOT_MODIFIED")
    topic.name = name
    _note(world, chat, topic, {"forum_topic_edited": {"name": name}})
    return True


def _set_closed(world: World, chat: Chat, topic: Topic, closed: bool) -> bool:
    if topic.closed == closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    topic.closed = closed
    _note(world, chat, topic, {"forum_topic_closed" if closed else "forum_topic_reopened": {}})
    return True


def _set_hidden(world: World, chat: Chat, hidden: bool) -> bool:
    if chat.general.hidden == hidden:
        raise bad_request("TOPIC_NOT_MODIFIED")
    chat.general.hidden = hidden
    _note(world, chat, chat.general, {"general_forum_topic_hidden" if hidden else "general_forum_topic_unhidden": {}})
    return True


def _note(world: World, chat: Chat, topic: Topic, content: Json) -> None:
    """Say in the chat what became of a topic; Telegram tells the bot of such notes even where they are its own."""
    thread = None if topic is chat.general else topic.thread
    note = world.post(chat, world.bot, content, thread=thread)
    world.tell(chat, note)
