"""What a reply adds, cut from what it quotes. In doubt nothing is cut: too much to read is better than a lost answer.

Clients mark what they quote in three ways: `>` before each line (Apple Mail, Gmail, Thunderbird, and every HTML
blockquote once rendered), a line that parts (QQ, Outlook), or a block of header fields (Outlook, Foxmail, 163).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

MARKER = "-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-"
"""What our own mails begin with. It says nothing in any language; what follows it, in a reply, we wrote."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What is new, and whether anything was left out."""

    new: str = field(repr=False)
    cut: bool


_SPACES = " \t\u3000\u200b\ufeff"
_DATE = r"(?:\d{4}|\d{1,2}[:：]\d{2}|\d{1,2}[/.-]\d{1,2})"

# "On Mon, 5 Jan 2026 at 10:00, A <a@b> wrote:" and "在 2026年1月5日，A <a@b> 写道：", each on up to three lines.
_SURE = rf"""
      (?:On|Am|Le|El|Il|Op|Em)\s .{{0,300}} {_DATE} .{{0,300}}
        (?:wrote|writes|schrieb|a\sécrit|escribió|ha\sscritto|schreef|escreveu)(?:\s.{{0,200}})?\s?[:：]
    | (?:在|于|於|At)\s? .{{0,300}} {_DATE} .{{0,300}} (?:写道|寫道|来信|wrote)\s?[:：]?
    | .{{0,200}} (?:于|於|在) .{{0,50}} {_DATE} .{{0,100}} (?:写道|寫道|寫到|写到)\s?[:：]
    | .{{0,100}} <[^<>\s]{{1,200}}@[^<>\s]{{1,200}}> .{{0,200}} (?:写道|寫道|wrote|writes)\s?[:：]
    | {_DATE} .{{0,200}} <[^<>\s]{{1,200}}@[^<>\s]{{1,200}}>\s?[:：]
"""
_SURE_ATTRIBUTION = re.compile(_SURE, re.VERBOSE | re.IGNORECASE)
_ATTRIBUTION = re.compile(_SURE + r"| .{1,100}\s(?:writes|wrote)\s?[:：]", re.VERBOSE | re.IGNORECASE)
_ATTRIBUTION_BEGINS = re.compile(
    r"(?:On|Am|Le|El|Il|Op|Em|At)\s|[在于於]|.{0,100}[于於在]\s?\d{4}|\d{4}", re.IGNORECASE
)
_ATTRIBUTION_ENDS = re.compile(r"(?:[:：]|写道|寫道|wrote)$", re.IGNORECASE)

# A line that parts: QQ's and Outlook's, whatever the number of dashes.
_DIVIDER = re.compile(
    r"[-_—─=*]{2,}\s*(?:原始邮件|原始郵件|原邮件|原郵件|回复的原邮件|回复的邮件|original(?:\s+(?:message|mail|e-?mail))?|"
    r"reply\s+message|ursprüngliche\s+nachricht|message\s+d'origine|mensaje\s+original)\s*[-_—─=*]{2,}",
    re.IGNORECASE,
)
_FORWARD = re.compile(
    r"[-_—─=*]{2,}\s*(?:forwarded\s+(?:message|mail)|转发邮件信息|转发的邮件|转发邮件|轉寄郵件|轉寄的郵件|forward\s+message)"
    r".{0,50}|begin\s+forwarded\s+message\s*[:：]|(?:下面是|以下是)?被?转发(?:的)?邮件\s*[:：]",
    re.IGNORECASE,
)
_FORWARDED_SUBJECT = re.compile(r"\s*(?:fwd?|wg|tr|转发|轉寄)\s*[:：]", re.IGNORECASE)

# The fields of a header block, by what they are.
_FIELDS = {
    "from": re.compile(r"[*>\s]*(?:from|发件人|寄件者|寄件人|发送人|發件人|von|de)\s?[:：]", re.IGNORECASE),
    "date": re.compile(
        r"[*>\s]*(?:sent|date|发送时间|发送日期|日期|时间|寄件日期|傳送時間|發送時間|gesendet)\s?[:：]", re.IGNORECASE
    ),
    "to": re.compile(r"[*>\s]*(?:to|收件人|收件者|an|à)\s?[:：]", re.IGNORECASE),
    "cc": re.compile(r"[*>\s]*(?:cc|抄送|抄送人|副本|副本抄送|importance|reply-to|重要性)\s?[:：]", re.IGNORECASE),
    "subject": re.compile(r"[*>\s]*(?:subject|主题|主旨|主題|標題|标题|betreff|objet)\s?[:：]", re.IGNORECASE),
}
_GAP_LINES = 6
"""How many lines above a quote its attribution may end."""

_RULE = re.compile(r"[-_—─=*]{5,}")
_QUOTED = re.compile(r"\s{0,3}>")


def cut(text: str, *, reply: bool, subject: str = "") -> Cut:
    """The new text of *text*. `reply`: the mail names one it answers; without that little is proof of a quote."""
    lines = text.split("\n")
    marker = _marker_at(lines)
    if marker is not None and not _quoted(lines[marker]):
        above = _cut_lines(lines[: _attribution_before(lines, marker)], reply=reply)
        if above.new:
            return Cut(above.new, cut=True)
    if _FORWARDED_SUBJECT.match(subject):
        return Cut(text.strip("\n"), cut=False)
    found = _cut_lines(lines, reply=reply or marker is not None)
    return found if found.cut else Cut(text.strip("\n"), cut=False)


