"""What DNS says: keys of signatures while mail is judged, and hints for the operator."""

from collections.abc import Iterable
from typing import Protocol, cast

import dns.exception
import dns.rdatatype
import dns.resolver

from imconnect.ports import Finding
from imconnect_email.signatures import LookupFailed, TxtLookup, ask
from imconnect_email.trust import ascii_domain

WITHIN = 3.0
"""Seconds DNS may take."""


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


def hints(address: str, lookup: TxtLookup) -> list[Finding]:
    """Whether others can tell that mail from *address* is ours. Without DNS that is said, and is no fault. Blocks."""
    domain = ascii_domain(address.rpartition("@")[2])
    policy = _hint(lookup, f"_dmarc.{domain}.", b"v=dmarc1", f"DMARC: {domain} has a policy")
    senders = _hint(lookup, f"{domain}.", b"v=spf1", f"SPF: {domain} names who may send")
    return [Finding("email.address", True, policy), Finding("email.address", True, senders)]


def _hint(lookup: TxtLookup, name: str, begins: bytes, well: str) -> str:
    kind = well.partition(":")[0]
    try:
        found = ask(lookup, name.encode("ascii", "replace"))
    except LookupFailed:
        return f"{kind}: not looked up, DNS does not answer here"
    if found is not None and found.lower().startswith(begins):
        return well
    return f"{kind}: no record found, so that answers may end in spam: add a TXT record at {name.rstrip('.')}"
