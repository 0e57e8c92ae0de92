"""`/chat`: where a customer writes, reads, and comes back to."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from markupsafe import Markup

from imconnect.domain.conversations import Conversation, Stage
from imconnect.domain.drafting import (
    HELP,
    LANGUAGE,
    LANGUAGE_CHOICE,
    NO,
    PRIVATE,
    SKIP,
    START,
    STATUS,
    TOPIC_CHOICE,
    VERIFY,
    YES,
)
from imconnect.domain.messages import Handle, Incoming, Language
from imconnect.domain.playbook import Playbook
from imconnect.domain.triage import GIVES_THE_FUNDS_AWAY
from imconnect.ports import Changes, Line, Speaker, Store, StoreUnavailable, TryLater
from imconnect.web.armour import MOST_TEXT, TooLarge, form_of, too_long
from imconnect.web.chat import WebChat
from imconnect.web.front import (
    LANGUAGE_COOKIE,
    TAGS,
    THEME_COOKIE,
    THEMES,
    WRITTEN,
    Drawing,
    Look,
    keep,
    look_of,
    script_for,
    see_other,
)
from imconnect.web.sessions import Brake, Seals
from imconnect.web.sse import COMMENT, HEARTBEAT, RECONNECT, REST, Ringing, Seat, Streams, event, stream
from imconnect.web.transcript import Unshown
from imconnect.web.wording import ours, theirs, wait_in_words

COOKIE = "imconnect_chat"
COOKIE_LIFE = timedelta(days=365)
LONGEST_DELAY = 20.0
"""Seconds a message may be held back; a session that writes faster still is asked to wait."""

ANSWERED_WITHIN = 2.0
"""Seconds a page without scripts waits for the answer: it shows what is there when it is drawn, and nothing later."""

BUTTONS: Mapping[str, str] = {
    YES: "yes",
    NO: "no",
    SKIP: "skip",
    START: "command_start",
    HELP: "command_help",
    STATUS: "command_status",
    LANGUAGE: "command_language",
    VERIFY: "command_verify",
    PRIVATE: "private",
}
"""The label of each button that is neither a topic's nor a language's."""

SWITCH: Mapping[str, tuple[str, Language]] = {
    "zh-Hans": ("language_hans", Language.CHINESE),
    "zh-Hant": ("language_hant", Language.CHINESE),
    "en": ("language_en", Language.ENGLISH),
}
"""What the page can be shown in, and where each calls itself by its own name."""

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
        address = self._chat.address(peer)
        lines = await Unshown(self._store, address).next()
        standing = await self._store.state_at(address)
        look = self._look(request, standing)
        values = {
            **self._words(look),
            "look": look,
            "switch": [(tag, self._name(tag)) for tag in SWITCH if tag != look.tag],
            "lines": [self._drawn(line, look) for line in lines],
            "last": max((line.id for line in lines), default=0),
            "standing": self._standing(standing, look),
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

    def _look(self, request: Request, standing: Conversation | None) -> Look:
        """How the visitor wants the page, in the characters the visitor writes."""
        script = script_for(request, standing.script if standing else None)
        return replace(look_of(request, self._playbook.default_language), script=script)

    def _words(self, look: Look) -> Mapping[str, object]:
        playbook = self._playbook.written_in(look.script)

        def label(slug: str, **values: object) -> str:
            return playbook.label(slug, look.language, **values)

        return {"label": label, "token": self._token}

    def _title(self, slug: str, look: Look) -> str:
        return self._playbook.written_in(look.script).article(slug, look.language).title

    def _name(self, tag: str) -> str:
        label, language = SWITCH[tag]
        return self._playbook.label(label, language)

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

    def _standing(self, conversation: Conversation | None, look: Look) -> Mapping[str, str]:
        """Where the conversation stands, in words; empty before it began."""
        if conversation is None:
            return {}
        playbook, language = self._playbook.written_in(look.script), look.language
        label, line = playbook.label, conversation.line
        standing = {
            "tag": look.tag,
            "stage": label(f"stage_{conversation.stage.value}", language),
            "reference": label("reference", language, reference=conversation.reference),
        }
        if line is not None:
            wait = wait_in_words(line.wait, playbook, language)
            standing["place"] = label("place_in_line", language, place=line.place, wait=wait)
        return standing

    async def events(self, request: Request) -> Response:
        """New lines, changed ones, and where the conversation stands."""
        peer = self._peer(request)
        if peer is None:
            return Response(status_code=204)  # tells an EventSource to stop asking
        asked = request.headers.get("last-event-id") or request.query_params.get("after", "")
        after = int(asked) if asked.isdecimal() and len(asked) < 19 else 0
        return stream(self._stream(request, peer, after))

    async def _stream(self, request: Request, peer: str, after: int) -> AsyncIterator[str]:
        yield RECONNECT
        posted = self._chat.watch(peer)
        try:
            with self._streams.admit(peer) as seat:
                async for one in self._follow(request, peer, after, seat, posted):
                    yield one
                if seat.resting:
                    yield REST
        except StoreUnavailable:
            return  # the page connects again by itself, and then knows where it was
        finally:
            self._chat.unwatch(peer, posted)

    async def _follow(self, request: Request, peer: str, after: int, seat: Seat, posted: Changes) -> AsyncIterator[str]:
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
                    look = self._look(request, standing)
                    for line in await unshown.next():
                        seen = max(seen, line.id)
                        yield event("line", self._line_data(line, look), seen)
                    now_stands = event("standing", self._standing(standing, look))
                    yield now_stands if now_stands != told else COMMENT
                    told = now_stands
                    await ringing.first(HEARTBEAT)
                    standing = await self._store.state_at(address)

    def _line_data(self, line: Line, look: Look) -> Mapping[str, object]:
        return {"id": line.id, "speaker": line.speaker.value, "html": self._drawn(line, look)}

    # -------------------------------------------------------------------------------------------------------- writing

    async def post(self, request: Request) -> Response:
        """Take a message or a pressed button. The same `id` twice is the same message."""
        peer = self._peer(request)
        form: Mapping[str, str] = {}
        try:
            form = await form_of(request)
            await self._take(request, peer, form)
        except TooLarge:
            language = look_of(request, self._playbook.default_language).language
            return await self._refuse(request, peer, Fault("error_too_long", 413, _most_characters(language)), form)
        except Fault as fault:
            return await self._refuse(request, peer, fault, form)
        return await self._taken(request, peer or "", form)

    async def _taken(self, request: Request, peer: str, form: Mapping[str, str]) -> Response:
        """What the page shows next; whoever chose a language reads the page in it as well."""
        look = self._look(request, await self._known(peer))
        language = form.get("choice", "").removeprefix(LANGUAGE_CHOICE)
        chosen = form.get("choice", "").startswith(LANGUAGE_CHOICE) and language in tuple(Language)
        if chosen:
            look = replace(look, language=Language(language))
        if _wants_json(request):
            lines = await self._since(peer, form.get("after", ""), look)
            response: Response = JSONResponse({"lines": lines, "tag": look.tag})
        else:
            await self._answered(peer)
            response = see_other("/chat#latest")
        if chosen:
            keep(request, response, LANGUAGE_COOKIE, language)
        return response

    async def _take(self, request: Request, peer: str | None, form: Mapping[str, str]) -> None:
        if peer is None:
            raise Fault("error_session", 403)
        message_id, choice = form.get("id", ""), form.get("choice") or None
        language = look_of(request, self._playbook.default_language).language
        text = await self._chosen(request, peer, choice) if choice else form.get("text", "")
        if too_long(text):
            raise Fault("error_too_long", 413, limit=_most_characters(language))
        if not text.strip() or not _MESSAGE_ID.fullmatch(message_id):
            raise Fault("error_empty", 400)
        delay = self._brake.delay(peer, self._clock())
        if delay > LONGEST_DELAY:
            self._brake.refund(peer)
            raise Fault("error_too_fast", 429)
        await asyncio.sleep(delay)
        try:
            await self._deliver(peer, message_id, text, choice, language)
        except (TryLater, StoreUnavailable):
            raise Fault("error_unknown", 503) from None

    async def _answered(self, peer: str) -> None:
        """Return when the desk has said something to the last message, or has had the time to."""
        bell = self._chat.watch(peer)
        with suppress(TimeoutError, StoreUnavailable):
            async with asyncio.timeout(ANSWERED_WITHIN):
                while await self._unanswered(peer):
                    await bell.wait(ANSWERED_WITHIN)
        self._chat.unwatch(peer, bell)

    async def _unanswered(self, peer: str) -> bool:
        address = self._chat.address(peer)
        standing = await self._store.state_at(address)
        if standing is not None and standing.stage is Stage.WITH_AGENT:
            return False  # a person answers when it suits a person
        lines = await Unshown(self._store, address).next()
        return not lines or lines[-1].speaker is Speaker.CUSTOMER

    async def _known(self, peer: str) -> Conversation | None:
        """Where the conversation stands; None too while nobody can say."""
        with suppress(StoreUnavailable):
            return await self._store.state_at(self._chat.address(peer))
        return None

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

    async def _chosen(self, request: Request, peer: str, key: str) -> str:
        """The words of a button as the conversation says them; "" for a key that is none of ours."""
        standing = await self._known(peer)
        look = self._look(request, standing)
        playbook = self._playbook.written_in(look.script)
        language = standing.language if standing else look.language
        slug = key.removeprefix(TOPIC_CHOICE)
        if key.startswith(TOPIC_CHOICE) and slug in playbook.topics:
            return playbook.article(slug, language).title
        spoken = key.removeprefix(LANGUAGE_CHOICE)
        if key.startswith(LANGUAGE_CHOICE) and spoken in tuple(Language):
            return playbook.label(f"language_{spoken}", language)
        return playbook.label(BUTTONS[key], language) if key in BUTTONS else ""

    async def _refuse(self, request: Request, peer: str | None, fault: Fault, form: Mapping[str, str]) -> Response:
        """Say why, and give back what was typed."""
        retry = {"Retry-After": "5"} if fault.status in (429, 503) else {}
        if _wants_json(request):
            look = self._look(request, await self._known(peer) if peer else None)
            return JSONResponse({"error": self._says(fault, look)}, fault.status, retry)
        response = await self._page(request, peer or self._token(), fault, form.get("text", ""))
        response.headers.update(retry)
        return response

    def _says(self, fault: Fault, look: Look) -> str:
        return self._playbook.written_in(look.script).label(fault.label, look.language, limit=fault.limit)

    def unavailable(self, request: Request) -> Response:
        """The page itself cannot be drawn: say so in the customer's language."""
        says = self._says(Fault("error_unknown", 503), self._look(request, None))
        retry = {"Retry-After": "5"}
        if _wants_json(request):
            return JSONResponse({"error": says}, 503, retry)
        return PlainTextResponse(says, 503, retry)

    # ---------------------------------------------------------------------------------------------------- preferences

    async def choose_language(self, request: Request) -> Response:
        """Show the page in another language; a conversation that has begun goes on in it."""
        wanted = (await form_of(request)).get("language", "")
        response = see_other("/chat")
        if wanted not in WRITTEN:
            return response
        keep(request, response, LANGUAGE_COOKIE, wanted)
        peer = self._peer(request)
        if peer is None or await self._store.state_at(self._chat.address(peer)) is None:
            return response
        with suppress(TryLater, StoreUnavailable):  # the page changes all the same; the next message may be told
            await self._fix_language(peer, wanted)
        return response

    async def _fix_language(self, peer: str, wanted: str) -> None:
        """Tell the conversation, unless somebody only plays with the switch.

        It is told by the language's own name, whose characters say which ones the visitor reads.
        """
        if self._brake.delay(peer, self._clock()):
            self._brake.refund(peer)
            return
        language, _ = WRITTEN[wanted]
        name = self._name(wanted if wanted in SWITCH else TAGS[language])
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