def _cut_lines(lines: Sequence[str], *, reply: bool) -> Cut:
    end, forwarded = _quote_without_signs(lines, reply=reply)
    kept, dropped = _without_quoted_lines(lines[:end], reply=reply)
    if forwarded:
        return Cut(_trimmed([*kept, *lines[end:]]), cut=dropped)
    new = _trimmed(kept)
    if end == len(lines):
        return Cut(new, cut=dropped)
    return Cut(new, cut=bool(new))  # with nothing before it, the answer may be anywhere in what carries no signs


def _marker_at(lines: Sequence[str]) -> int | None:
    return next((at for at, line in enumerate(lines) if line.strip("> \t\xa0*") == MARKER), None)


def _quoted(line: str) -> bool:
    return bool(_QUOTED.match(line))


def _trimmed(lines: Sequence[str]) -> str:
    text = "\n".join(lines)
    return re.sub(r"\n(?:[ \t]*\n){2,}", "\n\n", text).strip("\n" + _SPACES)


# --------------------------------------------------------------------------------------- quotes that carry no `>` signs


def _quote_without_signs(lines: Sequence[str], *, reply: bool) -> tuple[int, bool]:
    """The line from which on all is quoted, or else forwarded, because something parts it from the rest."""
    last_quoted = max((at for at, line in enumerate(lines) if _quoted(line)), default=-1)
    for at, line in enumerate(lines):
        bare = line.strip(_SPACES + "*")
        if not bare or _quoted(line):
            continue
        if _FORWARD.fullmatch(bare):
            return at, True
        if _DIVIDER.fullmatch(bare):
            return _attribution_before(lines, at), False
        if reply and _header_block(lines, at):
            return _attribution_before(lines, _rule_before(lines, at)), False
        if reply and at > last_quoted:
            begins = _attribution_ending(lines, at, _SURE_ATTRIBUTION)
            if begins is not None and not _only_blank(lines[at + 1 :]):
                return begins, False
    return len(lines), False


def _only_blank(lines: Sequence[str]) -> bool:
    return not any(line.strip(_SPACES) for line in lines)


def _header_block(lines: Sequence[str], start: int) -> bool:
    """Whether at *start* begins a block of header fields: a sender, and two other fields right after."""
    if not _FIELDS["from"].match(lines[start]):
        return False
    seen: set[str] = set()
    blank = other = 0
    for line in lines[start : start + 12]:
        kind = next((name for name, pattern in _FIELDS.items() if pattern.match(line)), None)
        if kind is not None and kind not in seen:
            seen.add(kind)
            blank = other = 0
        elif not line.strip(_SPACES):
            blank += 1
        else:
            other += 1  # a list of recipients goes on
        if blank > 1 or other > 2:
            break
    return len(seen & {"date", "to", "subject"}) >= 2 and "date" in seen


def _rule_before(lines: Sequence[str], at: int) -> int:
    before = _nonblank_before(lines, at)
    return before if before is not None and _RULE.fullmatch(lines[before].strip(_SPACES)) else at


def _attribution_before(lines: Sequence[str], at: int) -> int:
    """Where the line that says who wrote what is quoted at *at* begins; *at* where there is none."""
    last = _nonblank_before(lines, at)
    if last is None:
        return at
    begins = _attribution_ending(lines, last, _ATTRIBUTION)
    return at if begins is None else begins


def _nonblank_before(lines: Sequence[str], at: int) -> int | None:
    for before in range(at - 1, max(-1, at - 1 - _GAP_LINES), -1):
        if lines[before].strip(_SPACES):
            return before
    return None


def _attribution_ending(lines: Sequence[str], last: int, pattern: re.Pattern[str]) -> int | None:
    """Where an attribution that ends with line *last* begins, on up to three lines."""
    if not _ATTRIBUTION_ENDS.search(lines[last].rstrip(_SPACES)):
        return None
    found: int | None = None
    for first in range(last, max(-1, last - 3), -1):
        if not lines[first].strip(_SPACES):
            break
        whole = " ".join(line.strip(_SPACES + "*") for line in lines[first : last + 1])
        begins = first == last or _ATTRIBUTION_BEGINS.match(lines[first].strip(_SPACES + "*"))
        if begins and len(whole) < 700 and pattern.fullmatch(whole):
            found = first  # the longest that reads as one
    return found


# -------------------------------------------------------------------------------------------------- quotes by `>` signs


def _without_quoted_lines(lines: Sequence[str], *, reply: bool) -> tuple[list[str], bool]:
    """*lines* without runs of `>` lines that are certainly quoted; answers between them stay."""
    attributed = any(
        _quoted(line) and not _quoted(lines[at - 1]) and _attribution_before(lines, at) < at
        for at, line in enumerate(lines)
        if at
    )
    if not (reply or attributed):
        return list(lines), False
    kept: list[str] = []
    dropped = False
    for line in lines:
        if _quoted(line):
            if not dropped or (kept and not _in_quote(kept)):
                del kept[_attribution_before(kept, len(kept)) :]
            dropped = True
            kept.append(_GAP)
        else:
            kept.append(line)
    return [line for line in kept if line is not _GAP], dropped


_GAP = "\n"
"""Stands where a quoted line stood; no line of a text can be equal to it."""


def _in_quote(kept: Sequence[str]) -> bool:
    return kept[-1] == _GAP
