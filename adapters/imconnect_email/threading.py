"""Which conversation a mail belongs to: told by tokens in our Message-IDs and Reply-To, or by an authenticated From.

A token proves that its bearer holds a mail of ours, and from whom it must come: `im.{key}.{mac}`, where the key is the
send's own and, for an unverified correspondent, the conversation's mark, and the mac is ours over both and the address
the mail went to. Nothing is stored to check it. A subject, a number in it, a Reply-To or a Cc proves nothing.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from imconnect_email.mail import Mail
from imconnect_email.trust import Trust, Verdict

MAC_BYTES = 10
"""80 bits: 16 letters. What can be tried by mail is nothing against that, and a local part holds 64 letters at most."""

_KEY_BYTES = 10
_MARK_BYTES = 5
_LOCAL_PART_LIMIT = 64  # octets; RFC 5321, 4.5.3.1.1
_TOKEN = re.compile(r"im\.([a-z2-7]{16})(?:-([a-z2-7]{8}))?\.([a-z2-7]{16})(?![a-z2-7])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Token:
    """What one of our mails carries: the send's *key*, the *mark* of an unverified conversation, and their mac."""

    key: str
    mark: str
    mac: str

    def __str__(self) -> str:
        return f"im.{self.key}{'-' + self.mark if self.mark else ''}.{self.mac}"


@dataclass(frozen=True, slots=True)
class Peer:
    """A correspondent as the desk addresses one: `alice@example.com`, or with `#` and the mark of one conversation
    while nothing proves that it is she."""

    address: str
    mark: str = ""

    def __str__(self) -> str:
        return f"{self.address}#{self.mark}" if self.mark else self.address

    @staticmethod
    def parse(text: str) -> "Peer":
        address, _, mark = text.partition("#")
        return Peer(address, mark)


@dataclass(frozen=True, slots=True)
class Joined:
    """The peer a mail belongs to, and what proves it: `token`, `authenticated`, or nothing."""

    peer: Peer
    proof: str | None


def token_for(send_key: str, peer: Peer, secret: bytes) -> Token:
    """The token of the send *send_key* to *peer*: always the same one."""
    key = _letters(hashlib.sha256(send_key.encode()).digest()[:_KEY_BYTES])
    return Token(key, peer.mark, _mac(key, peer, secret))


def proves(token: Token, address: str, secret: bytes) -> Peer | None:
    """The peer a mail from *address* belongs to by *token*, or None where the token is not of ours to that address."""
    peer = Peer(address, token.mark)
    return peer if hmac.compare_digest(_mac(token.key, peer, secret), token.mac) else None


def message_id_for(token: Token, domain: str) -> str:
    """The Message-ID of a mail of ours."""
    return f"<{token}@{domain}>"


def reply_address(token: Token, address: str) -> str:
    """Our address with the token in it (plus address). Our bare address, where the token would make it too long."""
    local, _, domain = address.partition("@")
    tagged = f"{local}+{token}"
    return f"{tagged}@{domain}" if len(tagged) <= _LOCAL_PART_LIMIT else address


def tokens_in(texts: Iterable[str]) -> Iterator[Token]:
    """The tokens written in msg-ids and addresses; whether they are ours is for `proves` to say."""
    for text in texts:
        for found in _TOKEN.finditer(text):
            yield Token(found[1].lower(), (found[2] or "").lower(), found[3].lower())


def tokens_of(mail: Mail) -> tuple[Token, ...]:
    """The tokens a mail brings, the one it answers first. A relay may have rewritten our Message-ID, and an answer may
    go to an address without a plus: either place is enough."""
    ids = (*mail.in_reply_to, *reversed(mail.references))
    places = (*ids, *(box.address for box in mail.recipients))
    return tuple(dict.fromkeys(tokens_in(places)))


def joined(mail: Mail, verdict: Verdict, secret: bytes) -> Joined | None:
    """Which conversation *mail* belongs to; None without a sender. A token counts only from whom it was sent to; with
    neither token nor authentication the mail opens a conversation of its own that reveals nothing."""
    if mail.sender is None:
        return None
    address = mail.sender.address
    for token in tokens_of(mail):
        peer = proves(token, address, secret)
        if peer is not None:
            return Joined(peer, "token")
    if verdict.trust is Trust.TRUSTED:
        return Joined(Peer(address), "authenticated")
    return Joined(Peer(address, mark_of(mail)), None)


def mark_of(mail: Mail) -> str:
    """What the conversation of an unverified mail goes by: the same for every copy of the mail."""
    return _letters(hashlib.sha256(b"mark:" + mail.id.encode()).digest()[:_MARK_BYTES])


def bounced_token(mail: Mail, secret: bytes) -> tuple[Token, Peer] | None:
    """Which send of ours a bounce is about, and to whom it went, if the bounce names it and the token is ours."""
    if mail.bounce is None or mail.bounce.message_id is None:
        return None
    addresses = dict.fromkeys(filter(None, (mail.bounce.sent_to, mail.bounce.recipient)))
    for token in tokens_in((mail.bounce.message_id,)):
        for address in addresses:
            peer = proves(token, address, secret)
            if peer is not None:
                return token, peer
    return None


def _mac(key: str, peer: Peer, secret: bytes) -> str:
    return _letters(hmac.digest(secret, f"im-token\n{key}\n{peer}".encode(), "sha256")[:MAC_BYTES])


def _letters(digest: bytes) -> str:
    """Base 32 in lower case: it survives relays that change the case of a local part."""
    return base64.b32encode(digest).decode("ascii").rstrip("=").lower()
