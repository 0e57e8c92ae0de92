"""What integrators and operators rely on."""

from dataclasses import replace

import pytest
from tests.web.desk import METRICS, RunningDesk
from tests.web.visits import Visitor, until

from imconnect.domain.conversations import Stage
from imconnect.domain.messages import Address, Handle, Incoming
from imconnect.ports import Backlog
from imconnect.web.health import Readiness

API = "/api/v1/conversations"


@pytest.fixture
async def reference(desk: RunningDesk) -> str:
    """A conversation that waits for a person."""
    address = Address("web", "chat", "peer")
    await desk.chat.post(Incoming("peer:1", address, Handle("peer"), "", desk.time(), choice="t:human"))

    async def waiting() -> str:
        found = await desk.store.state_at(address)
        told = await desk.store.transcript(address, 0, 10)
        return found.reference if found and found.stage is Stage.WAITING and len(told) > 1 else ""

    return await until(waiting)


async def test_conversations_are_listed_and_shown(agent: Visitor, reference: str) -> None:
    listed = (await agent.http.get(API)).json()
    shown = (await agent.http.get(f"{API}/{reference}")).json()

    assert [(one["reference"], one["place"], one["stage"]) for one in listed] == [(reference, 1, "waiting")]
    assert shown["reference"] == reference
    assert [line["speaker"] for line in shown["lines"]][:2] == ["customer", "bot"]
    assert shown["outcomes"][0]["outcome"] == "queued: a person was asked for"


async def test_a_list_can_be_of_one_stage(agent: Visitor, reference: str) -> None:
    assert (await agent.http.get(API, params={"stage": "resolved"})).json() == []


async def test_an_act_is_done_once_per_key(agent: Visitor, reference: str) -> None:
    url = f"{API}/{reference}/acts"
    await agent.http.post(url, json={"act": "take", "key": "take-0001"})
    answers = [
        (await agent.http.post(url, json={"act": "reply", "text": "Hello", "key": "reply-0001"})).json()
        for _ in range(2)
    ]
    shown = (await agent.http.get(f"{API}/{reference}")).json()

    assert answers == [{"outcome": "replied", "refused": None, "hosts": []}] * 2
    assert [line["text"] for line in shown["lines"] if line["speaker"] == "agent"] == ["Hello"]


async def test_a_refusal_has_a_code(agent: Visitor, reference: str) -> None:
    answer = await agent.http.post(
        f"{API}/{reference}/acts", json={"act": "reply", "text": "Hello", "key": "reply-0001"}
    )

    assert answer.json()["refused"] == "not_taken"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"act": "reply", "key": "reply-0001"}, 422),
        ({"act": "dance", "key": "dance-0001"}, 422),
        ({"act": "reply", "key": "reply-0001", "text": ["private words"]}, 422),
        ({"act": "reply", "key": "reply-0001", "text": "private words", "more": 1}, 422),
        ({"act": "note", "key": "note-0001", "text": "x" * 20_000}, 413),
    ],
)
async def test_what_cannot_be_understood_is_refused_and_not_repeated(
    agent: Visitor, reference: str, body: dict[str, object], status: int
) -> None:
    answer = await agent.http.post(f"{API}/{reference}/acts", json=body)

    assert answer.status_code == status
    assert "private words" not in answer.text


async def test_a_form_is_no_request_to_the_api(agent: Visitor, reference: str) -> None:
    answer = await agent.http.post(f"{API}/{reference}/acts", content='{"act":"take","key":"take-0001"}')

    assert answer.status_code == 422


@pytest.mark.parametrize("path", [API, f"{API}/IM-1001"])
async def test_nothing_is_told_to_strangers(visitor: Visitor, path: str) -> None:
    assert (await visitor.http.get(path)).status_code == 401


async def test_strangers_cannot_act(visitor: Visitor, reference: str) -> None:
    answer = await visitor.http.post(f"{API}/{reference}/acts", json={"act": "take", "key": "take-0001"})

    assert answer.status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_reference_is_not_found(agent: Visitor, method: str) -> None:
    path = f"{API}/IM-9999" + ("/acts" if method == "POST" else "")
    answer = await agent.http.request(
        method, path, json={"act": "take", "key": "take-0001"} if method == "POST" else None
    )

    assert answer.status_code == 404


async def test_the_description_names_the_api_alone_and_every_operation_is_in_the_docs(visitor: Visitor) -> None:
    described = (await visitor.http.get("/api/v1/openapi.json")).json()
    docs = await visitor.page("/api/docs")

    assert set(described["paths"]) == {
        API,
        API + "/{reference}",
        API + "/{reference}/acts",
        "/api/v1/questions",
        "/api/v1/questions/{key}",
    }
    assert [path for path in described["paths"] if path not in docs] == []


async def test_the_first_page_is_the_chat(visitor: Visitor) -> None:
    answer = await visitor.http.get("/")

    assert answer.headers["location"] == "/chat"


async def test_alive_is_alive(visitor: Visitor) -> None:
    assert (await visitor.http.get("/healthz")).status_code == 200


async def test_metrics_are_passed_on_as_they_are(visitor: Visitor) -> None:
    answer = await visitor.http.get("/metrics")

    assert answer.content == METRICS
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_ready_tells_of_database_channels_and_backlog(desk: RunningDesk, visitor: Visitor) -> None:
    backlog = Backlog(3, 1.5, 2, 0.5, 0, 1, 4, 0, 0)
    desk.readiness = Readiness("ok", {"web": "ok", "telegram": "ok"}, backlog)
    answer = await visitor.http.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["backlog"]["oldest_event"] == 1.5
    assert answer.json()["channels"] == {"web": "ok", "telegram": "ok"}


@pytest.mark.parametrize("wrong", [{"database": "cannot be reached"}, {"channels": {"telegram": "token refused"}}])
async def test_not_ready_is_503_and_says_why(desk: RunningDesk, visitor: Visitor, wrong: dict[str, object]) -> None:
    well = Readiness("ok", {"web": "ok"})
    desk.readiness = replace(well, **wrong)  # type: ignore[arg-type] # the fields are named two lines above
    answer = await visitor.http.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["ready"] is False
