"""Who is signed in to the inbox."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fastapi import HTTPException, Request

from imconnect.ports import Agent, Store
from imconnect.web.sessions import AgentSession, Seals

COOKIE = "imconnect_agent"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An agent at work: who, by which session."""

    agent: Agent
    session: AgentSession


class Door:
    """Knows who is signed in."""

    def __init__(self, store: Store, seals: Seals, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._seals = seals
        self._clock = clock

    async def who(self, request: Request) -> SignedIn | None:
        session = self._seals.inbox(request.cookies.get(COOKIE), self._clock())
        if session is None:
            return None
        agent = await self._store.agent(session.agent)
        return SignedIn(agent, session) if agent is not None else None

    async def at_work(self, request: Request) -> SignedIn:
        """Who is signed in. Raises `SignInNeeded`."""
        found = await self.who(request)
        if found is None:
            raise SignInNeeded
        return found


class SignInNeeded(HTTPException):
    def __init__(self) -> None:
        super().__init__(401, "Sign in at /inbox first.")
