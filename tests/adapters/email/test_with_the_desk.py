"""A customer's mail program at one end, the whole desk at the other: what must never happen between them."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from tests.adapters.email.desk import Desk, kept_in, running_desk
from tests.adapters.email.mail_programs import arrived
from tests.worlds.mail import MailServers
from tests.worlds.needs import needs_mail_servers

from imconnect.domain.conversations import Stage
from imconnect.domain.messages import Remark
from imconnect.ports import Dossier, SendState, Speaker

pytestmark = [pytest.mark.asyncio(loop_scope="module"), needs_mail_servers]

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"  # a test vector of BIP 39
ASKS = "how do I reset my password?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the desk keeps everything it keeps."""
    return tmp_path_factory.mktemp("desk")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(mail_servers: MailServers, folder: Path) -> AsyncGenerator[Desk]:
    """One desk for all these customers: starting one takes as long as serving them."""
    async with running_desk(mail_servers, folder, mail_servers.somebody()) as desk:
        yield desk


async def test_a_question_is_answered_in_its_thread_by_a_mail_that_says_it_is_automatic(desk: Desk) -> None:
    ann = desk.person()
    asked = ann.written(ASKS)
    await ann.sends(asked)
    await desk.takes_in(ann.address)
    await desk.settles()
    [answer] = await ann.has()

    assert "password" in answer.said
    assert answer["In-Reply-To"] == asked["Message-ID"]
    assert (answer["Auto-Submitted"], answer.envelope_sender) == ("auto-replied", "<>")
    assert (await desk.of(ann.address)).summary.reference in answer["Subject"]


async def test_a_number_in_an_answer_is_the_choice_it_stands_for(desk: Desk) -> None:
    ann = desk.person()
    await desk.hears(ann, "blorp frobnicate quux", subject="hm")
    [offer] = await ann.has()
    human = next(number for number, label in enumerate(offer.choices, 1) if "person" in label)
    await desk.hears(ann, str(human), answers=offer)

    assert (await desk.of(ann.address)).summary.stage is Stage.WAITING


async def test_a_stranger_who_knows_the_reference_gets_a_conversation_of_their_own(desk: Desk) -> None:
    """E-01"""
    ann, mallory = desk.person(), desk.person()
    await desk.hears(ann, "/human my wallet 0x52908400098527886e0f7030069857d2e4169ee7")
    before = await desk.of(ann.address)
    await desk.hears(mallory, "what did we say so far?", subject=f"Re: [{before.summary.reference}] IM Wallet support")
    told = "\n".join(f"{one['Subject']}\n{one.body}" for one in await mallory.has())

    assert unplaced(await desk.of(ann.address)) == unplaced(before)
    assert (await desk.of(mallory.address)).summary.reference != before.summary.reference
    assert before.summary.reference not in told
    assert "0x5290" not in told


def unplaced(dossier: Dossier) -> Dossier:
    """All of a conversation but its place in line, which others who wait may change."""
    return replace(dossier, summary=replace(dossier.summary, place=None))


async def test_a_forged_sender_opens_an_unverified_conversation_that_reveals_nothing(desk: Desk) -> None:
    """E-02"""
    ann = desk.person()
    await desk.hears(ann, "/human my wallet 0x52908400098527886e0f7030069857d2e4169ee7")
    [owned] = await desk.all_of(ann.address)
    forger = desk.person(vouched=False, address=ann.address)
    await desk.hears(forger, "and what is my case about?", subject=f"[{owned.summary.reference}]")
    after, opened = await desk.all_of(ann.address)
    to_the_forged = [one for one in await ann.has() if opened.summary.reference in one["Subject"]]

    assert after.lines == owned.lines
    assert [line.remarks for line in opened.lines if line.speaker is Speaker.CUSTOMER] == [(Remark.UNVERIFIED_SENDER,)]
    assert not [one for one in to_the_forged if owned.summary.reference in one.body or "0x5290" in one.body]


async def test_an_answer_joins_by_its_token_where_nothing_vouches_for_its_writer(desk: Desk) -> None:
    """E-07: a relay took our Message-ID away; the address it was sent to still tells."""
    ann = desk.person(vouched=False)
    await desk.hears(ann, "blorp frobnicate quux")
    [offer] = await ann.has()
    mail = ann.written("it is about a transfer", answers=offer)
    del mail["In-Reply-To"], mail["References"]
    await ann.sends(mail)
    await desk.takes_in(ann.address, 2)

    assert [line.text.splitlines()[0] for line in await desk.said_by(ann.address)] == [
        "a question",
        "it is about a transfer",
    ]


async def test_an_answer_with_a_wrong_token_opens_a_conversation_of_its_own(desk: Desk) -> None:
    """E-06, E-30: the token is good, and was not given to who brings it."""
    ann, bob = desk.person(), desk.person(vouched=False)
    await desk.hears(ann, ASKS)
    [answer] = await ann.has()
    before = await desk.of(ann.address)
    await desk.hears(bob, "I was copied in", answers=answer)

    assert unplaced(await desk.of(ann.address)) == unplaced(before)
    assert (await desk.of(bob.address)).summary.reference != before.summary.reference


async def test_an_out_of_office_answer_is_kept_and_changes_nothing(desk: Desk) -> None:
    """E-08"""
    ann = desk.person()
    await desk.hears(ann, "/human")
    sent = await ann.has()
    before = await desk.of(ann.address)
    mail = ann.written("I am away until Monday", answers=sent[-1])
    mail["Auto-Submitted"] = "auto-replied"
    await ann.sends(mail)
    await desk.takes_in(ann.address, 2)
    await desk.settles()
    after = await desk.of(ann.address)

    assert len(await ann.has()) == len(sent)
    assert (after.summary.stage, after.summary.place, after.summary.waiting_since) == (
        before.summary.stage,
        before.summary.place,
        before.summary.waiting_since,
    )


