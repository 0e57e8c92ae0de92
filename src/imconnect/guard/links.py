"""Links by their real host: what the address bar would say, whatever the text around it claims."""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from imconnect.domain.readings import Link, LinkVerdict
from imconnect.formats import explorers
from imconnect.formats.written import LOOKALIKES, plain

WELL_KNOWN = frozenset(
    {
        "metamask.io", "trustwallet.com", "ledger.com", "trezor.io", "phantom.app", "tokenpocket.pro", "token.im",
        "safepal.com",
        "onekey.so", "rabby.io", "walletconnect.com", "binance.com", "okx.com", "coinbase.com", "kraken.com",
        "bybit.com",
        "bitget.com", "kucoin.com", "htx.com", "uniswap.org", "pancakeswap.finance", "opensea.io",
        "myetherwallet.com",
        "tether.to", "circle.com", "telegram.org", "discord.com",
    }
)  # fmt: skip
"""Hosts whose look-alikes are as dangerous as ours. They themselves are no business of ours: unknown."""

SHORTENERS = frozenset(
    {
        "bit.ly", "t.co", "tinyurl.com", "goo.gl", "is.gd", "v.gd", "ow.ly", "cutt.ly", "rebrand.ly", "rb.gy", "t.ly",
        "shorturl.at", "tiny.cc", "buff.ly", "s.id", "lnkd.in", "t.cn", "url.cn", "dwz.cn", "suo.im", "u.nu", "bl.ink",
        "reurl.cc", "lihi.cc", "dub.sh", "soo.gd", "qr.ae", "adf.ly", "shorte.st", "bc.vc", "linktr.ee",
    }
)  # fmt: skip
"""Hosts that only lead elsewhere: where to, nobody can tell without following them, which the desk never does."""

_ASIAN = "\u3040-\u9fff\uac00-\ud7a3"  # scripts that are written without blanks, and so touch a link on either side
_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9])(?:h(?:tt|xx)ps?:[/\\]{1,3})(?P<written>\[[0-9A-Fa-f:.]{2,45}\]"
    r"|[^\s<>\"'`，、；！？（）【】《》「」()\[\]]{1,2000})"
    rf"|(?<![^\W{_ASIAN}])(?<![@.%+-])(?P<bare>(?:[^\W_{_ASIAN}](?:[^\W_{_ASIAN}]|-){{0,62}}\.){{1,6}}"
    rf"(?P<top>[^\W\d_{_ASIAN}]{{2,12}}))(?![^\W{_ASIAN}])(?![@-])",
    re.IGNORECASE,
)
_AUTHORITY_ENDS = re.compile(r"[/\\?#]")
_TRAILING = ".,;:!?)]}'\"*_。"
_WRITTEN_BARE = """
com net org io app so me cc co ai xyz top vip pro info biz site online shop store club live link click icu buzz cyou
cn hk tw jp kr us uk eu de fr ru in sg my vn th ph id br tr tk ml ga cf gq pw ws to im is it es pt pl nl ch at be cz dev
tech cloud page digital wiki finance exchange wallet money cash fund network support help services zone world space
website
life fun one work works group team center company agency email social chat games game art nft crypto eth tel mobi asia
name ltd win bid loan date rest lol fyi run bz la sh gg fm tv ly gl gd
"""
_TOPS = frozenset(_WRITTEN_BARE.split())  # without a scheme, only these make a link: `main.py` is none
_SECOND_LEVELS = frozenset({"com", "co", "net", "org", "gov", "edu", "ac", "github", "gitbook", "vercel", "pages"})
_AS_LETTERS = {ord(written): seen for written, seen in zip("01345789i|", "oleastbgll", strict=True)}
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|\d{5,10}|0x[0-9a-f]{1,8}")
_SHORTEST_NAME = 6
_MOST_HOSTS = 64


class BlockListUnreadable(ValueError):
    """The file is not a block list in the format of eth-phishing-detect."""


