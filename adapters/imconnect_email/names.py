"""What DNS says: keys of signatures while mail is judged, and hints for the operator."""

import re
from collections.abc import Iterable
from typing import Protocol, cast

import dns.exception
import dns.rdatatype
import dns.resolver

from imconnect.ports import Finding
from imconnect_email.headers import all_of
from imconnect_email.reading import read_mail
from imconnect_email.signatures import LookupFailed, Signing, TxtLookup, ask, good_signer
from imconnect_email.trial import Tried
from imconnect_email.trust import aligned, ascii_domain

WITHIN = 3.0
"""Seconds DNS may take."""

_SIGNER = re.compile(rb"(?:^|;)\s*d\s*=\s*([A-Za-z0-9.-]{1,253})")


class _Record(Protocol):
    """What is used of a TXT record; the library leaves its parts untyped."""

    @property
    def strings(self) -> tuple[bytes, ...]: ...


def txt(name: bytes, timeout: int = 5) -> bytes | None:
    """The first TXT record of *name*; None where there is none. Raises `LookupFailed` where nobody answers. Blocks."""
    try:
        answer = dns.resolver.resolve(
            name.decode("ascii"), dns.rdatatype.TXT, lifetime=min(WITHIN, timeout), raise_on_no_answer=False
        )
    except dns.resolver.NXDOMAIN:
        return None
    except (dns.exception.DNSException, ValueError, OSError) as error:
        raise LookupFailed(type(error).__name__) from None
    records = [b"".join(record.strings) for record in cast("Iterable[_Record]", answer.rrset or ())]
    # A domain has TXT records of many kinds: those asked for begin with a version (RFC 7208, 4.5; RFC 7489, 6.6.3).
    return next((one for one in records if one.lower().startswith(b"v=")), next(iter(records), None))


def hints(address: str, signing: Signing | None, trial: Tried, lookup: TxtLookup) -> list[Finding]:
    """Whether others can tell that mail from *address* is ours. Without DNS that is said, and is no fault. Blocks."""
    domain = ascii_domain(address.rpartition("@")[2])
    policy = _hint(lookup, f"_dmarc.{domain}.", b"v=dmarc1", f"DMARC: {domain} has a policy")
    senders = _hint(lookup, f"{domain}.", b"v=spf1", f"SPF: {domain} names who may send")
    key = _their_signature(trial.arrived, domain) if signing is None else _our_signature(trial.written, signing, lookup)
    return [Finding("email.address", True, policy), Finding("email.address", True, senders), *key]


def _our_signature(written: bytes, signing: Signing, lookup: TxtLookup) -> list[Finding]:
    """Whether what we sign is good by the key in DNS. A signature that is not good is worse than none."""
    if not written:
        return []
    place = f"{signing.selector}._domainkey.{signing.domain}"
    try:
        signer = good_signer(written, 0, lookup)
    except LookupFailed:
        return [Finding("email.dkim", True, "DKIM: not looked up, DNS does not answer here")]
    if signer is None:
        says = f"DKIM: what is signed is not good by DNS: publish the key of email.dkim.key_file as TXT at {place}"
        return [Finding("email.dkim", False, says)]
    return [Finding("email.dkim", True, f"DKIM: what is signed is good by the key at {place}")]


def _their_signature(arrived: bytes, domain: str) -> list[Finding]:
    """Whether the sending server signed the mail to ourselves; some leave out what does not leave the house."""
    if not arrived:
        return []
    signers = [signer for raw in all_of(read_mail(arrived).fields, "dkim-signature") for signer in _signers(raw)]
    ours = next((one for one in signers if aligned(domain, one)), None)
    if ours is not None:
        return [Finding("email.address", True, f"DKIM: the sending server signs as {ours}")]
    says = "DKIM: the mail to ourselves came unsigned: see that the sending server signs, or set email.dkim"
    return [Finding("email.address", True, says)]


def _signers(raw: bytes) -> list[str]:
    return [ascii_domain(found[1].decode("ascii")) for found in _SIGNER.finditer(raw)]


def _hint(lookup: TxtLookup, name: str, begins: bytes, well: str) -> str:
    kind = well.partition(":")[0]
    try:
        found = ask(lookup, name.encode("ascii", "replace"))
    except LookupFailed:
        return f"{kind}: not looked up, DNS does not answer here"
    if found is not None and found.lower().startswith(begins):
        return well
    return f"{kind}: no record found, so that answers may end in spam: add a TXT record at {name.rstrip('.')}"
