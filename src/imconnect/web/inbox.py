"""`/inbox`: where agents see the line in order, take a conversation and answer."""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from imconnect.desk.agents import AgentDesk, UnknownConversation
from imconnect.domain.conversations import Stage
from imconnect.domain.events import (
    AgentAdmitted,
    AgentHandedBack,
    AgentNoted,
    AgentReplied,
    AgentResolved,
    AgentsAct,
    AgentSentSnippet,
    AgentTook,
    AgentTransferred,
)
from imconnect.domain.messages import Language
from imconnect.domain.playbook import Playbook
from imconnect.domain.triage import GIVES_THE_FUNDS_AWAY
from imconnect.ports import Changes, Dossier, Line, SendState, Speaker, Store, StoreUnavailable, Summary
from imconnect.web.armour import MOST_TEXT, form_of, too_long
from imconnect.web.front import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Drawing, Look, keep, look_of, see_other
from imconnect.web.inbox_door import COOKIE, Door, SignedIn
from imconnect.web.inbox_files import FilePages, drawn_file, is_delicate
from imconnect.web.labels import Labels
from imconnect.web.sessions import AGENT_HOURS, AgentSession, Seals
from imconnect.web.sse import COMMENT, HEARTBEAT, RECONNECT, REST, Ringing, Seat, Streams, event, stream
from imconnect.web.wording import duration, ours, theirs

MOST_LISTED = 200

WITH_BOT = frozenset({Stage.SELF_SERVICE, Stage.CLARIFYING, Stage.COLLECTING})
TABS: Mapping[str, frozenset[Stage]] = {
    "waiting": frozenset({Stage.WAITING}),
    "mine": frozenset({Stage.WITH_AGENT}),
    "others": frozenset({Stage.WITH_AGENT}),
    "bot": WITH_BOT,
    "resolved": frozenset({Stage.RESOLVED}),
}

ACTS: Mapping[str, Callable[[str, str], AgentsAct]] = {
    "take": lambda agent, text: AgentTook(agent),
    "reply": AgentReplied,
    "note": AgentNoted,
    "resolve": lambda agent, text: AgentResolved(agent),
    "hand_back": lambda agent, text: AgentHandedBack(agent),
    "transfer": AgentTransferred,
    "snippet": AgentSentSnippet,
    "admit": AgentAdmitted,
}
"""Each act by the name forms and the API give it."""

WORDED = frozenset({"reply", "note"})
"""Acts that are written in a box of their own, and what was written stays there until it is done."""

TOOLS = ("snippet", "transfer", "admit")
"""Acts that name something: what the pack has ready, a colleague, somebody else's address."""

ALLOWED = "anyway"
"""The field that says to which hosts links may go out although they are not ours."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a form: whether it was done, and that in words."""

    done: bool
    says: str
    status: int = 200
    anyway: str = ""
    """Hosts of links that would go out if the agent says so once more."""


