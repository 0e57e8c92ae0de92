"""Which command menu a person is shown (core.telegram.org/bots/api#determining-list-of-commands)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.worlds.botapi.chats import Chat, Json


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a menu is for: its type in the Bot API's words, and the chat and the member where it names them."""

    kind: str = "default"
    chat_id: int = 0
    user_id: int = 0


Menus = Mapping[tuple[Scope, str], list[Json]]
"""By scope and language; the language "" is for everybody no other menu of the scope fits."""


def menu_for(menus: Menus, chat: Chat, user_id: int, language: str) -> list[Json]:
    """The first menu that was set of those that fit, the narrowest scope first."""
    for scope in _scopes(chat, user_id):
        for tag in (language, ""):
            if (scope, tag) in menus:
                return menus[scope, tag]
    return []


def _scopes(chat: Chat, user_id: int) -> Iterator[Scope]:
    if chat.kind == "private":
        yield Scope("chat", chat.id)
        yield Scope("all_private_chats")
    else:
        manages = chat.members.get(user_id) in ("administrator", "creator")
        yield Scope("chat_member", chat.id, user_id)
        if manages:
            yield Scope("chat_administrators", chat.id)
        yield Scope("chat", chat.id)
        if manages:
            yield Scope("all_chat_administrators")
        yield Scope("all_group_chats")
    yield Scope()
