"""What somebody is in a chat, as the Bot API tells it (core.telegram.org/bots/api#chatmember)."""

from tests.worlds.botapi.chats import Json

MEMBER_RIGHTS: tuple[str, ...] = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)
ADMINISTRATOR_RIGHTS: tuple[str, ...] = (
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
    "can_manage_topics",
    "can_send_welcome_messages",
)


def membership(status: str, user: Json, rights: frozenset[str]) -> Json:
    """*user* as a member of *status*: an administrator has these *rights*, who is restricted has none."""
    json: Json = {"status": status, "user": user}
    match status:
        case "creator":
            return json | {"is_anonymous": False}
        case "kicked":
            return json | {"until_date": 0}
        case "restricted":
            return json | {"is_member": True, "until_date": 0} | dict.fromkeys(MEMBER_RIGHTS, False)
        case "administrator":
            has = {right: right in rights for right in ADMINISTRATOR_RIGHTS}
            return json | has | {"can_be_edited": False, "is_anonymous": False, "can_manage_chat": True}
        case _:
            return json
