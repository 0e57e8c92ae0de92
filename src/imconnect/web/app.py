"""All pages as one application."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from imconnect.desk.agents import AgentDesk
from imconnect.desk.questions import QuestionDesk
from imconnect.domain.playbook import Playbook
from imconnect.ports import Hook, Store, StoreUnavailable
from imconnect.web.api import Api, ApiDocs
from imconnect.web.armour import Armour
from imconnect.web.chat import WebChat
from imconnect.web.chat_pages import ChatPages
from imconnect.web.front import Drawing
from imconnect.web.health import HealthPages, Readiness
from imconnect.web.hooks import Hooks
from imconnect.web.inbox import InboxPages
from imconnect.web.inbox_door import Door
from imconnect.web.labels import read_labels
from imconnect.web.questions import QuestionPages
from imconnect.web.questions_api import QuestionsApi
from imconnect.web.sessions import Seals
from imconnect.web.sse import Streams


def _token() -> str:
    """128 random bits."""
    return secrets.token_hex(16)


def web_app(
    *,
    store: Store,
    agents: AgentDesk,
    questions: QuestionDesk,
    chat: WebChat | None,
    playbook: Playbook,
    clock: Callable[[], datetime],
    secret: str,
    render_metrics: Callable[[], bytes],
    ready: Callable[[], Awaitable[Readiness]],
    hooks: Mapping[str, Hook] | None = None,
    token: Callable[[], str] = _token,
) -> FastAPI:
    """The application. Without *chat* there is no customers' page; *secret* signs what browsers keep.

    Call `end_streams` before the server is told to stop: it waits for open streams, and they last as long as pages do.
    """
    app = FastAPI(
        title="IM Connect",
        version=version("imconnect"),
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    drawing, seals, streams, labels = Drawing(), Seals(secret), Streams(), read_labels()
    app.state.streams = streams
    door = Door(store, seals, clock)
    inbox = InboxPages(
        store=store,
        agents=agents,
        playbook=playbook,
        clock=clock,
        token=token,
        seals=seals,
        drawing=drawing,
        streams=streams,
        labels=labels,
        door=door,
    )
    growing = QuestionPages(
        questions=questions,
        playbook=playbook,
        clock=clock,
        seals=seals,
        drawing=drawing,
        labels=labels,
        door=door,
    )
    api = Api(store=store, agents=agents, door=door)
    app.include_router(HealthPages(render_metrics, ready).router())
    app.include_router(api.router())
    app.include_router(QuestionsApi(questions=questions, door=door).router())
    app.add_route("/api/docs", ApiDocs(app, drawing, labels, playbook.default_language).show, include_in_schema=False)
    pages = None
    if chat is not None:
        pages = ChatPages(
            store=store,
            chat=chat,
            playbook=playbook,
            clock=clock,
            token=token,
            seals=seals,
            drawing=drawing,
            streams=streams,
        )
        app.include_router(pages.router())
    app.include_router(growing.router())  # before the inbox, where any other word is a conversation's reference
    app.include_router(inbox.router())
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    first_page = "/chat" if chat is not None else "/inbox"
    app.add_route("/", lambda request: RedirectResponse(first_page), include_in_schema=False)
    _answer_faults(app, inbox, pages)
    app.add_middleware(Armour)
    app.add_middleware(Hooks, hooks=hooks or {})
    return app


def end_streams(app: FastAPI) -> None:
    """End every open event stream of *app*, and refuse new ones."""
    cast("Streams", app.state.streams).close()


def _answer_faults(app: FastAPI, inbox: InboxPages, chat: ChatPages | None) -> None:
    """Say what went wrong in the words of the page it happened on; never repeat what was typed."""

    async def refused(request: Request, fault: Exception) -> Response:
        assert isinstance(fault, HTTPException)  # noqa: S101 - what it is registered for
        if not request.url.path.startswith("/inbox"):
            return JSONResponse({"detail": fault.detail}, fault.status_code, fault.headers)
        if fault.status_code == 401:
            return inbox.sign_in_needed(request)
        slug = {403: "stale", 404: "not_found", 413: "too_long"}.get(fault.status_code, "stale")
        return inbox.says(request, slug, fault.status_code)

    async def invalid(request: Request, fault: Exception) -> Response:
        assert isinstance(fault, RequestValidationError)  # noqa: S101 - what it is registered for
        faults = [{"where": list(one["loc"]), "what": one["type"]} for one in fault.errors()]
        return JSONResponse({"detail": faults}, 422)

    async def unavailable(request: Request, fault: Exception) -> Response:
        if request.url.path.startswith("/inbox"):
            return inbox.says(request, "store_unavailable", 503)
        if chat is not None and request.url.path.startswith("/chat"):
            return chat.unavailable(request)
        return JSONResponse({"detail": "The database cannot be reached just now."}, 503, {"Retry-After": "5"})

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(StoreUnavailable, unavailable)
