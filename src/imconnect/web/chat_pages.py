"""`/chat`: where a customer writes, reads, and comes back to."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from markupsafe import Markup

from imconnect.domain.conversations import Conversation
from imconnect.domain.drafting import LANGUAGE_CHOICE, NO, SKIP, TOPIC_CHOICE, YES
from imconnect.domain.messages import Handle, Incoming, Language
from imconnect.domain.playbook import Playbook
from imconnect.domain.triage import GIVES_THE_FUNDS_AWAY
from imconnect.ports import Changes, Line, Speaker, Store, StoreUnavailable, TryLater
from imconnect.web.armour import MOST_TEXT, TooLarge, form_of, too_long
from imconnect.web.chat import WebChat
from imconnect.web.front import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Drawing, Look, keep, look_of, see_other
from imconnect.web.sessions import Brake, Seals
from imconnect.web.sse import COMMENT, HEARTBEAT, RECONNECT, REST, Ringing, Seat, Streams, event, stream
from imconnect.web.transcript import Unshown
from imconnect.web.wording import ours, theirs, wait_in_words

COOKIE = "imconnect_chat"
COOKIE_LIFE = timedelta(days=365)
LONGEST_DELAY = 20.0
"""Seconds a message may be held back; a session that writes faster still is asked to wait."""

_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class Fault(Exception):
    """Why a post was not taken: the label that says so, its *limit* if it names one, and the status."""

    def __init__(self, label: str, status: int, limit: str = "") -> None:
        super().__init__(label)
        self.label = label
        self.status = status
        self.limit = limit


class ChatPages:
    """The customer's page and what it posts to."""

    def __init__(
        self,
        *,
        store: Store,
        chat: WebChat,
        playbook: Playbook,
        clock: Callable[[], datetime],
        token: Callable[[], str],
        seals: Seals,
        drawing: Drawing,
        streams: Streams,
    ) -> None:
        self._store = store
        self._chat = chat
        self._playbook = playbook
        self._clock = clock
        self._token = token
        self._seals = seals
        self._drawing = drawing
        self._streams = streams
        self._brake = Brake()

    def router(self) -> APIRouter:
        router = APIRouter()
        router.add_route("/chat", self.show)
        router.add_route("/chat/messages", self.post, methods=["POST"])
        router.add_route("/chat/language", self.choose_language, methods=["POST"])
        router.add_route("/chat/theme", self.choose_theme, methods=["POST"])
        router.add_route("/chat/events", self.events)
        return router

    # -------------------------------------------------------------------------------------------------------- reading

    async def show(self, request: Request) -> Response:
        peer = self._peer(request) or self._token()
        return await self._page(request, peer)

    async def _page(self, request: Request, peer: str, fault: Fault | None = None, typed: str = "") -> Response:
        look = look_of(request, self._playbook.default_language)
        address = self._chat.address(peer)
        lines = await Unshown(self._store, address).next()
        standing = await self._store.state_at(address)
        values = {
            **self._words(look),
            "look": look,
            "lines": [self._drawn(line, look) for line in lines],
            "last": max((line.id for line in lines), default=0),
            "standing": self._standing(standing, look.language),
            "menu": [(TOPIC_CHOICE + slug, self._title(slug, look)) for slug in self._playbook.menu],
            "message_id": self._token(),
            "most_text": MOST_TEXT,
            "most_characters": _most_characters(look.language),
            "typed": typed,
            "fault": self._says(fault, look) if fault else "",
        }
        response = self._drawing.page("chat.html", values, fault.status if fault else 200)
        self._remember(request, response, peer)
        return response

    def _words(self, look: Look) -> Mapping[str, object]:
        def label(slug: str, **values: object) -> str:
            return self._playbook.label(slug, look.language, **values)

        return {"label": label, "token": self._token}

    def _title(self, slug: str, look: Look) -> str:
        return self._playbook.article(slug, look.language).title

    def _drawn(self, line: Line, look: Look) -> Markup:
        """One line as the page shows it. What was withheld is told by its label alone, whatever the store kept."""
        withheld = line.secret is not None and (line.secret in GIVES_THE_FUNDS_AWAY or not line.text)
        said = theirs(line.text, "→ {}".format) if line.speaker is Speaker.CUSTOMER else self._ours(line.text)
        values = {
            **self._words(look),
            "line": line,
            "said": Markup("") if withheld else said,
            "speaker": {Speaker.CUSTOMER: "you", Speaker.AGENT: "agent"}.get(line.speaker, "bot"),
        }
        return Markup(self._drawing.text("chat_line.html", values))  # noqa: S704 - drawn by a template that escapes

    def _ours(self, text: str) -> Markup:
        return ours(text, self._playbook.official_hosts)

    def _standing(self, conversation: Conversation | None, language: Language) -> Mapping[str, str]:
        """Where the conversation stands, in words; empty before it began."""
        if conversation is None:
            return {}
        label, line = self._playbook.label, conversation.line
        standing = {
            "stage": label(f"stage_{conversation.stage.value}", language),
            "reference": label("reference", language, reference=conversation.reference),
        }
        if line is not None:
            wait = wait_in_words(line.wait, self._playbook, language)
            standing["place"] = label("place_in_line", language, place=line.place, wait=wait)
        return standing

    async def events(self, request: Request) -> Response:
        """New lines, changed ones, and where the conversation stands."""
        peer = self._peer(request)
        if peer is None:
            return Response(status_code=204)  # tells an EventSource to stop asking
        asked = request.headers.get("last-event-id") or request.query_params.get("after", "")
        after = int(asked) if asked.isdecimal() and len(asked) < 19 else 0
        return stream(self._stream(peer, look_of(request, self._playbook.default_language), after))

    async def _stream(self, peer: str, look: Look, after: int) -> AsyncIterator[str]:
        yield RECONNECT
        posted = self._chat.watch(peer)
        try:
            with self._streams.admit(peer) as seat:
                async for one in self._follow(peer, look, after, seat, posted):
                    yield one
                if seat.resting:
                    yield REST
        except StoreUnavailable:
            return  # the page connects again by itself, and then knows where it was
        finally:
            self._chat.unwatch(peer, posted)

    async def _follow(self, peer: str, look: Look, after: int, seat: Seat, posted: Changes) -> AsyncIterator[str]:
        address = self._chat.address(peer)
        unshown, told, seen = Unshown(self._store, address, after), "", after
        while not seat.over:
            standing = await self._store.state_at(address)
            async with AsyncExitStack() as listening:
                bells: dict[str, Changes] = {"seat": seat.bell, "posted": posted}
                if standing is not None:
                    changes = self._store.changes(f"conversation:{standing.id}")
                    bells["lines"] = await listening.enter_async_context(changes)
                ringing = Ringing(bells)
                listening.push_async_callback(ringing.stop)
                followed = standing.id if standing else None
                while not seat.over and followed == (standing.id if standing else None):
                    for line in await unshown.next():
                        seen = max(seen, line.id)
                        yield event("line", self._line_data(line, look), seen)
                    now_stands = event("standing", self._standing(standing, look.language))
                    yield now_stands if now_stands != told else COMMENT
                    told = now_stands
                    await ringing.first(HEARTBEAT)
                    standing = await self._store.state_at(address)

    def _line_data(self, line: Line, look: Look) -> Mapping[str, object]:
        return {"id": line.id, "speaker": line.speaker.value, "html": self._drawn(line, look)}

    # -------------------------------------------------------------------------------------------------------- writing

    async def post(self, request: Request) -> Response:
        """Take a message or a pressed button. The same `id` twice is the same message."""
        look = look_of(request, self._playbook.default_language)
        peer = self._peer(request)
        form: Mapping[str, str] = {}
        try:
            form = await form_of(request)
            await self._take(peer, form, look)
        except TooLarge:
            fault = Fault("error_too_long", 413, limit=_most_characters(look.language))
            return await self._refuse(request, peer, fault, form)
        except Fault as fault:
            return await self._refuse(request, peer, fault, form)
        if not _wants_json(request):
            return see_other("/chat#latest")
        return JSONResponse({"lines": await self._since(peer or "", form.get("after", ""), look)})

    async def _take(self, peer: str | None, form: Mapping[str, str], look: Look) -> None:
        if peer is None:
            raise Fault("error_session", 403)
        message_id, choice = form.get("id", ""), form.get("choice") or None
        text = (self._chosen(choice, look) or "") if choice else form.get("text", "")
        if too_long(text):
            raise Fault("error_too_long", 413, limit=_most_characters(look.language))
        if not text.strip() or not _MESSAGE_ID.fullmatch(message_id):
            raise Fault("error_empty", 400)
        delay = self._brake.delay(peer, self._clock())
        if delay > LONGEST_DELAY:
            self._brake.refund(peer)
            raise Fault("error_too_fast", 429)
        await asyncio.sleep(delay)
        try:
            await self._deliver(peer, message_id, text, choice, look.language)
        except (TryLater, StoreUnavailable):
            raise Fault("error_unknown", 503) from None

    async def _since(self, peer: str, after: str, look: Look) -> Sequence[Mapping[str, object]]:
        """What the page has to add at once; nothing where it cannot be read: the message is stored all the same."""
        shown = int(after) if after.isdecimal() and len(after) < 19 else 0
        try:
            lines = await Unshown(self._store, self._chat.address(peer), shown).next()
        except StoreUnavailable:
            return []
        return [self._line_data(line, look) for line in lines]

    async def _deliver(self, peer: str, message_id: str, text: str, choice: str | None, language: Language) -> None:
        await self._chat.post(
            Incoming(
                id=f"{peer}:{message_id}",  # nobody can use up another's ids
                address=self._chat.address(peer),
                author=Handle(peer),
                text=text,
                sent_at=self._clock(),
                choice=choice,
                language_hint=language,
            )
        )

    def _chosen(self, key: str, look: Look) -> str | None:
        """The words of a button, as the page shows them; None for a key that is none of ours."""
        slug = key.removeprefix(TOPIC_CHOICE)
        if key.startswith(TOPIC_CHOICE) and slug in self._playbook.topics:
            return self._title(slug, look)
        return self._playbook.label(key, look.language) if key in (YES, NO, SKIP) else None

    async def _refuse(self, request: Request, peer: str | None, fault: Fault, form: Mapping[str, str]) -> Response:
        """Say why, and give back what was typed."""
        retry = {"Retry-After": "5"} if fault.status in (429, 503) else {}
        if _wants_json(request):
            look = look_of(request, self._playbook.default_language)
            return JSONResponse({"error": self._says(fault, look)}, fault.status, retry)
        response = await self._page(request, peer or self._token(), fault, form.get("text", ""))
        response.headers.update(retry)
        return response

    def _says(self, fault: Fault, look: Look) -> str:
        return self._playbook.label(fault.label, look.language, limit=fault.limit)

    def unavailable(self, request: Request) -> Response:
        """The page itself cannot be drawn: say so in the customer's language."""
        says = self._says(Fault("error_unknown", 503), look_of(request, self._playbook.default_language))
        retry = {"Retry-After": "5"}
        if _wants_json(request):
            return JSONResponse({"error": says}, 503, retry)
        return PlainTextResponse(says, 503, retry)

    # ---------------------------------------------------------------------------------------------------- preferences

    async def choose_language(self, request: Request) -> Response:
        """Show the page in another language; a conversation that has begun goes on in it."""
        wanted = (await form_of(request)).get("language", "")
        response = see_other("/chat")
        if wanted not in tuple(Language):
            return response
        keep(request, response, LANGUAGE_COOKIE, wanted)
        peer = self._peer(request)
        if peer is None or await self._store.state_at(self._chat.address(peer)) is None:
            return response
        with suppress(TryLater, StoreUnavailable):  # the page changes all the same; the next message may be told
            await self._fix_language(peer, Language(wanted))
        return response

    async def _fix_language(self, peer: str, language: Language) -> None:
        """Tell the conversation, unless somebody only plays with the switch."""
        if self._brake.delay(peer, self._clock()):
            self._brake.refund(peer)
            return
        other = Language.ENGLISH if language is Language.CHINESE else Language.CHINESE
        name = self._playbook.label("language_switch", other)
        await self._deliver(peer, self._token(), name, LANGUAGE_CHOICE + language.value, language)

    async def choose_theme(self, request: Request) -> Response:
        wanted = (await form_of(request)).get("theme", "")
        response = see_other("/chat")
        if wanted in THEMES:
            keep(request, response, THEME_COOKIE, wanted)
        return response

    # --------------------------------------------------------------------------------------------------------- session

    def _peer(self, request: Request) -> str | None:
        return self._seals.chat(request.cookies.get(COOKIE))

    def _remember(self, request: Request, response: Response, peer: str) -> None:
        response.set_cookie(
            COOKIE,
            self._seals.seal_chat(peer),
            max_age=int(COOKIE_LIFE.total_seconds()),
            path="/chat",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def _most_characters(language: Language) -> str:
    """The limit as a person counts: a Chinese character is three bytes of UTF-8."""
    return f"{MOST_TEXT // (3 if language is Language.CHINESE else 1) // 1000 * 1000:,}"
