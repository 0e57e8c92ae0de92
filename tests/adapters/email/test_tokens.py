"""Access tokens are asked for when they are needed, and no more often."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from pydantic import SecretStr

from imconnect.ports import TryLater
from imconnect_email.settings import OAuthSettings
from imconnect_email.tokens import tokens_of


class Endpoint:
    """A token endpoint that counts its answers."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, list[str]]] = []
        self.answer: dict[str, object] = {"expires_in": 3600}
        self.status = 200

    async def take(self, request: web.Request) -> web.Response:
        self.asked.append(parse_qs(await request.text()))
        return web.json_response({"access_token": f"token-{len(self.asked)}", **self.answer}, status=self.status)


@pytest.fixture
async def endpoint() -> AsyncGenerator[Endpoint]:
    made = Endpoint()
    app = web.Application()
    app.router.add_post("/token", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    yield made
    await runner.cleanup()


def refreshing(endpoint: Endpoint) -> OAuthSettings:
    return OAuthSettings(token_url=endpoint.url, client_id="c", refresh_token=SecretStr("first"), scope="mail")


def printing(folder: Path, code: str) -> OAuthSettings:
    program = folder / "mail-token.py"
    program.write_text(code)
    return OAuthSettings(token_command=SecretStr(f"'{sys.executable}' '{program}'"))


async def test_a_token_is_kept_while_it_is_good_and_many_cause_one_question(endpoint: Endpoint) -> None:
    tokens = tokens_of(refreshing(endpoint))
    given = await asyncio.gather(*(tokens.token() for _ in range(5)))

    assert set(given) == {"token-1"}
    assert endpoint.asked == [
        {"grant_type": ["refresh_token"], "refresh_token": ["first"], "client_id": ["c"], "scope": ["mail"]}
    ]


async def test_a_refused_or_ending_token_is_replaced(endpoint: Endpoint) -> None:
    tokens = tokens_of(refreshing(endpoint))
    first = await tokens.token()
    tokens.refused()
    endpoint.answer = {"expires_in": 30}
    second, third = await tokens.token(), await tokens.token()

    assert (first, second, third) == ("token-1", "token-2", "token-3")


async def test_a_new_refresh_token_takes_the_place_of_the_old(endpoint: Endpoint) -> None:
    endpoint.answer = {"expires_in": 0, "refresh_token": "second"}
    tokens = tokens_of(refreshing(endpoint))
    await tokens.token()
    await tokens.token()

    assert [asked["refresh_token"] for asked in endpoint.asked] == [["first"], ["second"]]


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        (400, {"error": "invalid_grant"}, "refuses (400): renew email.oauth.refresh_token"),
        (200, {"access_token": 7}, "refuses (200)"),
        (200, {"access_token": "two words"}, "is none: look at email.oauth"),
    ],
)
async def test_an_endpoint_that_gives_none_names_the_cure(
    endpoint: Endpoint, status: int, answer: dict[str, object], says: str
) -> None:
    endpoint.status, endpoint.answer = status, answer
    with pytest.raises(TryLater) as refused:
        await tokens_of(refreshing(endpoint)).token()

    assert says in refused.value.reason
    assert refused.value.after == 60


async def test_nobody_at_the_endpoint_is_tried_again() -> None:
    nobody = OAuthSettings(token_url="http://127.0.0.1:1/token", client_id="c", refresh_token=SecretStr("r"))
    with pytest.raises(TryLater, match="cannot be reached"):
        await tokens_of(nobody).token()


async def test_a_command_prints_a_token_that_is_kept_for_a_while(tmp_path: Path) -> None:
    count = tmp_path / "count"
    code = f"p = open({str(count)!r}, 'a+'); p.write('x'); p.seek(0); print(' tok-' + str(len(p.read())))"
    tokens = tokens_of(printing(tmp_path, code))
    first, again = await tokens.token(), await tokens.token()
    tokens.refused()

    assert (first, again, await tokens.token()) == ("tok-1", "tok-1", "tok-2")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise SystemExit(3)", "failed with code 3"),
        ("print('not one token')", "is none"),
        ("pass", "is none"),
    ],
)
async def test_a_command_that_gives_none_says_so_without_its_words(tmp_path: Path, code: str, says: str) -> None:
    with pytest.raises(TryLater) as refused:
        await tokens_of(printing(tmp_path, code)).token()

    assert says in refused.value.reason
    assert "not one" not in refused.value.reason


async def test_a_command_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imconnect_email.tokens.ANSWER_WITHIN", 0.3)
    with pytest.raises(TryLater, match="does not end"):
        await tokens_of(printing(tmp_path, "import time; time.sleep(60)")).token()


async def test_a_command_that_is_not_there_is_said_so() -> None:
    absent = OAuthSettings(token_command=SecretStr("/nowhere/mail-token"))
    with pytest.raises(TryLater, match=r"email\.oauth\.token_command cannot be run"):
        await tokens_of(absent).token()
