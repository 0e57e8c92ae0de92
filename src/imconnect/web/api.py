"""`/api/v1`: the conversations for integrators, with the session of a signed-in agent."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, FastAPI, HTTPException, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from imconnect.desk.agents import AgentDesk, UnknownConversation
from imconnect.domain.conversations import Stage
from imconnect.domain.messages import Language, Remark
from imconnect.ports import Dossier, FileOfMessage, FileState, Line, SendState, Speaker, Store, Summary
from imconnect.web.armour import MOST_TEXT, too_long
from imconnect.web.front import Drawing, look_of
from imconnect.web.inbox import ACTS, TOOLS, WORDED
from imconnect.web.inbox_door import Door
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
    """A file that came with a message. `media_type` is by its content once it is kept."""

    id: int
    name: str
    media_type: str
    size: int = Field(description="In bytes.")
    state: FileState
    withheld: str | None = Field(description="The kind of secret that was found in it.")
    url: str | None = Field(description="Where it can be had, if it was kept.")


class LineOut(BaseModel):
    """One line of a transcript. `withheld` is the kind of secret that was taken out of it before it was stored."""

    id: int
    speaker: Speaker
    author: str
    text: str
    at: datetime
    withheld: str | None
    edited: bool
    revision: int
    quoted: str = Field(description="What the message repeats of earlier ones.")
    earlier: list[str] = Field(description="What it said before it was edited, oldest first.")
    remarks: list[Remark]
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
    related: list[str] = Field(description="Other conversations under the same handle: a hint, no proof.")


class ActIn(BaseModel):
    """What an agent does. The same `key` twice is one act.

    `text` is what `reply` and `note` say, the slug of a `snippet`, the colleague of a `transfer`, the peer to `admit`.
    `anyway` names hosts that are not on the official list and to which links in a reply may lead all the same.
    """

    model_config = ConfigDict(extra="forbid")

    act: Literal["take", "reply", "note", "resolve", "hand_back", "transfer", "snippet", "admit"]
    key: str = Field(min_length=8, max_length=64)
    text: str = Field(default="", description=f"At most {MOST_TEXT} bytes in UTF-8.")
    anyway: list[str] = Field(default=[], max_length=20)


class ActOut(BaseModel):
    """`outcome` is what was recorded; empty when its turn has not come yet. `refused` is null, or the reason's code.

    `hosts` are those of the links a refusal is about; after `link_unknown` they may be given as `anyway`.
    """

    outcome: str
    refused: str | None
    hosts: list[str]


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

    async def conversations(
        self,
        request: Request,
        stage: Annotated[list[Stage] | None, Query(description="Only these stages; all if none is named.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[ConversationOut]:
        """The line in its order, then the others, newest first."""
        await self._door.at_work(request)
        found = await self._store.summaries(frozenset(stage or Stage), limit)
        return [ConversationOut.model_validate(_summary(one)) for one in found]

    async def conversation(self, request: Request, reference: Reference) -> ConversationInFull:
        """Details, transcript and record of one conversation."""
        await self._door.at_work(request)
        found = await self._store.dossier(reference)
        if found is None:
            raise HTTPException(404, "There is no such conversation.")
        return ConversationInFull.model_validate(_dossier(found))

    async def act(self, request: Request, reference: Reference, wanted: ActIn) -> ActOut:
        """Take, reply, note, resolve, hand back, transfer, send a snippet or admit, as in the inbox."""
        at_work = await self._door.at_work(request)
        if wanted.act in (*WORDED, *TOOLS) and not wanted.text.strip():
            raise HTTPException(422, "This act needs a text.")
        if too_long(wanted.text):
            raise HTTPException(413, f"At most {MOST_TEXT} bytes of text.")
        act = ACTS[wanted.act](at_work.agent.name, wanted.text.strip())
        try:
            acted = await self._agents.act(reference, act, f"api:{wanted.key}", wanted.anyway)
        except UnknownConversation:
            raise HTTPException(404, "There is no such conversation.") from None
        refused = str(acted.refused) if acted.refused is not None else None
        return ActOut(outcome=acted.outcome, refused=refused, hosts=list(acted.hosts))


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
        "related": list(found.related),
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
        "revision": line.revision,
        "quoted": line.quoted,
        "earlier": list(line.earlier),
        "remarks": list(line.remarks),
        "files": [_file(file) for file in line.files],
        "delivery": line.delivery,
        "delivery_reason": line.delivery_reason,
    }


def _file(one: FileOfMessage) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.file.name,
        "media_type": one.media_type or one.file.media_type,
        "size": one.file.size,
        "state": one.state,
        "withheld": one.secret.value if one.secret else None,
        "url": f"/inbox/files/{one.id}" if one.state is FileState.KEPT else None,
    }
