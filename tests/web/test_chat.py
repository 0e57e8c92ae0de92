"""What a customer relies on at /chat."""

import asyncio
import re
from collections.abc import AsyncGenerator
from datetime import timedelta
from html import unescape

import httpx
import pytest
from tests.web.desk import SECRET, RunningDesk
from tests.web.visits import Visitor, until

from imconnect.domain.conversations import Stage
from imconnect.domain.events import AgentReplied, AgentTook
from imconnect.domain.messages import Address, Language
from imconnect.ports import Line, Speaker, StoreUnavailable
from imconnect.web.armour import MOST_BODY, MOST_TEXT
from imconnect.web.sessions import Seals

PHRASE = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"


def address_of(visitor: Visitor) -> Address:
    peer = Seals(SECRET).chat(visitor.http.cookies.get("imconnect_chat"))
    assert peer is not None
    return Address("web", "chat", peer)


async def transcript(desk: RunningDesk, visitor: Visitor) -> list[Line]:
    return list(await desk.store.transcript(address_of(visitor), 0, 200))


async def spoken_by(desk: RunningDesk, visitor: Visitor, speaker: Speaker) -> list[Line]:
    return [line for line in await transcript(desk, visitor) if line.speaker is speaker]


async def test_a_question_is_stored_and_answered(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    answer = await visitor.write("How do I reset my password?")

    assert answer.status_code == 200
    assert "How do I reset my password?" in answer.json()["lines"][0]["html"]
    assert await visitor.shows("/chat", desk.playbook.flows["password-reset"].steps["reset"].texts[Language.ENGLISH])


async def test_the_same_post_twice_is_one_message(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    await visitor.write("my transfer has not arrived", message_id="same-message")
    again = await visitor.write("my transfer has not arrived", message_id="same-message")

    assert again.status_code == 200
    assert len(await spoken_by(desk, visitor, Speaker.CUSTOMER)) == 1


async def test_nobody_can_use_up_the_ids_of_another(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    await visitor.write("mine", message_id="same-message")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=desk.app), base_url="http://desk.test") as client:
        other = Visitor(client)
        await other.page("/chat")
        await other.write("another's", message_id="same-message")

        assert [line.text for line in await spoken_by(desk, other, Speaker.CUSTOMER)] == ["another's"]


async def test_a_reload_shows_the_whole_transcript(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    for number in range(4):
        await visitor.write(f"this is line number {number}")
    page = await visitor.page("/chat")

    assert [f"this is line number {number}" in page for number in range(4)] == [True] * 4


async def test_the_session_is_one_for_good_and_out_of_scripts_reach(visitor: Visitor) -> None:
    first = await visitor.http.get("/chat")
    second = await visitor.http.get("/chat")

    assert first.cookies["imconnect_chat"] == second.cookies["imconnect_chat"]
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=31536000" in cookie


async def test_over_https_the_session_never_travels_in_the_clear(desk: RunningDesk) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=desk.app), base_url="https://desk.test") as client:
        page = await client.get("/chat")

    assert "Secure" in page.headers["set-cookie"]


async def test_a_forged_session_sees_nothing_and_starts_anew(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    await visitor.write("only for my eyes")
    peer = address_of(visitor).peer
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=desk.app), base_url="http://desk.test") as client:
        client.cookies.set("imconnect_chat", f'"{peer}".forged', path="/chat")
        page = await client.get("/chat")
        posted = await Visitor(client).write("as somebody else")

    assert "only for my eyes" not in page.text
    assert posted.status_code == 403 or "only for my eyes" not in posted.text


async def test_without_a_session_a_post_says_so_and_gives_the_text_back(visitor: Visitor) -> None:
    answer = await visitor.http.post("/chat/messages", data={"id": "message-1", "text": "keep me"})

    assert answer.status_code == 403
    assert "Your session has ended" in answer.text
    assert ">keep me</textarea>" in answer.text


async def test_without_scripts_a_form_is_enough(desk: RunningDesk, visitor: Visitor) -> None:
    page = await visitor.page("/chat")
    form = re.search(r'<form id="composer".*?name="id" value="(\w+)"', page, re.DOTALL)
    assert form is not None
    posted = await visitor.http.post("/chat/messages", data={"id": form[1], "text": "my transfer has not arrived"})

    assert (posted.status_code, posted.headers["location"]) == (303, "/chat#latest")
    assert await visitor.shows("/chat", desk.playbook.article("tx-not-received", Language.ENGLISH).answer[:40])


