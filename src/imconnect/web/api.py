"""`/api/v1`: the conversations for integrators, with the session of a signed-in agent."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, FastAPI, HTTPException, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from imconnect.desk.agents import AgentDesk, UnknownConversation
from imconnect.domain.conversations import Stage
from imconnect.domain.messages import Language
from imconnect.ports import Dossier, Line, SendState, Speaker, Store, Summary
from imconnect.web.armour import MOST_TEXT, too_long
from imconnect.web.front import Drawing, look_of
from imconnect.web.inbox import ACTS, WORDED, Door, SignedIn, SignInNeeded
from imconnect.web.labels import Labels

Reference = Annotated[str, Path(description="The conversation's public reference.", max_length=64)]


class ConversationOut(BaseModel):
    """A conversation as a list shows it. `place` is null unless it is waiting."""

    reference: str
    channel: str
    contact: str
    stage: Stage
    topic: str | None
    priority: Literal["urgent", "high", "normal", "low"]
    language: Language
    agent: str | None
    waiting_since: datetime | None
    updated_at: datetime
    place: int | None
    why: str


class DetailOut(BaseModel):
    """A detail the customer gave, checked."""

    value: str
    chain: str | None


class FileOut(BaseModel):
    name: str
    media_type: str
    size: int = Field(description="In bytes.")


class LineOut(BaseModel):
    """One line of a transcript. `withheld` is the kind of secret that was taken out of it before it was stored."""

    id: int
    speaker: Speaker
    author: str
    text: str
    at: datetime
    withheld: str | None
    edited: bool
    files: list[FileOut]
    delivery: SendState | None
    delivery_reason: str


class OutcomeOut(BaseModel):
    """What the desk made of one event."""

    at: datetime
    event: str
    outcome: str


class ConversationInFull(ConversationOut):
    """A conversation with everything an agent needs to answer."""

    details: dict[str, DetailOut]
    asked_for: list[str]
    lines: list[LineOut]
    outcomes: list[OutcomeOut]
    unreachable: str | None


class ActIn(BaseModel):
    """What an agent does. The same `key` twice is one act; `text` goes with `reply` and `note`."""

    model_config = ConfigDict(extra="forbid")

    act: Literal["take", "reply", "note", "resolve", "hand_back"]
    key: str = Field(min_length=8, max_length=64)
    text: str = Field(default="", description=f"At most {MOST_TEXT} bytes in UTF-8.")


class ActOut(BaseModel):
    """`outcome` is what was recorded; empty when its turn has not come yet. `refused` is null, or the reason's code."""

    outcome: str
    refused: str | None


class Api:
    """The operations."""

    def __init__(
        self,
        *,
        store: Store,
        agents: AgentDesk,
        door: Door,
    ) -> None:
        self._store = store
        self._agents = agents
        self._door = door

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/api/v1/conversations", tags=["conversations"])
        router.add_api_route("", self.conversations, methods=["GET"], summary="List conversations")
        router.add_api_route("/{reference}", self.conversation, methods=["GET"], summary="Show a conversation")
        router.add_api_route("/{reference}/acts", self.act, methods=["POST"], summary="Act on a conversation")
        return router

    async def _signed_in(self, request: Request) -> SignedIn:
        found = await self._door.who(request)
        if found is None:
            raise SignInNeeded
        return found

    async def conversations(
        self,
        request: Request,
        stage: Annotated[list[Stage] | None, Query(description="Only these stages; all if none is named.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[ConversationOut]:
        """The line in its order, then the others, newest first."""
        await self._signed_in(request)
        found = await self._store.summaries(frozenset(stage or Stage), limit)
        return [ConversationOut.model_validate(_summary(one)) for one in found]

    async def conversation(self, request: Request, reference: Reference) -> ConversationInFull:
        """Details, transcript and record of one conversation."""
        await self._signed_in(request)
        found = await self._store.dossier(reference)
        if found is None:
            raise HTTPException(404, "There is no such conversation.")
        return ConversationInFull.model_validate(_dossier(found))

    async def act(self, request: Request, reference: Reference, wanted: ActIn) -> ActOut:
        """Take, reply, note, resolve or hand back, as in the inbox."""
        at_work = await self._signed_in(request)
        if wanted.act in WORDED and not wanted.text.strip():
            raise HTTPException(422, "This act needs a text.")
        if too_long(wanted.text):
            raise HTTPException(413, f"At most {MOST_TEXT} bytes of text.")
        act = ACTS[wanted.act](at_work.agent.name, wanted.text.strip())
        try:
            acted = await self._agents.act(reference, act, f"api:{wanted.key}")
        except UnknownConversation:
            raise HTTPException(404, "There is no such conversation.") from None
        return ActOut(outcome=acted.outcome, refused=str(acted.refused) if acted.refused is not None else None)


class ApiDocs:
    """`/api/docs`: the operations to read, drawn here from the same description integrators load."""

    def __init__(self, app: FastAPI, drawing: Drawing, labels: Mapping[Language, Labels], default: Language) -> None:
        self._openapi: Callable[[], dict[str, object]] = app.openapi
        self._drawing = drawing
        self._labels = labels
        self._default = default

    async def show(self, request: Request) -> Response:
        look = look_of(request, self._default)
        values = {"label": self._labels[look.language], "look": look, "openapi": self._openapi()}
        return self._drawing.page("api_docs.html", values)


def _summary(one: Summary) -> dict[str, object]:
    return {
        "reference": one.reference,
        "channel": one.channel,
        "contact": one.contact,
        "stage": one.stage,
        "topic": one.topic,
        "priority": one.priority.word,
        "language": one.language,
        "agent": one.agent,
        "waiting_since": one.waiting_since,
        "updated_at": one.updated_at,
        "place": one.place,
        "why": one.why,
    }


def _dossier(found: Dossier) -> dict[str, object]:
    return {
        **_summary(found.summary),
        "details": {name: {"value": given.value, "chain": given.chain} for name, given in found.details.items()},
        "asked_for": list(found.asked_for),
        "lines": [_line(line) for line in found.lines],
        "outcomes": [{"at": at, "event": kind, "outcome": outcome} for at, kind, outcome in found.outcomes],
        "unreachable": found.unreachable,
    }


def _line(line: Line) -> dict[str, object]:
    return {
        "id": line.id,
        "speaker": line.speaker,
        "author": line.author,
        "text": line.text,
        "at": line.at,
        "withheld": line.secret.value if line.secret else None,
        "edited": line.edited,
        "files": [{"name": f.name, "media_type": f.media_type, "size": f.size} for f in line.attachments],
        "delivery": line.delivery,
        "delivery_reason": line.delivery_reason,
    }
