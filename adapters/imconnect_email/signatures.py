"""DKIM (RFC 6376), checked and made by dkimpy, behind a typed face."""

import base64
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, cast

import dkim  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs] - it has no types
from dkim.util import (  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs] - as above
    InvalidTagValueList,
)


class TxtLookup(Protocol):
    """Looks up a TXT record: its text, or None where there is none. Raises where nobody answers."""

    def __call__(self, name: bytes, timeout: int = 5) -> bytes | None: ...


class LookupFailed(Exception):
    """DNS did not answer; the same mail may be judged otherwise later."""


@dataclass(frozen=True, slots=True)
class Signing:
    """A DKIM key. *private_key* is PEM for RSA, base64 of the seed for Ed25519 (RFC 8463)."""

    domain: str
    selector: str
    private_key: bytes = field(repr=False)
    algorithm: Literal["rsa-sha256", "ed25519-sha256"] = "rsa-sha256"


class UnusableKey(Exception):
    """What was given is no private key that mail can be signed with."""


class _Dkim(Protocol):
    """What is used of dkimpy's class."""

    include_headers: tuple[bytes, ...]
    signature_fields: Mapping[bytes, bytes]

    def verify(self, idx: int, dnsfunc: TxtLookup) -> bool: ...

    def sign(self, selector: bytes, domain: bytes, privkey: bytes, *, canonicalize: tuple[bytes, bytes]) -> bytes: ...


_new = cast("Callable[..., _Dkim]", dkim.DKIM)

# Quiet: what it would log was written by the sender.
_SILENT = logging.Logger("dkim", logging.CRITICAL + 1)  # noqa: LOG001 - meant to have no place among the others

# Whatever a signature can be wrong in: dkimpy raises more than its own.
_WRONG = (dkim.DKIMException, InvalidTagValueList, ValueError, TypeError, KeyError, IndexError, AttributeError)

LEAST_KEY_BITS = 1024
"""RFC 8301, 3.2."""


def ask(lookup: TxtLookup, name: bytes, timeout: int = 5) -> bytes | None:
    """What *lookup* finds. Raises `LookupFailed`, whatever it raises."""
    try:
        return lookup(name, timeout=timeout)
    except Exception as error:
        raise LookupFailed(type(error).__name__) from None


def good_signer(raw: bytes, number: int, lookup: TxtLookup) -> str | None:
    """The domain whose signature, the one at *number* from the top, is good for the whole mail; else None.

    Raises `LookupFailed`. The library takes what is past its `x=` by its own clock.
    """

    def asked(name: bytes, timeout: int = 5) -> bytes | None:
        return ask(lookup, name, timeout)

    checker = _new(raw, logger=_SILENT, minkey=LEAST_KEY_BITS)
    try:
        good = checker.verify(number, asked)
    except LookupFailed:
        raise
    except _WRONG:
        return None
    said = checker.signature_fields
    # A sender may leave From unsigned, sign by what is broken (RFC 8301), or leave room for another's text (l=).
    if not good or b"from" not in checker.include_headers or said.get(b"a") == b"rsa-sha1" or b"l" in said:
        return None
    return said[b"d"].decode("utf-8", "replace")


def signed(raw: bytes, signing: Signing) -> bytes:
    """*raw* with a signature on top, after which no second From can be added. `t=` is the library's time."""
    signer = _new(raw, logger=_SILENT, signature_algorithm=signing.algorithm.encode())
    signature = signer.sign(
        signing.selector.encode(), signing.domain.encode(), signing.private_key, canonicalize=(b"relaxed", b"relaxed")
    )
    return signature + raw


def signing_with(key: bytes, domain: str, selector: str) -> Signing:
    """How to sign with what a key file holds. Raises `UnusableKey`, also for RSA of fewer bits than are believed."""
    key = key.strip()
    rsa = key.startswith(b"-----BEGIN")
    signing = Signing(domain, selector, key, "rsa-sha256" if rsa else "ed25519-sha256")
    try:
        tried = signed(b"From: <postmaster@localhost>\r\n\r\n", signing)
    except Exception:
        # Whatever a file may hold, its parsers raise more than can be listed; what they say could quote the key.
        raise UnusableKey from None
    if rsa and _bits(tried) < LEAST_KEY_BITS:
        raise UnusableKey
    return signing


def _bits(signature: bytes) -> int:
    """How long the RSA key of a signature's field is: an RSA signature has its key's length."""
    field_of_b = re.search(rb"[;\s]b=([A-Za-z0-9+/=\s]+)", signature.partition(b"From:")[0])
    return len(base64.b64decode(b"".join(field_of_b[1].split()))) * 8 if field_of_b else 0