async def test_a_person_whose_mail_wants_no_automatic_answer_waits_for_a_person_in_silence(desk: Desk) -> None:
    """E-09"""
    ann = desk.person()
    mail = ann.written(ASKS)
    mail["X-Auto-Response-Suppress"] = "OOF"
    await ann.sends(mail)
    await desk.takes_in(ann.address)
    await desk.settles()

    assert (await desk.of(ann.address)).summary.stage is Stage.WAITING
    assert await ann.has() == []


async def test_auto_submitted_no_is_a_person(desk: Desk) -> None:
    """E-09"""
    ann = desk.person()
    mail = ann.written(ASKS)
    mail["Auto-Submitted"] = "no"
    await ann.sends(mail)
    await desk.takes_in(ann.address)
    await desk.settles()

    assert len(await ann.has()) == 1


async def test_our_own_address_as_the_sender_is_never_answered(desk: Desk) -> None:
    """E-11"""
    ourselves = desk.person(address=desk.address)
    await ourselves.writes(ASKS)
    await desk.takes_in(desk.address)
    await desk.settles()

    assert len(await desk.said_by(desk.address)) == 1
    assert len([raw for raw in arrived(desk.servers, desk.address) if b"X-IMConnect-Loop" in raw]) == 0


async def test_a_reply_that_came_back_is_shown_as_failed_and_its_customer_as_unreachable(desk: Desk) -> None:
    """E-13"""
    ghost = desk.person(address="ghost@test.example")
    await desk.hears(ghost, "/human")
    await desk.replies(ghost.address, "here is what to do")
    async with asyncio.timeout(30):
        while (await desk.of(ghost.address)).unreachable is None:  # noqa: ASYNC110 - the store has no bell for it
            await asyncio.sleep(0.05)
    [reply] = [line for line in (await desk.of(ghost.address)).lines if line.speaker is Speaker.AGENT]

    assert reply.delivery is SendState.FAILED
    assert "5.1.1" in reply.delivery_reason


async def test_answers_go_to_from_and_agents_see_that_reply_to_differs(desk: Desk) -> None:
    """E-05"""
    ann, elsewhere = desk.person(), desk.person()
    mail = ann.written(ASKS)
    mail["Reply-To"] = elsewhere.address
    await ann.sends(mail)
    await desk.takes_in(ann.address)
    await desk.settles()

    assert [line.remarks for line in await desk.said_by(ann.address)] == [(Remark.REPLY_TO_DIFFERS,)]
    assert len(await ann.has()) == 1
    assert await elsewhere.has() == []


async def test_uids_that_begin_anew_bring_nothing_twice_and_lose_nothing(desk: Desk) -> None:
    """E-15"""
    ann = desk.person()
    await desk.hears(ann, "/human one")
    desk.servers.renumber(desk.address, 99_000)
    await ann.writes("two", subject="two")
    await desk.takes_in(ann.address, 2)
    await desk.settles()

    assert len(await desk.said_by(ann.address)) == 2


async def test_a_mail_to_two_of_our_addresses_is_one_message(desk: Desk) -> None:
    """E-29"""
    ann = desk.person()
    mail = ann.written(ASKS)
    await ann.sends(mail)
    await ann.sends(mail)
    await desk.hears(desk.person(), "something after that")

    assert len(await desk.said_by(ann.address)) == 1
    assert len(await ann.has()) == 1


async def test_a_secret_is_withheld_purged_in_every_copy_and_warned_of(desk: Desk, folder: Path) -> None:
    ann = desk.person()
    mail = ann.written(f"here is my phrase: {PHRASE}")
    await ann.sends(mail)
    await ann.sends(mail)
    await desk.takes_in(ann.address)
    await purged(desk, b"sausage")
    warning = await ann.hears("Sent folder")

    assert "sausage" not in warning.body
    assert [line.secret is not None for line in await desk.said_by(ann.address)] == [True]
    assert "sausage" not in kept_in(folder)


async def test_a_secret_in_what_is_quoted_is_withheld_and_purged(desk: Desk, folder: Path) -> None:
    """E-25"""
    ann = desk.person()
    await desk.hears(ann, "/human")
    told = (await ann.has())[-1]
    mail = ann.written("please look at what I wrote", answers=told)
    mail.set_content(f"please look below\n\nOn Sun, 22 Nov 2026 at 09:00, Ann wrote:\n> {PHRASE}\n")
    await ann.sends(mail)
    await desk.takes_in(ann.address, 2)
    await purged(desk, b"sausage")

    assert "sausage" not in kept_in(folder)
    assert not [one for one in await ann.has() if "sausage" in one.body]


async def test_a_secret_in_a_file_is_withheld_and_purged(desk: Desk, folder: Path) -> None:
    ann = desk.person()
    mail = ann.written("see the file")
    mail.add_attachment(PHRASE.encode(), maintype="text", subtype="plain", filename="notes.txt")
    await ann.sends(mail)
    await desk.takes_in(ann.address)
    await ann.hears("Sent folder")
    await purged(desk, b"notes.txt")

    assert "sausage" not in kept_in(folder)


async def purged(desk: Desk, words: bytes) -> None:
    """Return once no mail in the support mailbox holds *words*."""
    async with asyncio.timeout(30):
        while any(words in raw for raw in arrived(desk.servers, desk.address)):  # noqa: ASYNC110 - files have no bell
            await asyncio.sleep(0.05)
