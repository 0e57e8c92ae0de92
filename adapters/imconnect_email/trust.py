"""Who really sent a mail: believed from our own server's word, or from a signature checked here. Never guessed.

A domain is authenticated where DMARC passed for it, or where a DKIM signature or an SPF result of an aligned domain did
(RFC 7489, 3.1). The word of a server counts only under the one authserv-id that the operator pinned, and only where
that server put it: on top (RFC 8601, 5). Everything else in a mail was written by whoever sent it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from imconnect_email.mail import Field, Mail, Remark
from imconnect_email.signatures import LookupFailed, TxtLookup, ask, good_signer


class Trust(StrEnum):
    """Whether the address in From is whose it claims to be."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far From is believed, and why, in words for an operator that hold none of the sender's."""

    trust: Trust
    reason: str


SIGNATURES = 5
"""How many signatures of a mail are checked; each costs a look-up."""

_SIGNATURE_BYTES = 8_192
_SIGNED_BYTES = 32 * 1024 * 1024
_WHITE_RUN = re.compile(rb"[\t ]{4096}")


def judge(mail: Mail, raw: bytes, *, authserv_id: str | None = None, lookup: TxtLookup | None = None) -> Verdict:
    """How far *mail*, read from *raw*, is believed. With neither a pinned server nor a look-up nobody can know."""
    if mail.sender is None:
        return Verdict(Trust.UNTRUSTED, "no sender")
    for remark in (Remark.SEVERAL_SENDERS, Remark.AMBIGUOUS_SENDER):
        if remark in mail.remarks:
            return Verdict(Trust.UNTRUSTED, remark.value)
    domain = ascii_domain(mail.sender.domain)
    said = by_our_server(mail.fields, domain, authserv_id) if authserv_id else None
    if said is not None:
        return said
    if lookup is not None:
        return by_signature(raw, mail.fields, domain, lookup)
    if authserv_id:
        return Verdict(Trust.UNTRUSTED, "our server says nothing of it")
    return Verdict(Trust.UNKNOWN, "nobody checked it: set email.trusted_authserv_id")


# ------------------------------------------------------------------------------------------------- our server's word


@dataclass(frozen=True, slots=True)
class Result:
    """One result of an Authentication-Results field: `dkim=pass header.d=example.com`."""

    method: str
    result: str
    properties: dict[str, str]


def by_our_server(fields: Sequence[Field], domain: str, authserv_id: str) -> Verdict | None:
    """What the pinned server says of *domain*; None where it says nothing."""
    results = list(_believed(fields, authserv_id.lower()))
    if not results:
        return None
    verdicts = {one.result for one in results if one.method == "dmarc"}
    if verdicts - {"pass", "none", "bestguesspass"}:
        return Verdict(Trust.UNTRUSTED, "DMARC failed")
    for one in results:
        if one.result == "pass" and _vouches(one, domain):
            return Verdict(Trust.TRUSTED, f"{one.method.upper()} passed")
    return Verdict(Trust.UNTRUSTED, "nothing that passed is aligned with From")


def _vouches(result: Result, domain: str) -> bool:
    said = result.properties
    if result.method == "dmarc":
        return ascii_domain(said.get("header.from", "").rpartition("@")[2]) == domain
    if result.method == "dkim":
        signer = said.get("header.d") or said.get("header.i", "").rpartition("@")[2]
        return aligned(domain, ascii_domain(signer))
    if result.method == "spf":
        return aligned(domain, ascii_domain(said.get("smtp.mailfrom", "").rpartition("@")[2]))
    return False


def _believed(fields: Sequence[Field], authserv_id: str) -> Iterator[Result]:
    """The results our server put there: all above its own Received, or else the topmost alone.

    Below that a sender who knows our authserv-id may have put some: that a server which says nothing itself removes
    those under its name (RFC 8601, 5) is for its operator to see to.
    """
    stamp = next((at for at, one in enumerate(fields) if one.name == "received"), 0)
    above = [one for one in fields[:stamp] if one.name == "authentication-results"]
    topmost = [one for one in fields if one.name == "authentication-results"][:1]
    for one in above or topmost:
        server, results = parse_results(one.raw)
        if server == authserv_id:
            yield from results


_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)")
_RESULT = re.compile(r"([\w-]{1,40})(?:/\d+)?\s*=\s*([\w-]{1,40})")
_PROPERTY = re.compile(r"([\w-]{1,40}\s*\.\s*[\w-]{1,40})\s*=\s*(?:\"([^\"]*)\"|([^\s;\"]+))")


