"""`/inbox/questions`: what the desk could not answer, for a lead to make examples of, one by one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from imconnect.desk.questions import KEY, LONGEST, MOST_SHOWN, NotAdded, Question, QuestionDesk
from imconnect.domain.messages import Language
from imconnect.domain.playbook import Playbook
from imconnect.domain.questions import Became, NamedBy, QuestionKind
from imconnect.ports import SettledQuestion
from imconnect.web.armour import form_of
from imconnect.web.front import TAGS, Drawing, Look, look_of, see_other
from imconnect.web.inbox import StalePage
from imconnect.web.inbox_door import Door, SignedIn
from imconnect.web.labels import Labels
from imconnect.web.sessions import Seals
from imconnect.web.wording import duration

ADDED = "added"
TABS = (*(kind.value for kind in QuestionKind), ADDED)
TAKE_BACK = "take_back"

ACTS: Mapping[str, Became] = {"add": Became.ADDED, "off_topic": Became.OFF_TOPIC, "dismiss": Became.DISMISSED}
"""Each act by the name forms and the API give it."""


@dataclass(frozen=True, slots=True)
class Where:
    """Which page of which list an agent is at."""

    tab: str
    before: int | None = None

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> "Where":
        tab, before = fields.get("kind", ""), fields.get("before", "")
        known = tab if tab in TABS else TABS[0]
        return cls(known, int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None)

    def path(self, done: str = "") -> str:
        further = "" if self.before is None else f"&before={self.before}"
        return f"/inbox/questions?kind={self.tab}{further}" + (f"&done={done}" if done else "")


@dataclass(frozen=True, slots=True)
class Refused:
    """What an agent wanted of a question, and why it was not done."""

    key: str
    text: str
    topic: str
    says: str


class QuestionPages:
    """The list of questions, and what is posted from it."""

    def __init__(
        self,
        *,
        questions: QuestionDesk,
        playbook: Playbook,
        clock: Callable[[], datetime],
        seals: Seals,
        drawing: Drawing,
        labels: Mapping[Language, Labels],
        door: Door,
    ) -> None:
        self._questions = questions
        self._playbook = playbook
        self._clock = clock
        self._seals = seals
        self._drawing = drawing
        self._labels = labels
        self._door = door

    def router(self) -> APIRouter:
        router = APIRouter()
        router.add_route("/inbox/questions", self.show)
        router.add_route("/inbox/questions/{key}", self.act, methods=["POST"])
        return router

    async def show(self, request: Request) -> Response:
        at_work = await self._door.at_work(request)
        done = request.query_params.get("done", "")
        label = self._labels[self._look(request).language]
        says = label(f"question_done_{done}") if done in (*ACTS, TAKE_BACK) else ""
        return await self._whole(request, at_work, Where.of(request.query_params), says)

    async def act(self, request: Request) -> Response:
        """Add a question to a topic or to what is nothing of ours, set it aside, or take that back."""
        at_work = await self._door.at_work(request)
        form, key = await form_of(request), str(request.path_params["key"])
        act = form.get("act", "")
        if not self._seals.genuine(form.get("csrf", ""), at_work.session):
            raise StalePage
        if not KEY.fullmatch(key) or act not in (*ACTS, TAKE_BACK):
            raise HTTPException(422, "This form is not one of ours.")
        where, text, topic = Where.of(form), form.get("text", ""), form.get("topic", "")
        if act == TAKE_BACK:
            await self._questions.reopen(key)
            return see_other(where.path(TAKE_BACK))
        why = await self._questions.settle(key, ACTS[act], at_work.agent.name, text, topic)
        if why is None:
            return self._done(request, at_work, where, key, act, topic)
        says = self._labels[self._look(request).language](f"question_refused_{why.value}", limit=LONGEST)
        return await self._refused(request, at_work, where, Refused(key, text, topic, says), why)

    def _done(self, request: Request, at_work: SignedIn, where: Where, key: str, act: str, topic: str) -> Response:
        if "hx-request" not in request.headers:
            return see_other(where.path(act))
        look = self._look(request)
        slug = "question_added_to" if ACTS[act] is Became.ADDED else f"question_done_{act}"
        says = self._labels[look.language](slug, topic=self._title(topic, look))
        values = {**self._session_values(at_work, where), "key": key, "says": says}
        return self._page(request, "question_settled.html", look, values)

    async def _refused(
        self, request: Request, at_work: SignedIn, where: Where, refused: Refused, why: NotAdded
    ) -> Response:
        """The question again as it was filled in, with the reason; what a colleague settled is told in a line."""
        look, status = self._look(request), 409 if why in (NotAdded.KNOWN, NotAdded.SETTLED) else 422
        if "hx-request" not in request.headers:
            return await self._whole(request, at_work, where, refused.says, refused, status)
        values = {**self._session_values(at_work, where), "topics": self._topics(look)}
        if why is NotAdded.SETTLED:
            values |= {"key": refused.key, "says": refused.says}
            return self._page(request, "question_settled.html", look, values, status)
        again: list[Mapping[str, object]] = []
        if where.tab != ADDED:
            collected = await self._questions.collected(QuestionKind(where.tab), where.before)
            again = [self._drawn(one, look, refused) for one in collected.questions if one.key == refused.key]
        if not again:
            raise HTTPException(422, "This question is not on that page.")
        return self._page(request, "question.html", look, {**values, "one": again[0]}, status)

    # -------------------------------------------------------------------------------------------------------- drawing

    async def _whole(
        self,
        request: Request,
        at_work: SignedIn,
        where: Where,
        says: str,
        refused: Refused | None = None,
        status: int = 200,
    ) -> Response:
        look = self._look(request)
        values: dict[str, object] = {
            **self._session_values(at_work, where),
            "tabs": TABS,
            "topics": self._topics(look),
            "says": says,
            "bad": refused is not None,
            "most_shown": MOST_SHOWN,
            "questions": (),
            "examples": (),
            "older": None,
        }
        if where.tab == ADDED:
            values["examples"] = [self._example(one, look) for one in await self._questions.examples()]
        else:
            collected = await self._questions.collected(QuestionKind(where.tab), where.before)
            values["questions"] = [self._drawn(one, look, refused) for one in collected.questions]
            values["older"] = collected.older
        return self._page(request, "questions.html", look, values, status)

    def _drawn(self, one: Question, look: Look, refused: Refused | None = None) -> Mapping[str, object]:
        """A question as its form draws it; filled in as it was where the act was *refused*."""
        label = self._labels[look.language]
        mine = refused if refused is not None and refused.key == one.key else None
        named = ""
        if one.proposed is not None:
            by = "question_named_by_customer" if one.named_by is NamedBy.CUSTOMER else "question_named_by_agent"
            named = label(by, topic=self._title(one.proposed, look))
        return {
            "key": one.key,
            "text": mine.text if mine else one.text,
            "language": one.language.value,
            "tag": TAGS[one.language],
            "times": one.times,
            "ago": label("ago", time=duration(self._clock() - one.last_at, label)),
            "thought": " · ".join(self._title(slug, look) for slug in one.thought),
            "proposed": mine.topic if mine else one.proposed,
            "named": named,
            "refused": mine.says if mine else "",
        }

    def _example(self, one: SettledQuestion, look: Look) -> Mapping[str, object]:
        label = self._labels[look.language]
        return {
            "key": one.key,
            "text": one.text,
            "tag": TAGS[one.language or self._playbook.default_language],
            "topic": self._title(one.topic, look) if one.topic is not None else label("question_off_topic"),
            "agent": one.agent,
            "ago": label("ago", time=duration(self._clock() - one.at, label)),
            "written": one.written_at is not None,
        }

    def _topics(self, look: Look) -> Sequence[tuple[str, str]]:
        titles = ((slug, self._title(slug, look)) for slug in self._playbook.topics)
        return sorted(titles, key=lambda one: one[1])

    def _title(self, slug: str, look: Look) -> str:
        return self._playbook.article(slug, look.language).title if slug in self._playbook.topics else slug

    def _look(self, request: Request) -> Look:
        return look_of(request, self._playbook.default_language)

    def _session_values(self, at_work: SignedIn, where: Where) -> dict[str, object]:
        before = "" if where.before is None else str(where.before)
        token = self._seals.form_token(at_work.session)
        return {"agent": at_work.agent, "csrf": token, "kind": where.tab, "before": before}

    def _page(
        self, request: Request, template: str, look: Look, values: Mapping[str, object], status: int = 200
    ) -> HTMLResponse:
        drawn = {"label": self._labels[look.language], "look": look, "back": request.url.path, **values}
        return self._drawing.page(template, drawn, status)
