"""Typed text made safe to show: always escaped, links by their real host and followed only where we vouch for them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from markupsafe import Markup, escape

from imconnect.domain.messages import Language
from imconnect.domain.playbook import Playbook
from imconnect.formats.explorers import explorer_of

_LINK = re.compile(r"https?:[/\\]+[^\s<>\"'“”‘’「」（），。；！？、]+", re.IGNORECASE)
_CLOSING = ".,;:!?)]}"
_HOST_ENDS = re.compile(r"[/\\?#]")
_PORT = re.compile(r":\d*$")


@dataclass(frozen=True, slots=True)
class Aim:
    """Where a link leads: `before` and `after` are what stands around the host, `host` in its ASCII form."""

    before: str
    written: str
    after: str
    host: str

    @property
    def deceives(self) -> bool:
        """Whether what is read first, or how it looks, is not where it goes."""
        return "@" in self.before or "\\" in self.before + self.after or self.host != self.written.lower()


def aim(link: str) -> Aim:
    """The real host of *link*, read as browsers read it: after the last `@`, a backslash being a slash."""
    scheme = re.match(r"https?:[/\\]+", link, re.IGNORECASE)
    start = scheme.end() if scheme else 0
    ends = _HOST_ENDS.search(link, start)
    end = ends.start() if ends else len(link)
    start = link.rfind("@", start, end) + 1 or start
    port = _PORT.search(link, start, end)
    end = port.start() if port else end
    written = link[start:end]
    return Aim(link[:start], written, link[end:], _ascii(written))


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:  # no host a browser would open; shown so that nothing invisible stays invisible
        return host.encode("ascii", "backslashreplace").decode("ascii")


def _vouched_for(where: Aim, official: Iterable[str]) -> bool:
    if where.deceives or where.before.lower() != "https://":
        return False
    ours = any(where.host == host or where.host.endswith("." + host) for host in official)
    return ours or explorer_of(where.host) is not None


def ours(text: str, official: Iterable[str]) -> Markup:
    """What the bot or an agent says; links to our own hosts and to explorers can be followed."""
    hosts = frozenset(official)

    def link(found: str) -> Markup:
        where = aim(found)
        if not _vouched_for(where, hosts):
            return _shown(where, str)
        return Markup('<a href="{0}" target="_blank" rel="noopener noreferrer nofollow">{0}</a>').format(found)

    return _with_links(text, link)


def theirs(text: str, goes_to: Callable[[str], str]) -> Markup:
    """What a customer wrote; no link can be followed, and each shows its real host. *goes_to* says it in words."""
    return _with_links(text, lambda found: _shown(aim(found), goes_to))


def _shown(where: Aim, goes_to: Callable[[str], str]) -> Markup:
    link = Markup('<span class="link"><span>{}</span><b>{}</b><span>{}</span></span>').format(
        where.before, where.written, where.after
    )
    if where.deceives:
        link += Markup(' <span class="real-host">{}</span>').format(goes_to(where.host))
    return link


def _with_links(text: str, link: Callable[[str], Markup]) -> Markup:
    shown, done = Markup(""), 0
    for found in _LINK.finditer(text):
        written = found[0].rstrip(_CLOSING)
        shown += escape(text[done : found.start()]) + link(written)
        done = found.start() + len(written)
    return shown + escape(text[done:])


def wait_in_words(seconds: int | None, playbook: Playbook, language: Language) -> str:
    """An expected wait as customers are told it."""
    if seconds is None:
        return playbook.label("wait_unknown", language)
    if seconds <= 120:
        return playbook.label("wait_soon", language)
    if seconds <= 5_400:
        return playbook.label("wait_minutes", language, minutes=seconds // 60)
    return playbook.label("wait_hours", language, hours=-(-seconds // 3_600))


def duration(length: timedelta, label: Callable[..., str]) -> str:
    """How long something has lasted, as exactly as a person needs it."""
    minutes = max(0, int(length.total_seconds())) // 60
    if minutes < 1:
        return label("seconds")
    if minutes < 60:
        return label("minutes", count=minutes)
    if minutes < 24 * 60:
        return label("hours", count=minutes // 60, minutes=minutes % 60)
    return label("days", count=minutes // (24 * 60), hours=minutes // 60 % 24)


def size_in_words(size: int) -> str:
    """A file's size: bytes, KB or MB (of 1024)."""
    if size < 1024:
        return f"{size} B"
    return f"{size / 1024:.0f} KB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"
