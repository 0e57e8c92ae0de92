"""The page where a lead makes examples of what the desk could not answer, by plain requests."""

import re
from html import unescape

import httpx
import pytest
from tests.web.desk import RunningDesk
from tests.web.visits import Visitor, until

from imconnect.domain.messages import Address, Handle, Incoming
from imconnect.domain.questions import Became, QuestionKind
from imconnect.ports import SettledQuestion

ODD = "blorp the quux my frobnicator wibble"
PATH = "/inbox/questions"
API = "/api/v1/questions"
WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"


async def says(desk: RunningDesk, peer: str, text: str, choice: str | None = None) -> None:
    """A customer writes or presses, and the desk has heard it."""
    address = Address("web", "chat", peer)
    number = len(await desk.store.transcript(address, 0, 100)) + 1
    await desk.chat.post(Incoming(f"{peer}:{number}", address, Handle(peer), text, desk.time(), choice=choice))

    async def answered() -> bool:
        return len(await desk.store.transcript(address, 0, 100)) > number

    assert await until(answered)


async def key_on(agent: Visitor, words: str, path: str = PATH) -> str:
    """The key of the question that reads *words*."""
    found = re.search(rf'id="text-([0-9a-f]{{32}})"[^>]*>{re.escape(words)}', unescape(await agent.page(path)))
    assert found is not None
    return found[1]


async def settle(
    agent: Visitor, key: str, act: str, text: str = ODD, topic: str = "fees", **more: str
) -> httpx.Response:
    page = await agent.page(PATH)
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    form = {"csrf": token[1] if token else "", "kind": "unanswered", "act": act, "text": text, "topic": topic}
    return await agent.http.post(f"{PATH}/{key}", data={**form, **more}, follow_redirects=True)


async def test_what_was_not_answered_is_listed_once_with_how_often(desk: RunningDesk, agent: Visitor) -> None:
    for peer, text in (("ann", ODD), ("bob", f"{ODD.upper()} !!"), ("cy", f"{ODD} {WALLET}")):
        await says(desk, peer, text)
    page = unescape(await agent.page(PATH))

    assert page.count("<textarea") == 1
    assert "asked 3 times" in page
    assert f">{ODD} …</textarea>" in page
    assert WALLET not in page


async def test_the_topic_a_customer_chose_is_selected(desk: RunningDesk, agent: Visitor) -> None:
    await says(desk, "ann", ODD)
    await says(desk, "ann", "", choice="t:fees")
    page = await agent.page(PATH)

    assert 'value="fees" selected' in page
    assert "The customer chose: What a transfer costs" in page


async def test_without_anybodys_word_no_topic_is_selected(desk: RunningDesk, agent: Visitor) -> None:
    await says(desk, "ann", ODD)

    assert " selected>" not in await agent.page(PATH)


async def test_a_question_is_added_to_a_topic_and_is_open_no_more(desk: RunningDesk, agent: Visitor) -> None:
    await says(desk, "ann", ODD)
    key = await key_on(agent, ODD)
    answer = await settle(agent, key, "add", f"  {ODD}\nplease ")
    (example,) = await desk.store.examples()

    assert "Added. Learnt when the desk is started next." in answer.text
    assert "<textarea" not in answer.text
    assert (example.text, example.topic, example.became, example.agent) == (
        f"{ODD} please",
        "fees",
        Became.ADDED,
        "Lin",
    )


async def test_what_is_nothing_of_ours_is_added_without_a_topic(desk: RunningDesk, agent: Visitor) -> None:
    await says(desk, "ann", ODD)
    await settle(agent, await key_on(agent, ODD), "off_topic")

    assert [(one.became, one.topic) for one in await desk.store.examples()] == [(Became.OFF_TOPIC, None)]


async def test_what_is_dismissed_stays_away_when_it_is_asked_again(desk: RunningDesk, agent: Visitor) -> None:
    await says(desk, "ann", ODD)
    await settle(agent, await key_on(agent, ODD), "dismiss")
    await says(desk, "bob", ODD)

    assert "No open question here." in await agent.page(PATH)
    assert list(await desk.store.examples()) == []