class InboxPages:
    """The agents' pages and what they post to."""

    def __init__(
        self,
        *,
        store: Store,
        agents: AgentDesk,
        playbook: Playbook,
        clock: Callable[[], datetime],
        token: Callable[[], str],
        seals: Seals,
        drawing: Drawing,
        streams: Streams,
        labels: Mapping[Language, Labels],
        door: Door,
    ) -> None:
        self._store = store
        self._agents = agents
        self._playbook = playbook
        self._clock = clock
        self._token = token
        self._seals = seals
        self._drawing = drawing
        self._streams = streams
        self._labels = labels
        self._door = door

    def router(self) -> APIRouter:
        router = APIRouter()
        router.add_route("/inbox", self.show)
        router.add_route("/inbox/sign-in", self.sign_in, methods=["GET", "POST"])
        router.add_route("/inbox/sign-out", self.sign_out, methods=["POST"])
        router.add_route("/inbox/preferences", self.prefer, methods=["POST"])
        router.add_route("/inbox/list", self.listed)
        router.add_route("/inbox/events", self.events)
        router.add_route("/inbox/files/{file}", FilePages(self._store, self._door).show)
        router.add_route("/inbox/{reference}", self.open)
        router.add_route("/inbox/{reference}/live", self.live)
        router.add_route("/inbox/{reference}/{act}", self.act, methods=["POST"])
        return router

    # ------------------------------------------------------------------------------------------------------ signing in

    async def sign_in(self, request: Request) -> Response:
        """The link shows a button; only pressing it spends the link, so that a preview of it does no harm."""
        look = self._look(request)
        if request.method != "POST":
            token = request.query_params.get("token", "")
            return self._page(request, "sign_in.html", look, {"token": token, "says": ""})
        token = (await form_of(request)).get("token", "")
        agent = await self._store.redeem(hashlib.sha256(token.encode()).hexdigest(), self._clock()) if token else None
        if agent is None:
            says = self._labels[look.language]("sign_in_spent")
            return self._page(request, "sign_in.html", look, {"token": "", "says": says}, 403)
        session = AgentSession(agent.id, self._token(), self._clock() + AGENT_HOURS)
        response = see_other("/inbox")
        response.set_cookie(
            COOKIE,
            self._seals.seal_inbox(session),
            max_age=int(AGENT_HOURS.total_seconds()),
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response

    async def sign_out(self, request: Request) -> Response:
        await self._form(request)
        response = see_other("/inbox")
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    async def _form(self, request: Request) -> tuple[SignedIn, dict[str, str]]:
        """The posted form, if it is one of this session's own."""
        at_work = await self._door.at_work(request)
        form = await form_of(request)
        if not self._seals.genuine(form.get("csrf", ""), at_work.session):
            raise StalePage
        return at_work, form

    def sign_in_needed(self, request: Request) -> Response:
        look = self._look(request)
        response = self._page(request, "sign_in.html", look, {"token": None, "says": ""}, 401)
        if "hx-request" in request.headers:
            response.headers["HX-Redirect"] = "/inbox"
        return response

    # -------------------------------------------------------------------------------------------------------- reading

    async def show(self, request: Request) -> Response:
        at_work, look = await self._door.at_work(request), self._look(request)
        return await self._whole(request, at_work, look, None, Result(True, ""))

    async def open(self, request: Request) -> Response:
        at_work, look = await self._door.at_work(request), self._look(request)
        return await self._whole(request, at_work, look, await self._dossier(request), Result(True, ""))

    async def _dossier(self, request: Request) -> Dossier:
        found = await self._store.dossier(str(request.path_params["reference"]))
        if found is None:
            raise NoSuchConversation
        return found

    async def _whole(
        self,
        request: Request,
        at_work: SignedIn,
        look: Look,
        dossier: Dossier | None,
        result: Result,
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        tab = self._tab(request, at_work, dossier)
        rows = await self._rows(tab, at_work, look)
        values = {
            **self._session_values(at_work),
            **self._list_values(tab, rows, dossier.summary.reference if dossier else ""),
            "dossier": self._case(dossier, at_work, look) if dossier else None,
            "tools": await self._tools(at_work, look) if dossier else (),
            "typed": typed or {},
            "result": result,
            "query": f"?tab={tab}",
            "most_text": MOST_TEXT,
        }
        return self._page(request, "inbox.html", look, values, result.status)

    def _tab(self, request: Request, at_work: SignedIn, dossier: Dossier | None) -> str:
        """The list to show: the one asked for, else the one the open conversation is in."""
        asked = request.query_params.get("tab", "")
        if asked in TABS:
            return asked
        if dossier is None:
            return "waiting"
        stage, agent = dossier.summary.stage, dossier.summary.agent
        if stage is Stage.WITH_AGENT:
            return "mine" if agent == at_work.agent.name else "others"
        return {Stage.WAITING: "waiting", Stage.RESOLVED: "resolved"}.get(stage, "bot")

    async def listed(self, request: Request) -> Response:
        """The list alone, for pages that are open."""
        at_work, look = await self._door.at_work(request), self._look(request)
        tab = self._tab(request, at_work, None)
        rows = await self._rows(tab, at_work, look)
        values = self._list_values(tab, rows, request.query_params.get("open", ""))
        return self._page(request, "inbox_list.html", look, values)

    def _list_values(self, tab: str, rows: Sequence[Mapping[str, object]], opened: str) -> Mapping[str, object]:
        return {"tab": tab, "tabs": tuple(TABS), "rows": rows, "opened": opened, "most_listed": MOST_LISTED}

    async def _rows(self, tab: str, at_work: SignedIn, look: Look) -> Sequence[Mapping[str, object]]:
        found = await self._store.summaries(TABS[tab], MOST_LISTED)
        if tab in ("mine", "others"):
            found = [one for one in found if (one.agent == at_work.agent.name) == (tab == "mine")]
        return [self._row(one, look) for one in found]

    def _row(self, one: Summary, look: Look) -> Mapping[str, object]:
        label = self._labels[look.language]
        now = self._clock()
        since = one.waiting_since if one.stage is Stage.WAITING else None
        return {
            "summary": one,
            "href": f"/inbox/{quote(one.reference, safe='')}",
            "topic": self._topic(one.topic, look),
            "why": self._why(one.why, look),
            "channel": label.known(f"channel_{one.channel}", one.channel),
            "waits": duration(now - since, label) if since else "",
            "updated": label("ago", time=duration(now - one.updated_at, label)),
        }

    def _topic(self, slug: str | None, look: Look) -> str:
        if slug is None:
            return self._labels[look.language]("no_topic")
        known = slug in self._playbook.topics
        return self._playbook.article(slug, look.language).title if known else slug

    async def live(self, request: Request) -> Response:
        """What changes of an open conversation, for pages that are open; not the boxes an agent types in."""
        at_work, look = await self._door.at_work(request), self._look(request)
        dossier = await self._dossier(request)
        return self._page(request, "inbox_live.html", look, self._live_values(dossier, at_work, look))

    async def _tools(self, at_work: SignedIn, look: Look) -> Sequence[Mapping[str, object]]:
        """What may be named in each of the tools: (value, in words); nothing where it is typed."""
        pack = self._playbook
        snippets = [(slug, slug) for slug in sorted(pack.snippets.get(look.language, {}))]
        topics = sorted((slug, one.articles[look.language].title) for slug, one in pack.topics.items())
        colleagues = [(one.name, one.name) for one in await self._store.agents() if one != at_work.agent]
        offered = {"snippet": [*snippets, *topics], "transfer": colleagues, "admit": None}
        return [{"name": name, "offered": offered[name]} for name in TOOLS]

    def _live_values(self, dossier: Dossier, at_work: SignedIn, look: Look) -> Mapping[str, object]:
        return {**self._session_values(at_work), "dossier": self._case(dossier, at_work, look)}

    def _case(self, dossier: Dossier, at_work: SignedIn, look: Look) -> Mapping[str, object]:
        """A conversation as its page draws it."""
        summary, label = dossier.summary, self._labels[look.language]
        delicate = is_delicate(dossier, self._playbook)
        mine = summary.agent == at_work.agent.name
        return {
            "row": self._row(summary, look),
            "summary": summary,
            "why": self._why(dossier.summary.why, look),
            "given": [
                (self._detail(name, look), theirs(given.value, label.goes_to), given.chain)
                for name, given in dossier.details.items()
            ],
            "asked_for": [self._detail(name, look) for name in dossier.asked_for if name not in dossier.details],
            "lines": [self._drawn(line, look, delicate=delicate) for line in dossier.lines],
            "related": [(one, f"/inbox/{quote(one, safe='')}") for one in dossier.related],
            "outcomes": dossier.outcomes,
            "unreachable": label("unreachable", reason=dossier.unreachable) if dossier.unreachable else "",
            "mine": mine,
            "can_take": summary.agent is None and summary.stage is not Stage.RESOLVED,
            "can_hand_back": mine and summary.stage is Stage.WITH_AGENT,
            "can_resolve": summary.stage is not Stage.RESOLVED and (summary.agent is None or mine),
            "standing": self._standing(summary, label, mine),
        }

    def _standing(self, summary: Summary, label: Labels, mine: bool) -> str:
        """Why a reply would be refused just now; empty where it would not."""
        if summary.stage is Stage.RESOLVED:
            return label("standing_resolved")
        if summary.agent is None:
            return label("standing_not_taken")
        return "" if mine else label("standing_with_another", agent=summary.agent)

    def _why(self, why: str, look: Look) -> str:
        """The reason of a priority, in the agent's language where it is one of the desk's own."""
        label = self._labels[look.language]
        if why.startswith("topic "):
            return label("why_topic", topic=self._topic(why.removeprefix("topic "), look))
        return label.known("why_" + why.replace(" ", "_"), why)

    def _detail(self, name: str, look: Look) -> str:
        return self._playbook.details[name].titles[look.language] if name in self._playbook.details else name

    def _drawn(self, line: Line, look: Look, *, delicate: bool) -> Mapping[str, object]:
        """One line with all an agent should know of it: who, what became of it, what was withheld."""
        label = self._labels[look.language]
        customers = line.speaker is Speaker.CUSTOMER
        says = theirs(line.text, label.goes_to) if customers else ours(line.text, self._playbook.official_hosts)
        withheld_whole = line.secret in GIVES_THE_FUNDS_AWAY
        doubtful = line.delivery in (SendState.UNKNOWN, SendState.FAILED, SendState.WITHDRAWN)
        return {
            "line": line,
            "who": label(f"who_{line.speaker.value}", name=line.author),
            "said": Markup("") if withheld_whole or not line.text else says,
            "withheld": label("withheld", kind=label(f"secret_{line.secret.value}")) if line.secret else "",
            "delivery": label(f"delivery_{line.delivery.value}") if line.delivery else "",
            "because": label("because", reason=line.delivery_reason) if doubtful and line.delivery_reason else "",
            "doubtful": doubtful,
            "offered": label("offered", choices=" · ".join(c.label for c in line.choices)) if line.choices else "",
            "earlier": [theirs(text, label.goes_to) for text in line.earlier],
            "quoted": theirs(line.quoted, label.goes_to) if line.quoted else Markup(""),
            "remarks": [label(f"remark_{remark.value}") for remark in line.remarks],
            "files": [drawn_file(file, label, veiled=delicate) for file in line.files],
        }

    # --------------------------------------------------------------------------------------------------------- acting

    async def act(self, request: Request) -> Response:
        """Do what a form asks, once per form; what was typed comes back unless it was done."""
        at_work, form = await self._form(request)
        look, name = self._look(request), str(request.path_params["act"])
        if name not in ACTS:
            raise NoSuchConversation
        text = form.get("text", "").strip()
        result = await self._result(request, at_work, look, name, text, form)
        if "hx-request" in request.headers:
            return await self._fragment(request, at_work, look, name, result, form)
        if result.done:
            return see_other(str(request.url.path).rpartition("/")[0])
        typed = {name: form.get("text", "")} if name in (*WORDED, *TOOLS) else {}
        return await self._whole(request, at_work, look, await self._dossier(request), result, typed)

    async def _result(
        self, request: Request, at_work: SignedIn, look: Look, name: str, text: str, form: Mapping[str, str]
    ) -> Result:
        label, key = self._labels[look.language], form.get("key", "")
        if name in (*WORDED, *TOOLS) and not text:
            return Result(False, label("empty"), 422)
        if too_long(text):
            return Result(False, label("too_long", limit=MOST_TEXT // 1024), 413)
        if not key:
            return Result(False, label("stale"), 422)
        try:
            acted = await self._agents.act(
                str(request.path_params["reference"]),
                ACTS[name](at_work.agent.name, text),
                f"web:{key}",
                form.get(ALLOWED, "").split(),
            )
        except UnknownConversation:
            raise NoSuchConversation from None
        except StoreUnavailable:
            return Result(False, label("store_unavailable"), 503)
        if acted.refused is None:
            return Result(True, label(f"done_{name}" if acted.outcome else "accepted"))
        code = str(acted.refused)
        dossier = await self._store.dossier(str(request.path_params["reference"]))
        agent = (dossier.summary.agent if dossier else None) or "?"
        hosts = " ".join(acted.hosts)
        says = label.known(f"refused_{code}", label("refused", code=code), agent=agent, hosts=hosts)
        allowed = " ".join([*form.get(ALLOWED, "").split(), *acted.hosts]) if acted.may_be_confirmed else ""
        return Result(False, f"{says} {label('kept')}" if name in WORDED else says, 409, allowed)

    async def _fragment(
        self, request: Request, at_work: SignedIn, look: Look, name: str, result: Result, form: Mapping[str, str]
    ) -> Response:
        """What the page has to change: the box that was sent, or the conversation's head; and what to say of it."""
        values: dict[str, object] = {**self._session_values(at_work), "result": result}
        if name in WORDED:
            values |= {
                "name": name,
                "href": str(request.url.path).rpartition("/")[0],
                "text": "" if result.done else form.get("text", ""),
                "most_text": MOST_TEXT,
            }
            response = self._page(request, "inbox_box.html", look, values, result.status)
        elif name in TOOLS:
            tools = await self._tools(at_work, look)
            values |= {"tool": next(one for one in tools if one["name"] == name)}
            values |= {
                "href": str(request.url.path).rpartition("/")[0],
                "text": "" if result.done else form.get("text", ""),
            }
            response = self._page(request, "inbox_tool.html", look, values, result.status)
        else:
            dossier = await self._dossier(request)
            values |= self._live_values(dossier, at_work, look)
            response = self._page(request, "inbox_acted.html", look, values, result.status)
        response.headers["HX-Trigger"] = (
            "line-changed" if name not in (*WORDED, *TOOLS) else "line-changed, conversation-changed"
        )
        return response

    # ---------------------------------------------------------------------------------------------------- live changes

    async def events(self, request: Request) -> Response:
        """Says that the line changed, or the conversation *open*; pages then ask for what they show."""
        at_work = await self._door.at_work(request)
        reference = request.query_params.get("open", "")
        dossier = await self._store.dossier(reference) if reference else None
        return stream(self._stream(at_work, dossier.summary.id if dossier else None))

    async def _stream(self, at_work: SignedIn, conversation: int | None) -> AsyncIterator[str]:
        yield RECONNECT
        try:
            with self._streams.admit(at_work.session.nonce) as seat:
                async for one in self._follow(conversation, seat):
                    yield one
                if seat.resting:
                    yield REST
        except StoreUnavailable:
            return  # the page connects again by itself

    async def _follow(self, conversation: int | None, seat: Seat) -> AsyncIterator[str]:
        async with AsyncExitStack() as listening:
            bells: dict[str, Changes] = {
                "seat": seat.bell,
                "line": await listening.enter_async_context(self._store.changes("line")),
            }
            if conversation is not None:
                changes = self._store.changes(f"conversation:{conversation}")
                bells["conversation"] = await listening.enter_async_context(changes)
            ringing = Ringing(bells)
            listening.push_async_callback(ringing.stop)
            yield event("line", {})  # what changed between drawing the page and listening
            yield event("conversation", {})
            while not seat.over:
                rang = await ringing.first(HEARTBEAT)
                if not rang:
                    yield COMMENT
                for name in sorted(rang - {"seat"}):
                    yield event(name, {})

    # ---------------------------------------------------------------------------------------------------- preferences

    async def prefer(self, request: Request) -> Response:
        _, form = await self._form(request)
        back = form.get("back", "")
        response = see_other(back if back.startswith("/inbox") and "\\" not in back else "/inbox")
        if form.get("language") in tuple(Language):
            keep(request, response, LANGUAGE_COOKIE, form["language"])
        if form.get("theme") in THEMES:
            keep(request, response, THEME_COOKIE, form["theme"])
        return response

    # -------------------------------------------------------------------------------------------------------- drawing

    def _look(self, request: Request) -> Look:
        return look_of(request, self._playbook.default_language)

    def _session_values(self, at_work: SignedIn) -> Mapping[str, object]:
        return {"agent": at_work.agent, "csrf": self._seals.form_token(at_work.session), "new_key": self._token}

    def _page(
        self, request: Request, template: str, look: Look, values: Mapping[str, object], status: int = 200
    ) -> HTMLResponse:
        label = self._labels[look.language]
        drawn = {"label": label, "look": look, "back": request.url.path, **values}
        return self._drawing.page(template, drawn, status)

    def says(self, request: Request, slug: str, status: int) -> Response:
        """A page, or for htmx a line, that says why there is nothing else."""
        look = self._look(request)
        says = self._labels[look.language](slug, limit=MOST_TEXT // 1024)
        if "hx-request" in request.headers:
            return HTMLResponse(Markup("<p>{}</p>").format(says), status)
        return self._page(request, "says.html", look, {"says": says}, status)


class StalePage(HTTPException):
    def __init__(self) -> None:
        super().__init__(403, "The form is not one of this session's.")


class NoSuchConversation(HTTPException):
    def __init__(self) -> None:
        super().__init__(404, "There is no such conversation.")
