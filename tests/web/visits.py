"""What people do at the pages, by plain requests: read, fill in a form, press a button."""

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from html import unescape
from typing import TypeVar

import httpx

T = TypeVar("T")

_numbers = itertools.count(1)


async def until(found: Callable[[], Awaitable[T]], patience: float = 5.0) -> T:
    """What *found* finds, as soon as it finds something; the desk works beside us and needs a moment."""
    deadline = asyncio.get_running_loop().time() + patience
    while not (something := await found()) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - as said
        await asyncio.sleep(0.01)
    return something


@dataclass(slots=True)
class Visitor:
    """Somebody with a browser's cookies. Ids of messages are as fresh as a browser's."""

    http: httpx.AsyncClient
    last: int = field(default=0)

    async def page(self, path: str) -> str:
        return (await self.http.get(path)).text

    async def write(self, text: str, message_id: str = "", **fields: str) -> httpx.Response:
        """Post a message as the chat page's script does."""
        form = {"id": message_id or f"message-{next(_numbers):04}", "text": text, **fields}
        return await self.http.post("/chat/messages", data=form, headers={"Accept": "application/json"})

    async def press(self, key: str) -> httpx.Response:
        return await self.write("", choice=key)

    async def act(self, reference: str, act: str, text: str = "", **fields: str) -> httpx.Response:
        """Send the form of *act* on the open conversation's page; *fields* replace what the form holds."""
        hidden = await self.form(reference, act)
        return await self.http.post(f"/inbox/{reference}/{act}", data={**hidden, "text": text, **fields})

    async def form(self, reference: str, act: str) -> dict[str, str]:
        """The hidden fields of a form on the page: the token of the session and the key of this very form."""
        page = await self.page(f"/inbox/{reference}")
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        form = re.search(rf'action="/inbox/[^"]*/{act}".*?name="key" value="([^"]+)"', page, re.DOTALL)
        return {"csrf": token[1] if token else "", "key": form[1] if form else f"fresh-key-{next(_numbers)}"}

    async def shows(self, path: str, words: str) -> bool:
        """Whether the page comes to show *words*."""

        async def there() -> bool:
            return words in unescape(await self.page(path))

        return await until(there)