async def test_what_was_added_is_listed_and_can_be_taken_back(desk: RunningDesk, agent: Visitor) -> None:
    await says(desk, "ann", ODD)
    key = await key_on(agent, ODD)
    await settle(agent, key, "add")
    listed = await agent.page(f"{PATH}?kind=added")
    await settle(agent, key, "take_back")

    assert all(part in listed for part in (ODD, "What a transfer costs", "added by Lin", "not in the pack"))
    assert await key_on(agent, ODD) == key


@pytest.mark.parametrize(
    ("text", "topic", "says_so"),
    [
        ("…", "fees", "there are no words in it"),
        (ODD, "", "choose the topic first"),
        (ODD, "no-such-topic", "choose the topic first"),
        (f"{ODD} 13800138000", "fees", "it still holds a number"),
        (f"write to li.wei@example.com {ODD}", "fees", "it still holds a number"),
        ("wibble " * 60, "fees", "too long, at most 300 characters"),
        ("my password is hunter2secret! " + ODD, "fees", "looks like a phrase, a key"),
        ("How much does a transfer COST", "is-it-safe", "the pack has this wording already"),
    ],
)
async def test_what_may_not_be_added_comes_back_with_the_cure(
    desk: RunningDesk, agent: Visitor, text: str, topic: str, says_so: str
) -> None:
    """S-01"""
    await says(desk, "ann", ODD)
    answer = await settle(agent, await key_on(agent, ODD), "add", text, topic)

    assert answer.status_code in (409, 422)
    assert says_so in unescape(answer.text)
    assert f">{text}</textarea>" in unescape(answer.text)
    assert list(await desk.store.examples()) == []


async def test_of_two_colleagues_the_first_settles_it(desk: RunningDesk, agent: Visitor) -> None:
    await says(desk, "ann", ODD)
    key = await key_on(agent, ODD)
    await settle(agent, key, "add")
    answer = await settle(agent, key, "add", topic="is-it-safe")

    assert "a colleague settled this question" in answer.text
    assert [one.topic for one in await desk.store.examples()] == ["fees"]


async def test_one_wording_is_not_added_twice_for_two_questions(desk: RunningDesk, agent: Visitor) -> None:
    await says(desk, "ann", ODD)
    await says(desk, "bob", "grault the garply waldo")
    await settle(agent, await key_on(agent, ODD), "add")
    answer = await settle(agent, await key_on(agent, "grault the garply waldo"), "add", topic="is-it-safe")

    assert "a colleague settled this question, or this wording" in answer.text
    assert [one.topic for one in await desk.store.examples()] == ["fees"]


async def test_an_answer_that_did_not_help_is_among_the_corrected(desk: RunningDesk, agent: Visitor) -> None:
    await says(desk, "ann", "the token i bought does not show up in my wallet, wibble")
    await says(desk, "ann", "", choice="no")
    collected = await desk.store.stories(QuestionKind.CORRECTED, None, 10)
    page = unescape(await agent.page(f"{PATH}?kind=corrected"))

    assert len(collected.told) == 1
    assert "does not show up in my wallet, wibble" in page
    assert "The desk answered:" in page


@pytest.mark.parametrize("text", ["/nonsense", "[password removed]", "2", "你好"])
async def test_commands_numbers_and_small_talk_are_never_listed(desk: RunningDesk, agent: Visitor, text: str) -> None:
    await says(desk, "ann", text)

    assert "<textarea" not in await agent.page(PATH)


async def test_a_stranger_sees_no_question(desk: RunningDesk, visitor: Visitor) -> None:
    await says(desk, "ann", ODD)
    shown, listed = await visitor.http.get(PATH), await visitor.http.get(API)
    posted = await visitor.http.post(f"{API}/{'a' * 32}", json={"act": "dismiss"})

    assert [shown.status_code, listed.status_code, posted.status_code] == [401, 401, 401]
    assert ODD not in shown.text + listed.text


