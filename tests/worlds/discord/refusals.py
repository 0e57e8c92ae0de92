"""How Discord says no: its JSON error codes with the HTTP status each comes with.

Codes and wording: discord.com/developers/docs/topics/opcodes-and-status-codes#json.
"""

from simcord.backend.errors import BackendError

STATUS_AND_WORDS: dict[int, tuple[int, str]] = {
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    20028: (429, "The write action you are performing on the channel has hit the write rate limit"),
    30013: (400, "Maximum number of guild channels reached (500)"),
    30033: (400, "Maximum number of thread participants reached (1000)"),
    40001: (401, "Unauthorized"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged"),
    50001: (403, "Missing Access"),
    50003: (403, "Cannot execute action on a DM channel"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50024: (403, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50034: (400, "A message provided was too old to bulk delete"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    50278: (403, "Cannot send messages to this user due to having no mutual guilds"),
    130000: (503, "API resource is currently overloaded. Try again a little later"),
    160004: (400, "A thread has already been created for this message"),
    160005: (403, "Thread is locked"),
    160006: (400, "Maximum number of active threads reached"),
    160007: (400, "Maximum number of active announcement threads reached"),
}


def refusal(code: int) -> BackendError:
    """The error Discord answers with *code*. Raises `KeyError` for a code nobody looked up yet."""
    status, words = STATUS_AND_WORDS[code]
    return BackendError(status, code, words)


def wrong_field(field: str, kind: str, words: str) -> BackendError:
    """50035 with the field that is wrong, as Discord words it: `BASE_TYPE_MAX_LENGTH` and the like."""
    return BackendError(
        400, 50035, "Invalid Form Body", errors={field: {"_errors": [{"code": kind, "message": words}]}}
    )