def parse_results(raw: bytes) -> tuple[str, list[Result]]:
    """The authserv-id, in lower case, and the results of an Authentication-Results field (RFC 8601, 2.2)."""
    text = raw.decode("utf-8", "replace")[:20_000]
    for _ in range(5):  # comments may hold comments
        text, replaced = _COMMENT.subn(" ", text)
        if not replaced:
            break
    head, *rest = _outside_quotes(text)
    server = (head.split() or [""])[0].strip('"').lower()
    results: list[Result] = []
    for one in rest:
        found = _RESULT.match(one.strip())
        if found:
            properties = {
                re.sub(r"\s", "", name).lower(): (quoted or plain).strip().lower()
                for name, quoted, plain in _PROPERTY.findall(one.strip()[found.end() :])
            }
            results.append(Result(found[1].lower(), found[2].lower(), properties))
    return server, results


def _outside_quotes(text: str) -> list[str]:
    parts, start, quoted = list[str](), 0, False
    for at, letter in enumerate(text):
        if letter == '"':
            quoted = not quoted
        elif letter == ";" and not quoted:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


# --------------------------------------------------------------------------------------------------- our own checking


def by_signature(raw: bytes, fields: Sequence[Field], domain: str, lookup: TxtLookup) -> Verdict:
    """Whether a DKIM signature (RFC 6376) of a domain aligned with *domain* is good."""
    signatures = [one.raw for one in fields if one.name == "dkim-signature"][:SIGNATURES]
    if not signatures:
        return Verdict(Trust.UNTRUSTED, "not signed")
    if len(raw) > _SIGNED_BYTES or any(len(one) > _SIGNATURE_BYTES for one in signatures) or _WHITE_RUN.search(raw):
        return Verdict(Trust.UNTRUSTED, "signed in a way that is not checked")
    organisation = organisations(lookup)
    answered = True
    for number in range(len(signatures)):
        try:
            signer = good_signer(raw, number, lookup)
            if signer is not None and aligned(domain, ascii_domain(signer), organisation):
                return Verdict(Trust.TRUSTED, "DKIM passed")
        except LookupFailed:
            answered = False
    if not answered:
        return Verdict(Trust.UNKNOWN, "the signature could not be checked: DNS does not answer")
    return Verdict(Trust.UNTRUSTED, "no good signature is aligned with From")


# ----------------------------------------------------------------------------------------------------------- alignment

Organisation = Callable[[str], str]
"""The domain of the organisation a domain belongs to."""


def aligned(domain: str, authenticated: str, organisation: Organisation | None = None) -> bool:
    """Whether who authenticated as *authenticated* may write as *domain*: one organisation (relaxed, RFC 7489, 3.1).

    Without *organisation* only a domain and those below it count as one: neighbours such as two shops on one platform
    cannot be told from two departments of one firm.
    """
    if not domain or "." not in authenticated:
        return False
    if domain == authenticated:
        return True
    upper, lower = sorted((domain, authenticated), key=len)
    if organisation is not None:
        return organisation(domain) == organisation(authenticated)
    return lower.endswith(f".{upper}") and "." in upper and not _shared(upper)


_SECOND_LEVELS = frozenset(
    {"ac", "co", "com", "edu", "gob", "gov", "govt", "go", "gv", "ind", "info", "ltd"}
    | {"me", "mil", "net", "ne", "nom", "or", "org", "plc", "sch", "web"}
)


def _shared(domain: str) -> bool:
    """Whether *domain* is one that a registry sells names under, such as com.cn."""
    labels = domain.split(".")
    return len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _SECOND_LEVELS


def organisations(lookup: TxtLookup) -> Organisation:
    """Finds organisations by walking up their DMARC records (RFC 9989, 4.10): no list of suffixes is needed.

    The topmost domain that has a DMARC record is the organisation's, unless a record says that it is a registry's
    (`psd=y`: one below) or the organisation's own (`psd=n`). At most eight look-ups a domain.
    """
    found: dict[str, str] = {}

    def organisation(domain: str) -> str:
        if domain not in found:
            found[domain] = _walk(domain, lookup)
        return found[domain]

    return organisation


def _walk(domain: str, lookup: TxtLookup) -> str:
    labels = domain.split(".")
    starts = [0, *range(max(1, len(labels) - 7), len(labels))]
    topmost = domain
    for start in starts:
        name = ".".join(labels[start:])
        record = ask(lookup, f"_dmarc.{name}.".encode("ascii", "replace"))
        if record is None or not record.strip().lower().startswith(b"v=dmarc1"):
            continue
        kind = re.search(rb";\s*psd\s*=\s*([ynu])", record.lower())
        if kind is not None and kind[1] == b"n":
            return name
        if kind is not None and kind[1] == b"y":
            return ".".join(labels[max(0, start - 1) :])
        if "." in name:
            topmost = name
    return topmost


def ascii_domain(domain: str) -> str:
    """*domain* as DNS has it: lower case, IDNA. One that IDNA refuses stays as it is and matches nothing but itself."""
    plain = domain.strip().rstrip(".").lower()
    if plain.isascii():
        return plain
    try:
        return plain.encode("idna").decode("ascii")
    except ValueError:
        return plain
