"""Who is at a page: signed cookies, form tokens, and how fast one session may write."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from itsdangerous import BadSignature, URLSafeSerializer

AGENT_HOURS = timedelta(hours=12)
"""How long an agent stays signed in: a shift and a half."""


@dataclass(frozen=True, slots=True)
class AgentSession:
    """A signed-in agent. `nonce` tells one sign-in from another."""

    agent: int
    nonce: str
    until: datetime


class Seals:
    """Signs what browsers keep for us; what was not signed here reads as nothing."""

    def __init__(self, secret: str) -> None:
        strong = {"digest_method": hashlib.sha256}
        self._chat = URLSafeSerializer(secret, salt="web chat", signer_kwargs=strong)
        self._inbox = URLSafeSerializer(secret, salt="web inbox", signer_kwargs=strong)
        self._key = hashlib.sha256(f"form token {secret}".encode()).digest()

    def seal_chat(self, peer: str) -> str:
        return _text(self._chat.dumps(peer))

    def chat(self, cookie: str | None) -> str | None:
        """The peer whose cookie this is."""
        peer = _opened(self._chat, cookie)
        return peer if isinstance(peer, str) else None

    def seal_inbox(self, session: AgentSession) -> str:
        return _text(self._inbox.dumps([session.agent, session.nonce, session.until.isoformat()]))

    def inbox(self, cookie: str | None, now: datetime) -> AgentSession | None:
        """The session whose cookie this is, while it lasts."""
        opened = _opened(self._inbox, cookie)
        if not isinstance(opened, list):
            return None
        agent, nonce, until = cast("tuple[int, str, str]", tuple(cast("list[object]", opened)))
        session = AgentSession(agent, nonce, datetime.fromisoformat(until))
        return session if now < session.until else None

    def form_token(self, session: AgentSession) -> str:
        """What every form of the session carries, so that no other site can fill it in."""
        return hmac.new(self._key, session.nonce.encode(), hashlib.sha256).hexdigest()

    def genuine(self, token: str, session: AgentSession) -> bool:
        return hmac.compare_digest(token.encode(), self.form_token(session).encode())


def _text(dumped: str | bytes) -> str:
    return dumped if isinstance(dumped, str) else dumped.decode("ascii")


def _opened(serializer: URLSafeSerializer, cookie: str | None) -> object:
    if not cookie:
        return None
    try:
        return serializer.loads(cookie)
    except BadSignature:
        return None


@dataclass(slots=True)
class Brake:
    """Slows a session that writes very fast: *burst* messages at once, then one every *gap* seconds."""

    burst: int = 30
    gap: float = 0.25
    most_sessions: int = 10_000
    due: dict[str, datetime] = field(default_factory=dict[str, datetime])

    def delay(self, session: str, now: datetime) -> float:
        """Seconds this message must wait for its turn."""
        if len(self.due) >= self.most_sessions:
            self.due = {who: due for who, due in self.due.items() if due > now}
        due = max(self.due.get(session, now), now)
        self.due[session] = due + timedelta(seconds=self.gap)
        return max(0.0, (due - now).total_seconds() - (self.burst - 1) * self.gap)

    def refund(self, session: str) -> None:
        """The message was turned away: it does not count."""
        if session in self.due:
            self.due[session] -= timedelta(seconds=self.gap)