async def test_a_form_without_its_token_changes_nothing(desk: RunningDesk, agent: Visitor) -> None:
    await says(desk, "ann", ODD)
    key = await key_on(agent, ODD)
    for act in ("add", "off_topic", "dismiss", "take_back"):
        answer = await settle(agent, key, act, csrf="forged")

        assert answer.status_code == 403
    assert await key_on(agent, ODD) == key


@pytest.mark.parametrize(("key", "act"), [("x", "add"), ("a" * 32, "dance"), ("A" * 32, "add")])
async def test_a_form_that_is_none_of_ours_is_refused(agent: Visitor, key: str, act: str) -> None:
    assert (await settle(agent, key, act)).status_code == 422


@pytest.mark.parametrize("kind", ["added", "corrected", "unanswered"])
async def test_a_form_of_a_question_that_is_not_there_is_refused(agent: Visitor, kind: str) -> None:
    page = await agent.page(PATH)
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    form = {"csrf": token[1] if token else "", "kind": kind, "act": "add", "text": "", "topic": ""}
    answers = [
        await agent.http.post(f"{PATH}/{'a' * 32}", data=form, headers=headers)
        for headers in ({}, {"HX-Request": "true"})
    ]

    assert [answer.status_code for answer in answers] == [422, 422]


async def test_markup_in_a_question_is_shown_as_it_was_typed(desk: RunningDesk, agent: Visitor) -> None:
    await says(desk, "ann", "</textarea><script>alert(1)</script> wibble")
    page = await agent.page(PATH)

    assert "<script>alert" not in page
    assert "&lt;/textarea&gt;&lt;script&gt;" in page


async def test_older_questions_are_a_page_further(
    desk: RunningDesk, agent: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imconnect.desk.questions.LOOKED_AT", 1)
    await says(desk, "ann", ODD)
    await says(desk, "bob", "grault the garply waldo")
    newest = unescape(await agent.page(PATH))
    older = re.search(r'href="(/inbox/questions\?kind=unanswered&before=\d+)"', newest)

    assert older is not None
    assert "grault" in newest
    assert ODD not in newest
    assert ODD in unescape(await agent.page(older[1]))


# ------------------------------------------------------------------------------------------------------- integrators


async def test_integrators_list_and_settle_the_same_questions(desk: RunningDesk, agent: Visitor) -> None:
    await says(desk, "ann", ODD)
    await says(desk, "ann", "", choice="t:fees")
    (listed,) = (await agent.http.get(API)).json()["questions"]
    url = f"{API}/{listed['key']}"
    without_topic = (await agent.http.post(url, json={"act": "add", "text": listed["text"]})).json()
    added = (await agent.http.post(url, json={"act": "add", "text": listed["text"], "topic": "fees"})).json()
    (example,) = await desk.store.examples()

    assert (listed["text"], listed["proposed"], listed["named_by"], listed["times"]) == (ODD, "fees", "customer", 1)
    assert [without_topic, added] == [{"refused": "unknown_topic"}, {"refused": None}]
    assert (example.text, example.topic, example.agent) == (ODD, "fees", "Lin")
    assert (await agent.http.get(API)).json() == {"questions": [], "older": None}


async def test_integrators_can_take_back(desk: RunningDesk, agent: Visitor) -> None:
    await desk.store.settle_question(SettledQuestion("a" * 32, Became.DISMISSED, "Lin", desk.time()))
    answer = await agent.http.post(f"{API}/{'a' * 32}", json={"act": "take_back"})

    assert answer.json() == {"refused": None}
    assert await desk.store.settled_keys(["a" * 32]) == frozenset()


@pytest.mark.parametrize("body", [{"act": "dance"}, {"act": "add", "text": ["x"]}, {"act": "dismiss", "more": 1}])
async def test_what_integrators_send_amiss_is_refused_and_not_repeated(agent: Visitor, body: dict[str, object]) -> None:
    answer = await agent.http.post(f"{API}/{'a' * 32}", json=body)

    assert answer.status_code == 422
    assert "input" not in answer.text


async def test_the_operations_are_described(agent: Visitor) -> None:
    described = (await agent.http.get("/api/v1/openapi.json")).json()["paths"]

    assert {"/api/v1/questions", "/api/v1/questions/{key}"} <= set(described)
