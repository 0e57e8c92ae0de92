"""What an agent relies on at /inbox."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from html import unescape

import httpx
import pytest
from tests.web.desk import RunningDesk
from tests.web.visits import Visitor, until

from imconnect.domain.conversations import Stage
from imconnect.domain.messages import Address, Handle, Incoming
from imconnect.ports import Dossier, SendResult, SendState, Speaker, StoreUnavailable, Undeliverable
from imconnect.web.armour import MOST_TEXT

PHRASE = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
HUMAN = "I want to talk to a person"


async def customer_says(desk: RunningDesk, peer: str, *texts: str) -> str:
    """Somebody writes on the web chat; the reference of their conversation."""
    address = Address("web", "chat", peer)
    for number, text in enumerate(texts):
        await desk.chat.post(Incoming(f"{peer}:{number}:{text[:20]}", address, Handle(peer), text, desk.time()))
    conversation = await desk.store.state_at(address)
    assert conversation is not None
    return conversation.reference


async def in_line(desk: RunningDesk, peer: str, *texts: str) -> str:
    reference = await customer_says(desk, peer, *texts, HUMAN)
    assert await until(at_stage(desk, reference, Stage.WAITING))
    return reference


def at_stage(desk: RunningDesk, reference: str, stage: Stage) -> Callable[[], Awaitable[bool]]:
    async def there() -> bool:
        return (await dossier(desk, reference)).summary.stage is stage

    return there


async def dossier(desk: RunningDesk, reference: str) -> Dossier:
    found = await desk.store.dossier(reference)
    assert found is not None
    return found


async def said(desk: RunningDesk, reference: str, speaker: Speaker) -> list[str]:
    return [line.text for line in (await dossier(desk, reference)).lines if line.speaker is speaker]


def anonymous(desk: RunningDesk) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=desk.app)
    return httpx.AsyncClient(transport=transport, base_url="http://desk.test", headers={"Accept-Language": "en"})


# ------------------------------------------------------------------------------------------------------- signing in


async def test_looking_at_a_sign_in_link_does_not_spend_it(desk: RunningDesk) -> None:
    await desk.agent("Lin", "one link")
    async with anonymous(desk) as client:
        looks = [  # previews of chat programs, scanners of mail
            await client.get("/inbox/sign-in", params={"token": "one link"}) for _ in range(3)
        ]
        signed_in = await client.post("/inbox/sign-in", data={"token": "one link"})
        inbox = await client.get("/inbox")

    assert ['value="one link"' in look.text for look in looks] == [True] * 3
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/inbox")
    assert "Nobody is waiting." in inbox.text


async def test_a_sign_in_link_lets_in_once(desk: RunningDesk, agent: Visitor) -> None:
    async with anonymous(desk) as client:
        again = await client.post("/inbox/sign-in", data={"token": "lins link"})
        inbox = await client.get("/inbox")

    assert again.status_code == 403
    assert "used already" in again.text
    assert inbox.status_code == 401


@pytest.mark.parametrize("token", ["", "guessed"])
async def test_no_other_link_lets_in(desk: RunningDesk, token: str) -> None:
    async with anonymous(desk) as client:
        assert (await client.post("/inbox/sign-in", data={"token": token})).status_code == 403


async def test_a_session_stays_in_its_browser_and_on_this_site(desk: RunningDesk) -> None:
    await desk.agent("Lin", "one link")
    async with anonymous(desk) as client:
        cookie = (await client.post("/inbox/sign-in", data={"token": "one link"})).headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


async def test_a_session_ends_after_twelve_hours(desk: RunningDesk, agent: Visitor) -> None:
    desk.time.ahead = timedelta(hours=12, seconds=1)

    assert (await agent.http.get("/inbox")).status_code == 401


async def test_signing_out_ends_the_session_here(agent: Visitor) -> None:
    token = re.search(r'name="csrf" value="([^"]+)"', await agent.page("/inbox"))
    assert token is not None
    await agent.http.post("/inbox/sign-out", data={"csrf": token[1]})

    assert (await agent.http.get("/inbox")).status_code == 401


@pytest.mark.parametrize("path", ["/inbox", "/inbox/list", "/inbox/events", "/inbox/IM-1001", "/inbox/IM-1001/live"])
async def test_nothing_is_shown_to_strangers(desk: RunningDesk, visitor: Visitor, path: str) -> None:
    await customer_says(desk, "peer", "a private matter")
    answer = await visitor.http.get(path)

    assert answer.status_code == 401
    assert "private matter" not in answer.text


async def test_a_page_left_open_over_the_sessions_end_leads_to_sign_in(visitor: Visitor) -> None:
    answer = await visitor.http.get("/inbox/list", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/inbox")


# ----------------------------------------------------------------------------------------------------------- reading


async def test_the_line_is_in_its_order_with_place_priority_topic_and_channel(
    desk: RunningDesk, agent: Visitor
) -> None:
    calm = await in_line(desk, "calm")
    hurt = await customer_says(desk, "hurt", f"my phrase is {PHRASE}")
    assert await until(at_stage(desk, hurt, Stage.WAITING))
    page = await agent.page("/inbox")
    rows = re.findall(r'<li class="row.*?</li>', page, re.DOTALL)

    assert [hurt in rows[0], calm in rows[1]] == [True, True]
    assert ['aria-label="Place 1"' in rows[0], 'aria-label="Place 2"' in rows[1]] == [True, True]
    assert ["Urgent" in rows[0], "Normal" in rows[1]] == [True, True]
    assert "Your phrase or key was exposed" in unescape(rows[0])
    assert "Web chat" in rows[0]
    assert "waits under a minute" in rows[0]


async def test_waiting_time_grows(desk: RunningDesk, agent: Visitor) -> None:
    await in_line(desk, "peer")
    desk.time.ahead = timedelta(minutes=7)

    assert "waits 7 min" in await agent.page("/inbox")


async def test_each_conversation_is_on_the_tab_it_belongs_to(desk: RunningDesk, agent: Visitor) -> None:
    waiting = await in_line(desk, "waiting")
    mine, others, solved = [await in_line(desk, peer) for peer in ("mine", "others", "solved")]
    with_bot = await customer_says(desk, "with bot", "How do I reset my password?")
    await agent.act(mine, "take")
    await agent.act(solved, "resolve")
    await desk.agent("Mei", "meis link")
    async with anonymous(desk) as client:
        await client.post("/inbox/sign-in", data={"token": "meis link"})
        await Visitor(client).act(others, "take")
    shown = {
        tab: re.findall(r'class="reference">([^<]+)', await agent.page(f"/inbox?tab={tab}"))
        for tab in ("waiting", "mine", "others", "bot", "resolved")
    }

    assert shown == {
        "waiting": [waiting],
        "mine": [mine],
        "others": [others],
        "bot": [with_bot],
        "resolved": [solved],
    }


async def test_a_conversation_shows_what_was_said_given_and_asked_for(desk: RunningDesk, agent: Visitor) -> None:
    reference = await customer_says(
        desk,
        "peer",
        "my transfer has not arrived",
        "it was https://tronscan.org/#/transaction/853793d552635f533aa982b92b35b00e63a1c14e526154563a56315263a1c0e1",
    )

    async def given() -> bool:
        return "transaction_hash" in (await dossier(desk, reference)).details

    assert await until(given)
    page = unescape(await agent.page(f"/inbox/{reference}"))
    side = page.partition("<aside")[2]
    assert "my transfer has not arrived" in page
    assert "853793d552635f533aa982b92b35b00e63a1c14e526154563a56315263a1c0e1" in side
    assert desk.playbook.details["wallet_address"].titles[list(desk.playbook.labels)[-1]] in side
    assert "Asked for, not given" in side


async def test_what_was_withheld_is_told_by_its_kind(desk: RunningDesk, agent: Visitor) -> None:
    reference = await customer_says(desk, "peer", f"my phrase is {PHRASE}")
    page = await agent.page(f"/inbox/{reference}")

    assert "Withheld for the customer&#39;s safety: recovery phrase" in page
    assert "abandon" not in page


async def test_a_customers_link_cannot_be_followed_and_shows_where_it_goes(desk: RunningDesk, agent: Visitor) -> None:
    reference = await customer_says(desk, "peer", "is https://imwallet.example@evil.example/x yours?")
    page = await agent.page(f"/inbox/{reference}")

    assert "goes to evil.example" in page
    assert 'href="https://' not in page


async def test_a_message_that_did_not_arrive_is_said_to_have_not(
    desk: RunningDesk, agent: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(message: object) -> object:
        raise Undeliverable("the page is gone", blocked=True)

    monkeypatch.setattr(desk.chat, "send", gone)
    reference = await customer_says(desk, "peer", "How do I reset my password?")

    assert await agent.shows(f"/inbox/{reference}", "not delivered (the page is gone)")
    assert "cannot be reached" in await agent.page(f"/inbox/{reference}")


async def test_a_message_that_may_have_arrived_is_said_to_be_uncertain(
    desk: RunningDesk, agent: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = desk.store.settle_sends

    async def unsure(results: list[SendResult], now: object) -> None:
        doubtful = [SendResult(one.id, SendState.UNKNOWN, reason="no answer came") for one in results]
        await settle(doubtful, desk.time())

    monkeypatch.setattr(desk.store, "settle_sends", unsure)
    reference = await customer_says(desk, "peer", "How do I reset my password?")

    assert await agent.shows(f"/inbox/{reference}", "not certain: it may or may not have arrived (no answer came)")


async def test_a_reference_of_nobodys_is_told_so(agent: Visitor) -> None:
    answer = await agent.http.get("/inbox/IM-9999")

    assert answer.status_code == 404
    assert "There is no such conversation." in answer.text


async def test_the_inbox_speaks_the_agents_language(agent: Visitor) -> None:
    token = re.search(r'name="csrf" value="([^"]+)"', await agent.page("/inbox"))
    assert token is not None
    await agent.http.post("/inbox/preferences", data={"csrf": token[1], "language": "zh", "back": "/inbox"})

    assert "现在没有人排队。" in await agent.page("/inbox")


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/inbox\\@evil.example", ""])
async def test_a_form_leads_nowhere_else(agent: Visitor, back: str) -> None:
    token = re.search(r'name="csrf" value="([^"]+)"', await agent.page("/inbox"))
    assert token is not None
    answer = await agent.http.post("/inbox/preferences", data={"csrf": token[1], "theme": "dark", "back": back})

    assert answer.headers["location"] == "/inbox"


# ------------------------------------------------------------------------------------------------------------ acting


async def test_an_agent_takes_answers_and_resolves(desk: RunningDesk, agent: Visitor) -> None:
    reference = await in_line(desk, "peer")
    taken = await agent.act(reference, "take")
    replied = await agent.act(reference, "reply", "Your transfer was confirmed at noon.")
    resolved = await agent.act(reference, "resolve")

    assert [taken.status_code, replied.status_code, resolved.status_code] == [303, 303, 303]
    assert await said(desk, reference, Speaker.AGENT) == ["Your transfer was confirmed at noon."]
    assert (await dossier(desk, reference)).summary.stage is Stage.RESOLVED


async def test_handing_back_puts_the_customer_in_line_again(desk: RunningDesk, agent: Visitor) -> None:
    reference = await in_line(desk, "peer")
    await agent.act(reference, "take")
    await agent.act(reference, "hand_back")

    assert (await dossier(desk, reference)).summary.stage is Stage.WAITING


async def test_a_note_stays_among_agents(desk: RunningDesk, agent: Visitor) -> None:
    reference = await in_line(desk, "peer")
    await agent.act(reference, "note", "seen this one before")
    seen_by_customer = await desk.store.transcript(Address("web", "chat", "peer"), 0, 100)

    assert "seen this one before" in await agent.page(f"/inbox/{reference}")
    assert "seen this one before" not in [line.text for line in seen_by_customer]


async def test_a_double_click_is_one_act(desk: RunningDesk, agent: Visitor) -> None:
    reference = await in_line(desk, "peer")
    await agent.act(reference, "take")
    form = {**await agent.form(reference, "reply"), "text": "only once"}
    for _ in range(2):
        await agent.http.post(f"/inbox/{reference}/reply", data=form)

    assert await said(desk, reference, Speaker.AGENT) == ["only once"]


async def test_a_refused_reply_comes_back_in_the_box_with_the_reason(desk: RunningDesk, agent: Visitor) -> None:
    reference = await in_line(desk, "peer")
    refused = await agent.act(reference, "reply", "a long and careful answer")

    assert refused.status_code == 409
    assert "take the conversation first" in refused.text
    assert ">a long and careful answer</textarea>" in refused.text
    assert await said(desk, reference, Speaker.AGENT) == []


async def test_a_reply_to_anothers_conversation_names_who_has_it(desk: RunningDesk, agent: Visitor) -> None:
    reference = await in_line(desk, "peer")
    await desk.agent("Mei", "meis link")
    async with anonymous(desk) as client:
        await client.post("/inbox/sign-in", data={"token": "meis link"})
        await Visitor(client).act(reference, "take")
    refused = await agent.act(reference, "reply", "me too")

    assert refused.status_code == 409
    assert "Mei has this conversation" in refused.text


async def test_a_reply_that_asks_for_a_phrase_never_leaves(desk: RunningDesk, agent: Visitor) -> None:
    reference = await in_line(desk, "peer")
    await agent.act(reference, "take")
    refused = await agent.act(reference, "reply", "Please send me your recovery phrase")

    assert refused.status_code == 409
    assert "asks the customer for a recovery phrase" in refused.text
    assert ">Please send me your recovery phrase</textarea>" in refused.text
    assert await said(desk, reference, Speaker.AGENT) == []


async def test_with_htmx_only_the_box_comes_back(desk: RunningDesk, agent: Visitor) -> None:
    reference = await in_line(desk, "peer")
    form = {**await agent.form(reference, "reply"), "text": "typed"}
    refused = await agent.http.post(f"/inbox/{reference}/reply", data=form, headers={"HX-Request": "true"})

    assert refused.status_code == 409
    assert "<html" not in refused.text
    assert ">typed</textarea>" in refused.text
    assert form["key"] not in refused.text  # what is sent next is another act


async def test_an_empty_or_endless_text_is_refused_in_words(desk: RunningDesk, agent: Visitor) -> None:
    reference = await in_line(desk, "peer")
    await agent.act(reference, "take")
    empty = await agent.act(reference, "reply", "  ")
    endless = await agent.act(reference, "reply", "x" * (MOST_TEXT + 1))

    assert (empty.status_code, "Write something first." in empty.text) == (422, True)
    assert (endless.status_code, "too long, at most 16 KB" in endless.text) == (413, True)


@pytest.mark.parametrize("fields", [{"csrf": ""}, {"csrf": "guessed"}])
async def test_a_form_that_is_not_ours_does_nothing(desk: RunningDesk, agent: Visitor, fields: dict[str, str]) -> None:
    reference = await in_line(desk, "peer")
    answer = await agent.act(reference, "take", **fields)

    assert answer.status_code == 403
    assert (await dossier(desk, reference)).summary.agent is None


async def test_another_sites_page_cannot_act(desk: RunningDesk, agent: Visitor) -> None:
    reference = await in_line(desk, "peer")
    form = await agent.form(reference, "take")
    answer = await agent.http.post(f"/inbox/{reference}/take", data=form, headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert (await dossier(desk, reference)).summary.agent is None


async def test_while_the_database_is_away_an_agents_text_stays_in_the_box(
    desk: RunningDesk, agent: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await in_line(desk, "peer")
    form = {**await agent.form(reference, "reply"), "text": "do not lose me"}

    async def away(*arguments: object) -> None:
        raise StoreUnavailable("the database is away")

    monkeypatch.setattr(desk.store, "act", away)
    answer = await agent.http.post(f"/inbox/{reference}/reply", data=form, headers={"HX-Request": "true"})

    assert answer.status_code == 503
    assert ">do not lose me</textarea>" in answer.text
