"""`/api/v1/questions`: the questions for integrators, with the session of a signed-in agent."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from imconnect.desk.questions import LONGEST, NotAdded, QuestionDesk
from imconnect.domain.messages import Language
from imconnect.domain.questions import NamedBy, QuestionKind
from imconnect.web.inbox_door import Door
from imconnect.web.questions import ACTS, TAKE_BACK

Key = Annotated[str, Path(description="The question's key.", pattern="^[0-9a-f]{32}$")]


class QuestionOut(BaseModel):
    """A question that was not answered rightly, however often it was asked. `text` holds no value of a customer's."""

    key: str
    kind: QuestionKind
    text: str
    language: Language
    times: int
    last_at: datetime
    thought: list[str] = Field(description="Topics the desk took it for.")
    proposed: str | None = Field(description="The topic it was then said to be about, and by whom.")
    named_by: NamedBy | None


class QuestionsOut(BaseModel):
    """A page of open questions, the most frequent first. `older` begins the next page, if there is one."""

    questions: list[QuestionOut]
    older: int | None


class QuestionActIn(BaseModel):
    """What becomes of a question. `add` needs `text` and `topic`, `off_topic` needs `text`."""

    model_config = ConfigDict(extra="forbid")

    act: Literal["add", "off_topic", "dismiss", "take_back"]
    text: str = Field(default="", description=f"The wording to learn, at most {LONGEST} characters.", max_length=4_096)
    topic: str = Field(default="", max_length=256)


class QuestionActOut(BaseModel):
    """`refused` is null when it is done, else the reason."""

    refused: NotAdded | None


class QuestionsApi:
    """The operations."""

    def __init__(self, *, questions: QuestionDesk, door: Door) -> None:
        self._questions = questions
        self._door = door

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/api/v1/questions", tags=["questions"])
        router.add_api_route("", self.questions, methods=["GET"], summary="List questions that were not answered")
        router.add_api_route("/{key}", self.act, methods=["POST"], summary="Say what becomes of a question")
        return router

    async def questions(
        self,
        request: Request,
        kind: Annotated[QuestionKind, Query(description="Why they are listed.")] = QuestionKind.UNANSWERED,
        before: Annotated[int | None, Query(ge=1, lt=2**63, description="`older` of the page before.")] = None,
    ) -> QuestionsOut:
        """What customers asked and the desk could not answer, or answered wrongly."""
        await self._door.at_work(request)
        found = await self._questions.collected(kind, before)
        listed = [
            QuestionOut(
                key=one.key,
                kind=one.kind,
                text=one.text,
                language=one.language,
                times=one.times,
                last_at=one.last_at,
                thought=list(one.thought),
                proposed=one.proposed,
                named_by=one.named_by,
            )
            for one in found.questions
        ]
        return QuestionsOut(questions=listed, older=found.older)

    async def act(self, request: Request, key: Key, wanted: QuestionActIn) -> QuestionActOut:
        """Add it to a topic or to what is nothing of ours, dismiss it, or take that back."""
        at_work = await self._door.at_work(request)
        if wanted.act == TAKE_BACK:
            await self._questions.reopen(key)
            return QuestionActOut(refused=None)
        name = at_work.agent.name
        return QuestionActOut(
            refused=await self._questions.settle(key, ACTS[wanted.act], name, wanted.text, wanted.topic)
        )
