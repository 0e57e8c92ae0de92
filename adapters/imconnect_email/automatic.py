"""Mail that no person wrote just now (RFC 3834), and mail that wants no automatic answer. Nothing here hides a mail."""

import re
from collections.abc import Sequence

from imconnect_email.headers import all_of, first_of
from imconnect_email.mail import AutomaticKind, Field, House, Mailbox

LOOP_FIELD = "X-IMConnect-Loop"
"""What every automatic mail of ours carries, so that it is known when it comes back."""

_OUT_OF_OFFICE = re.compile(
    r"""
    \s*(?:\[[^\]]{0,40}\]\s*)?
    (?:
        (?:automatic|auto(?:mated)?)[\s-]?(?:reply|response|answer)\s*[:：] | autoreply\s*[:：] | auto\s?[:：]
      | out[\s-]of[\s-](?:the[\s-])?office(?:\s(?:re|auto[\s-]?reply|message|notification))?\s*(?:[:：]|$)
      | (?:on\s)?(?:vacation|holiday)\s(?:reply|response|auto[\s-]?reply)\s*(?:[:：]|$)
      | [(（【]?(?:自动|自動)(?:回复|回覆|答复|答覆|应答|回信)[)）】]?\s*(?:[:：]|$)
      | (?:休假|外出|出差|假期|不在办公室)(?:自动)?(?:回复|通知)\s*(?:[:：]|$)
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NO_REPLY = re.compile(
    r"(?:no|do-?not|dont)[._-]?reply(?:[._+-].*)?|mailer-daemon|postmaster|bounces?(?:[._+=-].*)?", re.IGNORECASE
)


def automatic_kind(fields: Sequence[Field], sender: Mailbox | None, subject: str, house: House) -> AutomaticKind | None:
    """Why this is no person speaking, or None. Whether it is a bounce is found by `bounces`."""
    if first_of(fields, LOOP_FIELD.lower()) or (sender is not None and sender.address in house.addresses):
        return AutomaticKind.LOOP
    submitted = _keyword(first_of(fields, "auto-submitted"))
    if submitted and submitted != "no":
        return AutomaticKind.REPLIED if submitted.startswith("auto-replied") else AutomaticKind.GENERATED
    if any(first_of(fields, name) for name in ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from")):
        return AutomaticKind.REPLIED
    if _keyword(first_of(fields, "precedence")) == "auto_reply" or _OUT_OF_OFFICE.match(subject):
        return AutomaticKind.REPLIED
    if all_of(fields, "list-id", "list-unsubscribe", "list-post"):
        return AutomaticKind.LIST
    return None


def may_acknowledge(fields: Sequence[Field], sender: Mailbox | None) -> bool:
    """Whether an automatic answer does no harm. `Precedence` and Exchange's header are on people's mail too: they
    stop our answer, nothing else."""
    if sender is None or _NO_REPLY.fullmatch(sender.address.rpartition("@")[0]):
        return False
    if _keyword(first_of(fields, "precedence")) in {"bulk", "list", "junk"}:
        return False
    suppressed = {word.strip().lower() for word in first_of(fields, "x-auto-response-suppress").split(b",")}
    if suppressed & {b"all", b"autoreply", b"oof"}:
        return False
    return not null_return_path(fields)


def null_return_path(fields: Sequence[Field]) -> bool:
    """Whether the envelope had no sender, as that of every bounce (RFC 5321, 4.5.5)."""
    return any(value.strip() == b"<>" for value in all_of(fields, "return-path"))


def _keyword(raw: bytes) -> str:
    """The keyword of a field that may go on with a comment or with parameters."""
    return re.split(r"[\s;(]", raw.decode("ascii", "replace").strip().lower(), maxsplit=1)[0]
