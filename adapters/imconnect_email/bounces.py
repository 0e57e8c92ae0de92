"""What mail servers say of a mail of ours that did not arrive: by RFC 3464, or in prose as qmail and others do."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imconnect_email.automatic import null_return_path
from imconnect_email.headers import address_of, fields_of, first_of, mailboxes, message_ids, one_line, words
from imconnect_email.mail import Bounce, Field, Mailbox
from imconnect_email.mime import Part, content_of, head_end

_REPORTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_COPIES = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})

_REPORT_BYTES = 64 * 1024
"""How much of a report is looked at; what matters stands at its beginning."""

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?im)(?:^|[:：;；#(（\[\"']|said|error|code|错误|代码)\s*([45])\d\d[\s-](?=\D)")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'（）：，。]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_MESSAGE_ID_LINE = re.compile(r"(?im)^[> \t]*message-id\s*:\s*(<[^\s<>]{1,250}>)")

_SYSTEM = re.compile(r"(?:mailer-daemon|postmaster|mail-?daemon|mdaemon|mailsystem|system)(?:[._+-].*)?", re.IGNORECASE)
_SUBJECT = re.compile(
    r"""
      undeliver | undelivered | (?:delivery|mail|message)\s.{0,30}(?:fail|status|notification|return|delay|problem)
    | failure\snotice | returned\s(?:mail|to\ssender) | non.?delivery | not\sdelivered | could\snot\sbe\sdelivered
    | nondeliverable | bounced | 退信 | 未送达 | 无法投递 | 投递失败 | 发送失败 | 未能送达 | 無法傳送 | 無法投遞
    | 传递失败
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LATER = re.compile(
    r"will\s(?:keep\s)?(?:be\s)?(?:try|retr)|temporar|not\syet\s(?:been\s)?deliver|delayed|延迟|暂时|稍后(?:再|重)|继续尝试|"
    r"mailbox\s(?:is\s)?full|over\s?quota|邮箱已满|空间不足|超过.{0,6}容量",
    re.IGNORECASE,
)
_NEVER = re.compile(
    r"user\s(?:unknown|not\sfound|does\sn.t\sexist)|no\ssuch\s(?:user|address|mailbox)|(?:address|mailbox|account)\s.{0,40}"
    r"(?:not\sfound|does\snot\sexist|unavailable|disabled)|unknown\s(?:user|recipient)|invalid\s(?:recipient|address)|"
    r"couldn't\sbe\sfound|permanent|不存在|无此用户|被拒收|拒绝接收|已停用|被禁用|无效",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Original:
    """The mail of ours that came back."""

    message_id: str | None
    sent_to: str | None


def bounce_of(
    raw: bytes, fields: Sequence[Field], root: Part, sender: Mailbox | None, subject: str, text: str
) -> Bounce | None:
    """What this mail reports, or None where it reports no failure. A person's mail about a bounce is none."""
    parts = list(root.walk())
    reports = [part for part in parts if part.media_type in _REPORTS]
    if reports and (root.media_type == "multipart/report" or _from_the_system(fields, sender)):
        original = _original(raw, parts, text)
        return next(filter(None, (_formal(raw, report, original) for report in reports)), None)
    if _from_the_system(fields, sender) and (_SUBJECT.search(subject) or _qmail(text)):
        return _informal(fields, text, _original(raw, parts, text))
    return None


def _from_the_system(fields: Sequence[Field], sender: Mailbox | None) -> bool:
    local = sender.address.rpartition("@")[0] if sender is not None else ""
    return bool(_SYSTEM.fullmatch(local)) or null_return_path(fields) or bool(first_of(fields, "x-failed-recipients"))


def _qmail(text: str) -> bool:
    return "qmail-send program" in text[:500]


# ------------------------------------------------------------------------------------------------------------- RFC 3464


def _formal(raw: bytes, report: Part, original: _Original) -> Bounce | None:
    """The first recipient who did not get it. Delivered, relayed and expanded are no failures."""
    content = content_of(raw, report)[:_REPORT_BYTES].replace(b"\r\n", b"\n")
    for group in re.split(rb"\n[ \t]*\n", content):
        said: Mapping[str, str] = {one.name: words(one.raw) for one in fields_of(group)}
        action = said.get("action", "").split(" ")[0].lower()
        if action not in {"failed", "delayed"}:
            continue
        diagnostic = said.get("diagnostic-code", "")
        status = _status_in(said.get("status", "")) or _status_in(diagnostic)
        recipient = said.get("original-recipient") or said.get("final-recipient") or ""
        permanent = status[0] == "5" if status else action == "failed"
        final = action == "failed" and permanent
        return Bounce(original.message_id, _recipient(recipient), status, final, original.sent_to)
    return None


def _recipient(typed: str) -> str | None:
    """The address of `rfc822; alice@example.com`."""
    return address_of(typed.rpartition(";")[2].strip().strip("<>"))


def _status_in(text: str) -> str | None:
    found = _STATUS.search(text)
    return found[0] if found else None


def _original(raw: bytes, parts: Sequence[Part], text: str) -> _Original:
    """What came back: known by its copy, its headers, or the words around it."""
    for part in parts:
        if part.media_type in _COPIES:
            head = content_of(raw, part)[:_REPORT_BYTES]
            stop, _ = head_end(head, 0, len(head))
            fields = tuple(fields_of(head[:stop]))
            found = message_ids(first_of(fields, "message-id"))
            if found:
                written = mailboxes(first_of(fields, "to"))
                return _Original(found[0], written[0].mailbox.address if written else None)
    line = _MESSAGE_ID_LINE.search(text[:_REPORT_BYTES])
    return _Original(line[1] if line else None, None)


# ------------------------------------------------------------------------------------------------------------- in prose


def _informal(fields: Sequence[Field], text: str, original: _Original) -> Bounce:
    """A report in prose. Final only where it says so: a code, or words that leave no hope."""
    said = text[:_REPORT_BYTES]
    copy = re.search(r"(?im)^[-\s]*below this line is a copy|^return-path:|^received:|原信|原邮件内容", said)
    said = said[: copy.start()] if copy else said
    status = _status_in(said)
    code = _REPLY_CODE.search(said)
    if status is not None:
        final = status[0] == "5"
    elif code is not None:
        final = code[1] == "5"
    else:
        final = bool(_NEVER.search(said)) and not _LATER.search(said)
    failed = one_line(words(first_of(fields, "x-failed-recipients"))).partition(",")[0]
    named = _ADDRESS.search(said)
    recipient = address_of(failed) or (address_of(named[0]) if named else None)
    return Bounce(original.message_id, recipient, status, final, original.sent_to)
