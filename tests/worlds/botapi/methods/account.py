"""The bot's account: who it is, where its updates go, and the menus of its commands."""

import re

from tests.worlds.botapi.chats import Json
from tests.worlds.botapi.menus import Scope
from tests.worlds.botapi.parameters import Parameters
from tests.worlds.botapi.refusals import bad_request
from tests.worlds.botapi.updates import LEFT_OUT_BY_DEFAULT, Webhook
from tests.worlds.botapi.world import World

SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
LANGUAGE = re.compile(r"(?:[a-z]{2})?")  # ISO 639-1, or nothing
FOR_A_CHAT = ("chat", "chat_administrators", "chat_member")
FOR_MANY = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators")


async def get_me(world: World, parameters: Parameters) -> Json:
    return world.bot | {
        "can_join_groups": True,
        "can_read_all_group_messages": not world.privacy_mode,
        "supports_inline_queries": False,
    }


async def set_webhook(world: World, parameters: Parameters) -> bool:
    url = parameters.text("url")
    if not url:
        return await delete_webhook(world, parameters)
    loopback = url.startswith(("http://127.0.0.1:", "http://localhost:"))
    if not (loopback or url.startswith("https://")):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    secret = parameters.text("secret_token")
    if secret and not SECRET_TOKEN.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    if parameters.flag("drop_pending_updates"):
        world.updates.drop_all()
    world.updates.ask_for(parameters.structure("allowed_updates"))
    world.webhook = Webhook(url, secret, parameters.integer("max_connections", 40))
    world.notify()
    return True


async def delete_webhook(world: World, parameters: Parameters) -> bool:
    if parameters.flag("drop_pending_updates"):
        world.updates.drop_all()
    world.webhook = None
    world.notify()
    return True


async def get_webhook_info(world: World, parameters: Parameters) -> Json:
    info: Json = {"url": "", "has_custom_certificate": False, "pending_update_count": world.updates.waiting}
    if world.webhook is not None:
        info |= {"url": world.webhook.url, "max_connections": world.webhook.max_connections}
        if world.webhook.last_error_date is not None:
            info["last_error_date"] = world.webhook.last_error_date
            info["last_error_message"] = world.webhook.last_error_message
    if world.updates.allowed is not None and not world.updates.allowed >= LEFT_OUT_BY_DEFAULT:
        info["allowed_updates"] = sorted(world.updates.allowed)
    return info


async def set_my_commands(world: World, parameters: Parameters) -> bool:
    menu = parameters.objects("commands")
    if len(menu) > 100:
        raise bad_request("can't set more than 100 commands")
    for command in menu:
        if not COMMAND.fullmatch(command["command"]):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    world.commands[_menu(world, parameters)] = menu
    world.notify()
    return True


async def get_my_commands(world: World, parameters: Parameters) -> list[Json]:
    return world.commands.get(_menu(world, parameters), [])


async def delete_my_commands(world: World, parameters: Parameters) -> bool:
    world.commands.pop(_menu(world, parameters), None)
    world.notify()
    return True


def _menu(world: World, parameters: Parameters) -> tuple[Scope, str]:
    language = parameters.text("language_code")
    if not LANGUAGE.fullmatch(language):
        raise bad_request("LANG_CODE_INVALID")
    scope = parameters.object("scope") or {"type": "default"}
    kind = str(scope.get("type"))
    if kind in FOR_MANY:
        return Scope(kind), language
    if kind not in FOR_A_CHAT:
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    chat = world.chat_to_read(str(scope.get("chat_id", "")))
    user_id = int(scope.get("user_id", 0))
    if kind == "chat_member" and user_id <= 0:
        raise bad_request("can't parse BotCommandScope: Invalid user_id specified")
    return Scope(kind, chat.id, user_id), language
