"""The menu of commands: what Telegram offers to who types a slash."""

from telegram import Bot, BotCommand, BotCommandScopeAllPrivateChats, BotCommandScopeChat

from imconnect.domain.messages import Language
from imconnect.domain.playbook import Playbook
from imconnect_telegram.wire import done

CUSTOMERS = ("start", "help", "status", "human", "language", "verify")
STAFF = ("take", "resolve", "handback", "note", "snippet", "transfer")
DESCRIPTION_LIMIT = 256  # characters; core.telegram.org/bots/api#botcommand


async def offer_commands(bot: Bot, playbook: Playbook, staff_chat: int | None) -> None:
    """Offer each its commands: customers in their Telegram's language, else in the pack's; colleagues in their group.

    Nothing is sent that is so already. Raises `TryLater` or `Undeliverable`.
    """
    private = BotCommandScopeAllPrivateChats()
    for language in (None, *Language):
        wanted = _commands(CUSTOMERS, "command_", playbook, language or playbook.default_language)
        code = language.value if language is not None else None
        if list(await done(bot.get_my_commands(scope=private, language_code=code))) != wanted:
            await done(bot.set_my_commands(wanted, scope=private, language_code=code))
    if staff_chat is not None:
        wanted = _commands(STAFF, "staff_", playbook, playbook.default_language)
        await done(bot.set_my_commands(wanted, scope=BotCommandScopeChat(staff_chat)))


def _commands(names: tuple[str, ...], prefix: str, playbook: Playbook, language: Language) -> list[BotCommand]:
    return [BotCommand(name, playbook.label(prefix + name, language)[:DESCRIPTION_LIMIT]) for name in names]
