"""`/inbox/files/ID`: what customers sent, for agents alone, and never as a page of ours."""

from collections.abc import Mapping
from urllib.parse import quote

from fastapi import HTTPException, Request
from fastapi.responses import Response

from imconnect.domain.playbook import Playbook
from imconnect.domain.triage import GIVES_THE_FUNDS_AWAY, SECRET_LEAKED
from imconnect.formats.written import lower
from imconnect.guard.phrases import in_context
from imconnect.ports import Dossier, FileOfMessage, FileState, Speaker, Store
from imconnect.web.inbox_door import Door
from imconnect.web.labels import Labels
from imconnect.web.wording import size_in_words

PREVIEWED = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Pictures that can hold no script (SVG can). A browser draws these, and these only, where an agent asks for it."""

ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp", "application/pdf": "pdf"}


class NoSuchFile(HTTPException):
    def __init__(self) -> None:
        super().__init__(404, "There is no such file, or it was not kept.")


class FilePages:
    """Hands out kept files."""

    def __init__(self, store: Store, door: Door) -> None:
        self._store = store
        self._door = door

    async def show(self, request: Request) -> Response:
        """The file, to be saved: sandboxed, under the type its content has, and none where browsers would run it."""
        await self._door.at_work(request)
        number = str(request.path_params["file"])
        found = await self._store.file(int(number)) if number.isdecimal() and len(number) < 19 else None
        if found is None or found[0].state is not FileState.KEPT:
            raise NoSuchFile
        file, content = found
        return Response(content, media_type=_served_as(file.media_type), headers=_headers(file))


def _served_as(media_type: str) -> str:
    return media_type if media_type in PREVIEWED else "application/octet-stream"


def _headers(file: FileOfMessage) -> dict[str, str]:
    """RFC 6266: a plain name of ours for old browsers, and the customer's, encoded, for all others."""
    plain_name = f"file-{file.id}.{ENDINGS.get(file.media_type, 'bin')}"
    theirs = quote(file.file.name or plain_name, safe="")
    return {
        "Content-Disposition": f"attachment; filename=\"{plain_name}\"; filename*=UTF-8''{theirs}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }


def drawn_file(file: FileOfMessage, label: Labels, *, veiled: bool) -> Mapping[str, object]:
    """A file as a line shows it: what it is and what became of it, and where it can be had."""
    kept = file.state is FileState.KEPT
    kind = file.media_type or file.file.media_type
    state = "" if kept else label(f"file_{file.state.value}")
    if file.secret is not None:
        state = label("withheld", kind=label(f"secret_{file.secret.value}"))
    href = f"/inbox/files/{file.id}" if kept else ""
    return {
        "says": label("file", name=file.file.name, type=kind, size=size_in_words(file.file.size)),
        "name": file.file.name,
        "state": state,
        "href": href,
        "id": file.id,
        "picture": href if kind in PREVIEWED else "",
        "veiled": veiled,
    }


def is_delicate(dossier: Dossier, playbook: Playbook) -> bool:
    """Whether a picture here may well show a recovery phrase: one was removed, it is spoken of, or the topic is."""
    if any(line.secret in GIVES_THE_FUNDS_AWAY for line in dossier.lines):
        return True
    if any(file.secret is not None for line in dossier.lines for file in line.files):
        return True
    if any(in_context(lower(line.text)) for line in dossier.lines if line.speaker is Speaker.CUSTOMER):
        return True
    topic = dossier.summary.topic
    if topic is None or topic == SECRET_LEAKED or topic not in playbook.topics:
        return topic == SECRET_LEAKED
    titles = (article.title for article in playbook.topics[topic].articles.values())
    return any(in_context(lower(title)) for title in titles)
