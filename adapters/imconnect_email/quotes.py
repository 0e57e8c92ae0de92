"""What a reply adds, cut from what it quotes. In doubt nothing is cut: too much to read is better than a lost answer.

Clients mark what they quote in three ways: `>` before each line (Apple Mail, Gmail, Thunderbird, and every HTML
blockquote once rendered), a line that parts (QQ, Outlook, Zoho), or a block of header fields (Outlook, Foxmail, 163).
"""

import re
from collections.abc import Mapping, Sequence
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
    | On\s .{{0,300}} {_DATE} .{{0,200}} <[^<>\s]{{1,200}}@[^<>\s]{{1,200}}>\swrote
    | [-—─]{{2,}}\s* (?:On\s|[在于於]) .{{0,300}} {_DATE} .{{0,300}} (?:wrote|写道|寫道)\s*[-—─]{{2,}}
"""
_SURE_ATTRIBUTION = re.compile(_SURE, re.VERBOSE | re.IGNORECASE)
# In any language: what holds a date and then an address. Only in front of `>` lines is that an attribution.
_LOOSE_ATTRIBUTION = re.compile(
    rf".{{1,100}}\s(?:writes|wrote)\s?[:：]|.{{0,150}}{_DATE}.{{0,150}}<[^<>\s]{{1,200}}@[^<>\s]{{1,200}}>.{{0,20}}[:：]",
    re.IGNORECASE,
)
_ATTRIBUTION_BEGINS = re.compile(
    r"(?:On|Am|Le|El|Il|Op|Em|At)\s|[在于於]|.{0,100}[于於在]\s?\d{4}|\d{4}", re.IGNORECASE
)
_ATTRIBUTION_ENDS = re.compile(
    r"(?:wrote|writes|schrieb|a\sécrit|escribió|scritto|schreef|escreveu|>|写道|寫道|寫到|写到|来信).{0,200}[:：]$|"
    r"(?:写道|寫道|wrote)(?:\s*[-—─]{2,})?$",
    re.IGNORECASE,
)
_ATTRIBUTION_LENGTH = 600
_TRIED = 200
"""How many lines that end like an attribution are looked at."""

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
        above = _cut_lines(lines[: _attribution_before(lines, marker, _attributions(lines[:marker]))], reply=reply)
        if above.new:
            return Cut(above.new, cut=True)
    if _FORWARDED_SUBJECT.match(subject):
        return Cut(text.strip("\n"), cut=False)
    found = _cut_lines(lines, reply=reply or marker is not None)
    return found if found.cut else Cut(text.strip("\n"), cut=False)


def _cut_lines(lines: Sequence[str], *, reply: bool) -> Cut:
    attributions = _attributions(lines)
    end, forwarded = _quote_without_signs(lines, attributions, reply=reply)
    kept, dropped = _without_quoted_lines(lines[:end], attributions, reply=reply)
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


# -------------------------------------------------------------------------------------------------------- attributions


@dataclass(frozen=True, slots=True)
class _Attribution:
    """The lines that say who wrote what is quoted after them. `sure`: nothing else reads like them."""

    begins: int
    sure: bool


def _attributions(lines: Sequence[str]) -> Mapping[int, _Attribution]:
    """The attributions, by the line they end with; the first ones where there are very many."""
    found: dict[int, _Attribution] = {}
    tried = 0
    for last, line in enumerate(lines):
        bare = line.strip(_SPACES + "*")
        if _quoted(line) or not (_ATTRIBUTION_ENDS.search(bare[-300:]) and tried < _TRIED):
            continue
        tried += 1
        begins = _beginning(lines, last)
        if begins is not None:
            found[last] = _Attribution(begins, sure=True)
        elif _LOOSE_ATTRIBUTION.fullmatch(bare):
            found[last] = _Attribution(last, sure=False)
    return found


def _beginning(lines: Sequence[str], last: int) -> int | None:
    """Where an attribution that ends with line *last* begins, on up to three lines: the longest that reads as one."""
    found: int | None = None
    for first in range(last, max(-1, last - 3), -1):
        if not lines[first].strip(_SPACES):
            break
        whole = " ".join(line.strip(_SPACES + "*") for line in lines[first : last + 1])
        begins = first == last or _ATTRIBUTION_BEGINS.match(lines[first].strip(_SPACES + "*"))
        if begins and len(whole) < _ATTRIBUTION_LENGTH and _SURE_ATTRIBUTION.fullmatch(whole):
            found = first
    return found


def _attribution_before(lines: Sequence[str], at: int, attributions: Mapping[int, _Attribution]) -> int:
    """Where the attribution of what is quoted from *at* on begins; *at* where there is none."""
    for before in range(at - 1, max(-1, at - 1 - _GAP_LINES), -1):
        if lines[before].strip(_SPACES):
            return attributions[before].begins if before in attributions else at
    return at


# --------------------------------------------------------------------------------------- quotes that carry no `>` signs


def _quote_without_signs(
    lines: Sequence[str], attributions: Mapping[int, _Attribution], *, reply: bool
) -> tuple[int, bool]:
    """The line from which on all is quoted, or else forwarded, because something parts it from the rest."""
    last_quoted = max((at for at, line in enumerate(lines) if _quoted(line)), default=-1)
    last_said = max((at for at, line in enumerate(lines) if line.strip(_SPACES)), default=-1)
    for at, line in enumerate(lines):
        bare = line.strip(_SPACES + "*")
        if not bare or _quoted(line):
            continue
        if _FORWARD.fullmatch(bare):
            return at, True
        if _DIVIDER.fullmatch(bare):
            return _attribution_before(lines, at, attributions), False
        if reply and _header_block(lines, at):
            return _attribution_before(lines, _rule_before(lines, at), attributions), False
        attribution = attributions.get(at)
        if reply and attribution is not None and attribution.sure and last_quoted < at < last_said:
            return attribution.begins, False
    return len(lines), False


def _header_block(lines: Sequence[str], start: int) -> bool:
    """Whether at *start* begins a block of header fields: a sender, a date, and one other, in whatever order."""
    if not any(_FIELDS[name].match(lines[start]) for name in ("from", "date", "subject")):
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
    return {"from", "date"} <= seen and bool(seen & {"to", "subject"})


def _rule_before(lines: Sequence[str], at: int) -> int:
    """Where a drawn line stands right above *at*; *at* where there is none."""
    for before in range(at - 1, max(-1, at - 4), -1):
        if lines[before].strip(_SPACES):
            return before if _RULE.fullmatch(lines[before].strip(_SPACES)) else at
    return at


# -------------------------------------------------------------------------------------------------- quotes by `>` signs


def _without_quoted_lines(
    lines: Sequence[str], attributions: Mapping[int, _Attribution], *, reply: bool
) -> tuple[list[str], bool]:
    """*lines* without runs of `>` lines that are certainly quoted, each with its attribution. Answers between stay."""
    runs = [at for at, line in enumerate(lines) if _quoted(line) and not (at and _quoted(lines[at - 1]))]
    begins = {at: _attribution_before(lines, at, attributions) for at in runs}
    if not runs or not (reply or any(begins[at] < at for at in runs)):
        return list(lines), False
    left_out = {number for at in runs for number in range(begins[at], at)}
    kept = [line for at, line in enumerate(lines) if at not in left_out and not _quoted(line)]
    return kept, True
