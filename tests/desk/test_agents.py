"""Agents' acts: refused with a reason, objected to by the guard, and once for each key."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from tests.desk.rigs import Rig

from imconnect.desk.agents import AgentDesk, Objection, UnknownConversation
from imconnect.desk.loops import Stopping
from imconnect.domain.conversations import Stage
from imconnect.domain.events import (
    AgentAdmitted,
    AgentHandedBack,
    AgentNoted,
    AgentReplied,
    AgentResolved,
    AgentsAct,
    AgentSentSnippet,
    AgentTook,
    AgentTransferred,
)
from imconnect.domain.responder import Refusal
from imconnect.testing.makers import PLAYBOOK


def _objects(text: str) -> str | None:
    return "asks_for_phrase" if "recovery phrase" in text else None


@asynccontextmanager
async def waiting_customer() -> AsyncGenerator[tuple[Rig, AgentDesk, str]]:
    """Somebody waits in the line of a desk whose turns are running."""
    rig = Rig()
    await rig.hear("human")
    await rig.settle()
    stopping = Stopping()
    turns = asyncio.create_task(rig.turns().run(stopping))
    try:
        yield rig, AgentDesk(rig.store, _objects, rig.clock, PLAYBOOK), (await rig.conversation()).reference
    finally:
        stopping.ask()
        await asyncio.wait_for(turns, 5)


async def test_an_agent_takes_replies_and_resolves() -> None:
    async with waiting_customer() as (rig, agents, reference):
        acts: list[AgentsAct] = [AgentTook("Mei"), AgentReplied("Mei", "looking into it"), AgentResolved("Mei")]
        said = [(await agents.act(reference, act, str(key))).outcome for key, act in enumerate(acts)]

        assert said == ["taken", "replied", "resolved"]
        assert (await rig.conversation()).stage is Stage.RESOLVED


@pytest.mark.parametrize(
    ("before", "act", "refusal"),
    [
        ([], AgentReplied("Mei", "hello"), Refusal.NOT_TAKEN),
        ([], AgentHandedBack("Mei"), Refusal.NOT_TAKEN),
        ([AgentTook("Li")], AgentTook("Mei"), Refusal.WITH_ANOTHER),
        ([AgentTook("Li")], AgentReplied("Mei", "hello"), Refusal.WITH_ANOTHER),
        ([AgentTook("Li")], AgentResolved("Mei"), Refusal.WITH_ANOTHER),
        ([AgentTook("Mei"), AgentResolved("Mei")], AgentReplied("Mei", "hello"), Refusal.RESOLVED),
    ],
)
async def test_an_act_that_is_not_this_agents_to_do_is_refused_with_the_reason_and_changes_nothing(
    before: list[AgentsAct], act: AgentsAct, refusal: Refusal
) -> None:
    async with waiting_customer() as (rig, agents, reference):
        for key, earlier in enumerate(before):
            await agents.act(reference, earlier, f"before {key}")
        was, lines = await rig.conversation(), await rig.lines()
        acted = await agents.act(reference, act, "now")

        assert acted.refused is refusal
        assert await rig.conversation() == was
        assert await rig.lines() == lines


@pytest.mark.parametrize(
    ("text", "objection"),
    [("please send your recovery phrase", Objection.ASKS_FOR_PHRASE), ("  \n", Objection.EMPTY)],
)
@pytest.mark.parametrize("kind", [AgentReplied, AgentNoted])
async def test_words_the_guard_objects_to_are_never_recorded(
    text: str, objection: Objection, kind: type[AgentReplied | AgentNoted]
) -> None:
    async with waiting_customer() as (rig, agents, reference):
        await agents.act(reference, AgentTook("Mei"), "take")
        before = await rig.outcomes()
        acted = await agents.act(reference, kind("Mei", text), "say")

        assert acted.refused is objection
        assert await rig.outcomes() == before


@pytest.mark.parametrize(
    ("text", "objection", "host"),
    [
        ("see https://unheard-of.example.org/a", Objection.LINK_UNKNOWN, "unheard-of.example.org"),
        ("see http://192.0.2.7/a", Objection.LINK_REFUSED, "192.0.2.7"),
        ("see https://etherscam.io/tx", Objection.LINK_REFUSED, "etherscam.io"),
        ("see https://wallet.example@evil.example.org/", Objection.LINK_REFUSED, "evil.example.org"),
    ],
)
async def test_a_link_that_is_not_ours_is_objected_to_by_its_real_host(
    text: str, objection: Objection, host: str
) -> None:
    """S-14: a host that is not on the list needs a second click; a look-alike or an IP address is refused."""
    async with waiting_customer() as (_, agents, reference):
        await agents.act(reference, AgentTook("Mei"), "take")
        acted = await agents.act(reference, AgentReplied("Mei", text), "say")
        again = await agents.act(reference, AgentReplied("Mei", text), "say again", [host])

        assert (acted.refused, acted.hosts) == (objection, (host,))
        assert acted.may_be_confirmed == (objection is Objection.LINK_UNKNOWN)
        assert again.refused is (None if acted.may_be_confirmed else objection)


@pytest.mark.parametrize("text", ["see https://wallet.example/help", "see https://etherscan.io/tx/0x12", "no link"])
async def test_our_own_links_and_explorers_go_out_at_once(text: str) -> None:
    async with waiting_customer() as (_, agents, reference):
        await agents.act(reference, AgentTook("Mei"), "take")

        assert (await agents.act(reference, AgentReplied("Mei", text), "say")).outcome == "replied"


async def test_a_confirmation_is_for_the_hosts_that_were_shown_and_no_others() -> None:
    async with waiting_customer() as (_, agents, reference):
        await agents.act(reference, AgentTook("Mei"), "take")
        text = "see https://one.example.org and https://two.example.org"
        acted = await agents.act(reference, AgentReplied("Mei", text), "say", ["one.example.org"])

        assert (acted.refused, acted.hosts) == (Objection.LINK_UNKNOWN, ("two.example.org",))


async def test_colleagues_may_show_each_other_where_a_customer_was_led() -> None:
    async with waiting_customer() as (_, agents, reference):
        acted = await agents.act(reference, AgentNoted("Mei", "they were sent to http://192.0.2.7/"), "note")

        assert acted.outcome == "noted"


async def test_a_case_is_handed_on_to_an_agent_there_is() -> None:
    async with waiting_customer() as (rig, agents, reference):
        await rig.store.add_agent("Li", "hash", rig.clock(), rig.clock())
        await agents.act(reference, AgentTook("Mei"), "take")
        nobody = await agents.act(reference, AgentTransferred("Mei", "Nobody"), "to nobody")
        li = await agents.act(reference, AgentTransferred("Mei", "Li"), "to li")

        assert (nobody.refused, li.outcome) == (Objection.UNKNOWN_AGENT, "transferred")
        assert (await rig.conversation()).agent == "Li"


@pytest.mark.parametrize("act", [AgentTransferred("Mei", " "), AgentSentSnippet("Mei", ""), AgentAdmitted("Mei", "")])
async def test_an_act_that_names_nothing_is_objected_to(act: AgentsAct) -> None:
    async with waiting_customer() as (_, agents, reference):
        assert (await agents.act(reference, act, "act")).refused is Objection.EMPTY


async def test_the_same_act_twice_happens_once_and_tells_the_same() -> None:
    async with waiting_customer() as (rig, agents, reference):
        await agents.act(reference, AgentTook("Mei"), "take")
        told = [await agents.act(reference, AgentReplied("Mei", "hello"), "the key") for _ in range(2)]
        said = [line.text for line in await rig.lines() if line.speaker == "agent"]

        assert told[0] == told[1]
        assert said == ["hello"]


async def test_a_note_is_kept_from_the_customer() -> None:
    async with waiting_customer() as (rig, agents, reference):
        await agents.act(reference, AgentNoted("Mei", "seen this one before"), "note")
        dossier = await rig.store.dossier(reference)

        assert dossier is not None
        assert "seen this one before" in [line.text for line in dossier.lines]
        assert "seen this one before" not in [line.text for line in await rig.lines()]


async def test_an_unknown_reference_is_named() -> None:
    rig = Rig()
    with pytest.raises(UnknownConversation, match="TW-0000"):
        await AgentDesk(rig.store, _objects, rig.clock, PLAYBOOK).act("TW-0000", AgentTook("Mei"), "take")