@dataclass(frozen=True, slots=True)
class BlockList:
    """Hosts that others found to be fraudulent: each blocks itself and all below it. *resembled* ones only warn."""

    blocked: frozenset[str] = field(repr=False)
    allowed: frozenset[str] = field(default=frozenset(), repr=False)
    resembled: frozenset[str] = field(default=frozenset(), repr=False)

    @classmethod
    def read(cls, path: Path) -> "BlockList":
        """The list in the file at *path*. Raises `BlockListUnreadable`, with the one line that says why."""
        try:
            return cls.parse(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as fault:
            raise BlockListUnreadable(f"{path.name} cannot be read") from fault

    @classmethod
    def parse(cls, text: str) -> "BlockList":
        """The list written as *text*: one configuration (version 2), or several."""
        try:
            written: object = json.loads(text)
        except ValueError as fault:
            raise BlockListUnreadable("not JSON") from fault
        configurations = cast("list[object]", written) if isinstance(written, list) else [written]
        hosts: dict[str, set[str]] = {"blocked": set(), "allowed": set(), "resembled": set()}
        for configuration in configurations:
            if not isinstance(configuration, dict):
                raise BlockListUnreadable("not an object of lists")
            given = cast("dict[str, Any]", configuration)
            for name, keys in _KEYS.items():
                for key in keys:
                    hosts[name].update(_hosts(given.get(key, [])))
        if not hosts["blocked"]:
            raise BlockListUnreadable("no host is blocked by it")
        return cls(*(frozenset(hosts[name]) for name in ("blocked", "allowed", "resembled")))

    def verdict(self, host: str) -> LinkVerdict | None:
        """BLOCKED or UNKNOWN where the list names *host* or a parent of it, else None."""
        parents = list(_parents(host))
        if any(parent in self.allowed for parent in parents):
            return LinkVerdict.UNKNOWN
        return LinkVerdict.BLOCKED if any(parent in self.blocked for parent in parents) else None


_KEYS = {
    "blocked": ("blacklist", "blocklist"),
    "allowed": ("whitelist", "allowlist"),
    "resembled": ("fuzzylist",),
}


def _hosts(listed: object) -> set[str]:
    if not isinstance(listed, list):
        raise BlockListUnreadable("not an object of lists")
    hosts = cast("list[object]", listed)
    return {host.lower().strip(".") for host in hosts if isinstance(host, str) and host}


def inspect_links(text: str, official: frozenset[str], blocked: BlockList | None = None) -> tuple[Link, ...]:
    """Every link of *text* by the host it really leads to, each once, in order.

    *official* hosts are ours, with everything below them. A host written as a number is blocked.
    """
    found: dict[str, Link] = {}
    protected = frozenset({*official, *explorers.HOSTS, *WELL_KNOWN, *(blocked.resembled if blocked else ())})
    for host, claimed in _written_hosts(plain(text)):
        if host not in found or claimed:
            found[host] = Link(host, _verdict(host, claimed, official, protected, blocked))
        if len(found) >= _MOST_HOSTS:
            break
    return tuple(found.values())


def _written_hosts(text: str) -> Iterator[tuple[str, bool]]:
    """Each host, and whether a user name that looks like another host stood before it (`https://ours.io@evil.tld`)."""
    for match in _ADDRESS.finditer(text):
        if match["written"]:
            authority = _AUTHORITY_ENDS.split(match["written"], maxsplit=1)[0]
        else:
            top = _latin(match["top"].lower())
            if top not in _TOPS and not match["bare"].lower().startswith("www."):
                continue
            authority = match["bare"]
        user, at, written = unquote(authority).rpartition("@")
        host = _host(written)
        if host:
            yield host, bool(at) and "." in user


def _host(written: str) -> str:
    """The host without port, in the form DNS knows it (punycode for other scripts); nothing where there is none."""
    written = written.lower().replace("。", ".")
    if written.startswith("["):
        return written.partition("]")[0] + "]"
    host = written.partition(":")[0].strip(_TRAILING).strip(".")
    labels = [label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in host.split(".")]
    known = _IPV4.fullmatch(host) or (
        len(labels) > 1 and all(re.fullmatch(r"[a-z0-9_-]{1,80}", each) for each in labels)
    )
    return ".".join(labels) if known else ""


def _verdict(
    host: str, claimed: bool, official: frozenset[str], protected: frozenset[str], blocked: BlockList | None
) -> LinkVerdict:
    if host.startswith("[") or _IPV4.fullmatch(host):
        return LinkVerdict.BLOCKED
    if claimed:
        return LinkVerdict.LOOKALIKE
    parents = frozenset(_parents(host))
    if parents & official:
        return LinkVerdict.OFFICIAL
    if parents & explorers.HOSTS.keys():
        return LinkVerdict.EXPLORER
    listed = blocked.verdict(host) if blocked else None
    if listed is None and not parents & WELL_KNOWN and _looks_like(host, protected):
        return LinkVerdict.LOOKALIKE
    return listed or LinkVerdict.UNKNOWN


def _parents(host: str) -> Iterator[str]:
    """*host* and every domain above it that has at least two labels."""
    labels = host.split(".")
    return (".".join(labels[start:]) for start in range(max(1, len(labels) - 1)))


def _looks_like(host: str, protected: frozenset[str]) -> bool:
    """Whether *host* could be taken for one of *protected*: alike to the eye, a slip away, or with its name in it."""
    name = skeleton(_name(host))
    pieces = {piece for label in host.split(".") for piece in (skeleton(label), *map(skeleton, label.split("-")))}
    for theirs, shown in _skeletons(protected):
        if f".{theirs}." in f".{host}." and not host.endswith(theirs):
            return True
        if len(shown) >= _SHORTEST_NAME and (
            shown in name.replace("-", "") or _distance_within(name, shown, 1 if len(shown) < 8 else 2)
        ):
            return True
        if len(shown) >= 4 and (shown == name or shown in pieces):
            return True
    return False


@lru_cache(maxsize=8)
def _skeletons(protected: frozenset[str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((host, skeleton(_name(host))) for host in protected))


def _name(host: str) -> str:
    """The label a domain is known by: `etherscan` of `www.etherscan.io`, `bbc` of `bbc.co.uk`."""
    labels = host.split(".")
    second_level = len(labels) > 2 and labels[-2] in _SECOND_LEVELS
    return labels[-3 if second_level else -2] if len(labels) > 1 else host


def skeleton(label: str) -> str:
    """What *label* looks like: no accents, digits and letters of other alphabets as the Latin ones they resemble."""
    if label.startswith("xn--"):
        try:
            label = label[4:].encode().decode("punycode")
        except UnicodeError:
            return label
    parts = unicodedata.normalize("NFKD", plain(label).lower())
    latin = _latin("".join(part for part in parts if not unicodedata.combining(part)))
    return latin.translate(_AS_LETTERS).replace("rn", "m").replace("vv", "w").replace("ı", "l")


def _latin(text: str) -> str:
    return "".join(LOOKALIKES.get(letter, letter) for letter in text)


def _distance_within(first: str, second: str, limit: int) -> bool:
    """Whether *limit* slips (a letter left out, added, replaced or exchanged) lead from one to the other."""
    if abs(len(first) - len(second)) > limit:
        return False
    before: list[int] = []
    line = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        above = line
        line = [row]
        for column, other in enumerate(second, 1):
            cost = min(above[column] + 1, line[column - 1] + 1, above[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == second[column - 2] and first[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        if min(line) > limit:
            return False
        before = above
    return line[-1] <= limit