async def test_a_button_is_sent_as_its_key_and_shown_as_its_words(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    await visitor.press("t:human")

    assert [line.text for line in await spoken_by(desk, visitor, Speaker.CUSTOMER)] == [
        desk.playbook.article("human", Language.ENGLISH).title
    ]
    assert await until(lambda: waiting(desk, visitor))


async def waiting(desk: RunningDesk, visitor: Visitor) -> bool:
    found = await desk.store.state_at(address_of(visitor))
    return found is not None and found.stage is Stage.WAITING


@pytest.mark.parametrize("key", ["t:no-such-topic", "anything", "l:xx"])
async def test_a_button_that_was_never_there_is_turned_away(visitor: Visitor, key: str) -> None:
    await visitor.page("/chat")

    assert (await visitor.press(key)).status_code == 400


async def test_where_the_case_stands_is_on_the_page(visitor: Visitor) -> None:
    await visitor.page("/chat")
    await visitor.press("t:human")

    assert await visitor.shows("/chat", "Place 1,")
    assert await visitor.shows("/chat", "Reference IM-1001")


async def test_a_secret_is_shown_to_nobody_again(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    answer = await visitor.write(f"here it is: {PHRASE}")
    page = await visitor.page("/chat")

    (line,) = re.findall(r'<li class="line you.*?</li>', page, re.DOTALL)
    assert "abandon" not in answer.text + page
    assert "This message was removed for your safety" in line
    assert 'class="said"' not in line  # not even what the guard put in its place
    assert [line.secret for line in await spoken_by(desk, visitor, Speaker.CUSTOMER)] != [None]


async def test_markup_in_a_message_stays_text(visitor: Visitor) -> None:
    await visitor.page("/chat")
    await visitor.write('<img src=x onerror="alert(1)">')
    page = await visitor.page("/chat")

    assert "<img" not in page
    assert '<img src=x onerror="alert(1)">' in unescape(page)


@pytest.mark.parametrize("text", ["a" * (MOST_TEXT + 1), "字" * (MOST_TEXT // 3 + 1), "a" * (MOST_BODY + 1)])
async def test_too_long_a_message_is_told_so_in_words(desk: RunningDesk, visitor: Visitor, text: str) -> None:
    await visitor.page("/chat")
    answer = await visitor.write(text)

    assert answer.status_code == 413
    assert answer.json()["error"] == "Too long: at most 16,000 characters"
    assert await transcript(desk, visitor) == []


async def test_a_body_without_end_is_not_read_to_its_end(visitor: Visitor) -> None:
    sent = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b"x" * 4096

    await visitor.page("/chat")
    answer = await visitor.http.post(
        "/chat/messages", content=endless(), headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert answer.status_code == 413
    assert sent < 20


async def test_the_longest_message_allowed_arrives_whole(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    text = "字" * (MOST_TEXT // 3)
    answer = await visitor.write(text)

    assert answer.status_code == 200
    assert [line.text for line in await spoken_by(desk, visitor, Speaker.CUSTOMER)] == [text]


@pytest.mark.parametrize("text", ["", "  \n "])
async def test_an_empty_message_is_asked_to_be_written_first(visitor: Visitor, text: str) -> None:
    await visitor.page("/chat")
    answer = await visitor.write(text)

    assert (answer.status_code, answer.json()["error"]) == (400, "Please write something first")


async def test_many_messages_are_slowed_and_none_is_dropped(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    started = asyncio.get_running_loop().time()
    answers = await asyncio.gather(*(visitor.write(f"quick line {number}") for number in range(34)))
    took = asyncio.get_running_loop().time() - started

    assert {answer.status_code for answer in answers} == {200}
    assert len(await spoken_by(desk, visitor, Speaker.CUSTOMER)) == 34
    assert took > 0.5  # the last waits about a second


async def test_a_flood_is_asked_to_wait_and_what_it_wrote_stays_in_the_box(visitor: Visitor) -> None:
    await visitor.page("/chat")
    posts = [asyncio.create_task(visitor.write(f"flood {number}")) for number in range(150)]
    waiting_still = set(posts)
    refused: list[httpx.Response] = []
    while waiting_still and not refused:
        done, waiting_still = await asyncio.wait(waiting_still, return_when=asyncio.FIRST_COMPLETED)
        refused += [answer for task in done if (answer := task.result()).status_code == 429]
    plain = await visitor.http.post("/chat/messages", data={"id": "message-99", "text": "and this"})
    for task in waiting_still:
        task.cancel()
    await asyncio.gather(*waiting_still, return_exceptions=True)

    assert refused
    assert refused[0].headers["retry-after"] == "5"
    assert plain.status_code == 429
    assert ">and this</textarea>" in plain.text


async def test_while_nobody_takes_messages_nothing_is_acknowledged(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    await desk.stop_listening()
    refused = await visitor.write("is anybody there?", message_id="kept-message")
    await desk.listen_again()
    taken = await visitor.write("is anybody there?", message_id="kept-message")

    assert (refused.status_code, taken.status_code) == (503, 200)
    assert refused.json()["error"] == "Something went wrong. Please try again"
    assert len(await spoken_by(desk, visitor, Speaker.CUSTOMER)) == 1


async def test_a_database_that_is_away_is_told_in_the_customers_words(
    desk: RunningDesk, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*arguments: object) -> object:
        raise StoreUnavailable("the database is away")

    await visitor.page("/chat")
    monkeypatch.setattr(desk.store, "transcript", away)
    page = await visitor.http.get("/chat")

    assert (page.status_code, page.text) == (503, "Something went wrong. Please try again")


@pytest.mark.parametrize(
    ("accepts", "tag"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("en-GB", "en"),
        ("fr, en;q=0.5, zh;q=0.2", "en"),
        ("de", "zh-Hans"),
        ("", "zh-Hans"),
        ("en;q=rubbish, zh;q=0.1", "zh-Hans"),
    ],
)
async def test_the_page_speaks_the_browsers_language_else_the_packs(visitor: Visitor, accepts: str, tag: str) -> None:
    page = await visitor.http.get("/chat", headers={"Accept-Language": accepts})

    assert f'<html lang="{tag}"' in page.text


async def test_the_switch_changes_the_page_and_the_conversation(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    await visitor.write("my transfer has not arrived")
    switched = await visitor.http.post("/chat/language", data={"language": "zh"})

    async def fixed() -> bool:
        found = await desk.store.state_at(address_of(visitor))
        return found is not None and found.language is Language.CHINESE and found.language_fixed

    assert switched.status_code == 303
    assert await until(fixed)
    assert '<html lang="zh-Hans"' in await visitor.page("/chat")


async def test_the_switch_alone_begins_no_conversation(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    await visitor.http.post("/chat/language", data={"language": "zh"})

    assert '<html lang="zh-Hans"' in await visitor.page("/chat")
    assert await desk.store.state_at(address_of(visitor)) is None


async def test_the_look_is_remembered(visitor: Visitor) -> None:
    await visitor.http.post("/chat/theme", data={"theme": "dark"})

    assert 'data-theme="dark"' in await visitor.page("/chat")


async def test_an_agents_answer_is_on_the_page_with_the_agents_name(
    desk: RunningDesk, visitor: Visitor, agent: Visitor
) -> None:
    await visitor.page("/chat")
    await visitor.press("t:human")
    assert await until(lambda: waiting(desk, visitor))
    for act in (AgentTook("Lin"), AgentReplied("Lin", "Look at https://tronscan.org/#/tx and https://evil.example")):
        await desk.store.act("IM-1001", act, str(act), desk.time())

    assert await visitor.shows("/chat", "Support · Lin")
    page = await visitor.page("/chat")
    assert 'href="https://tronscan.org/#/tx"' in page
    assert 'href="https://evil.example"' not in page


async def test_every_page_keeps_to_itself(visitor: Visitor) -> None:
    for path in ("/chat", "/inbox", "/static/chat.js", "/healthz", "/api/docs", "/nowhere"):
        answer = await visitor.http.get(path)
        policy = answer.headers["content-security-policy"]

        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_no_page_asks_anything_of_another_host(visitor: Visitor, agent: Visitor) -> None:
    pages = [await visitor.page("/chat"), await agent.page("/inbox"), await agent.page("/api/docs")]

    assert [re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]+"', page) for page in pages] == [[], [], []]
    assert [re.findall(r"<script(?! src=)|\son\w+=|\sstyle=", page) for page in pages] == [[], [], []]


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}],
)
async def test_another_sites_page_cannot_write_here(
    desk: RunningDesk, visitor: Visitor, headers: dict[str, str]
) -> None:
    await visitor.page("/chat")
    posted = await visitor.http.post("/chat/messages", data={"id": "message-1", "text": "hi"}, headers=headers)

    assert posted.status_code == 403
    assert await transcript(desk, visitor) == []


async def test_a_form_under_no_referrer_is_still_ours(visitor: Visitor) -> None:
    await visitor.page("/chat")
    posted = await visitor.http.post(
        "/chat/messages",
        data={"id": "message-1", "text": "hi"},
        headers={"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    )

    assert posted.status_code == 303


async def test_an_upload_is_no_form_of_ours(visitor: Visitor) -> None:
    await visitor.page("/chat")
    posted = await visitor.http.post("/chat/messages", data={"id": "message-1"}, files={"text": b"x"})

    assert posted.status_code == 415


async def test_a_session_may_be_left_alone_for_months(visitor: Visitor, desk: RunningDesk) -> None:
    await visitor.page("/chat")
    await visitor.write("remember me")
    desk.time.ahead = timedelta(days=200)

    assert await visitor.shows("/chat", "remember me")
