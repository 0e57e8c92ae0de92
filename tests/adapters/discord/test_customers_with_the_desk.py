"""The whole desk as members of the server meet it: what they are told, where, and what is never said to them twice."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from tests.adapters.discord.house import HASH, House, open_house
from tests.journeys.secrets import phrase

from imconnect.content import bundled_pack, read_pack
from imconnect.domain.messages import Language

pytestmark = pytest.mark.asyncio(loop_scope="module")

PACK = read_pack(bundled_pack())
REMINDER = PACK.notice("safety-reminder", Language.ENGLISH)
DELETE_IT = PACK.notice("delete-it-yourself", Language.ENGLISH)
WITHHELD = PACK.notice("secret-removed-recovery-phrase", Language.ENGLISH)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[House]:
    async with open_house(tmp_path_factory.mktemp("desk")) as opened:
        yield opened


async def test_the_place_in_line_stands_in_one_message_that_is_rewritten(house: House) -> None:
    """Whose turn comes nearer reads it where it stood, with the time of the change counted up by Discord."""
    ann, ben = house.world.member("Ann"), house.world.member("Ben")
    _, post = await house.waits(ann)
    thread, _ = await house.waits(ben)
    standing = await ben.sees("-# <t:", thread, within=20)
    told = standing.text
    house.mei.say("!take", post)
    house.mei.say("!resolve", post)
    await house.world.until(lambda: standing.text != told or None, within=20)
    notices = [one for one in thread.from_bot if "-# <t:" in one.text]

    assert [one.id for one in notices] == [standing.id]
    assert standing.text.endswith(":R>")


async def test_the_first_answer_warns_of_impostors_and_the_next_does_not(house: House) -> None:
    cy = house.world.member("Cy")
    thread = await house.comes_in(cy)
    cy.say("how do I enable two-factor authentication?", thread)
    await house.world.until(lambda: len(thread.from_bot) > 2 or None, within=20)

    assert sum(text.count(REMINDER) for text in thread.texts) == 1
    assert REMINDER in next(one.text for one in thread.from_bot if one.text)


async def test_a_second_form_asks_only_for_what_the_first_did_not_bring(house: House) -> None:
    dan = house.world.member("Dan")
    await house.comes_in(dan)
    again = await house.form(dan, "tx-wrong-network")

    assert list(again.fields) == ["chain", "wallet_address"]


async def test_a_slash_command_in_the_server_is_answered_in_the_private_thread(house: House) -> None:
    eve, lobby = house.world.member("Eve"), house.world.channel("lobby")
    asked = eve.slash("help", lobby)
    receipt = await asked.says("<#")
    answer = await eve.sees(PACK.notice("help", Language.ENGLISH).splitlines()[0], within=20)

    assert receipt.ephemeral
    assert house.world.channel_by_id(answer.channel_id) in eve.threads
    assert [one for one in lobby.from_bot if not one.ephemeral] == []


async def test_a_public_question_is_answered_once_and_a_case_is_asked_into_private(house: House) -> None:
    """Where others read along nothing is said of a case, and the button leads to where it can be told."""
    fay, public, bot = house.world.member("Fay"), house.world.channel("general"), house.world.model.bot_user.id
    fay.say(f"<@{bot}> what does a transfer cost?", public)
    answer = await fay.sees(PACK.notice("come-in-private", Language.ENGLISH), public, within=20)
    fay.say(f"<@{bot}> my transfer {HASH} has not arrived", public)
    await house.world.until(lambda: len(public.from_bot) == 2 or None, within=20)
    pressed = fay.press(answer, PACK.label("private", Language.ENGLISH))
    await pressed.says("<#")
    await house.world.until(lambda: fay.threads and fay.threads[0].from_bot, within=20)

    assert "fee" in answer.text
    assert public.from_bot[1].text == PACK.notice("come-in-private", Language.ENGLISH)
    assert not any(HASH in text for text in (one.text for one in public.from_bot))


async def test_a_phrase_in_the_thread_is_removed_and_its_owner_warned(house: House) -> None:
    """D-12 too: one that is edited in goes like one that was said."""
    gus = house.world.member("Gus")
    thread = await house.comes_in(gus)
    said = gus.say(f"my words are {phrase('english', 900)}", thread)
    harmless = gus.say("where is it?", thread)
    await gus.sees(WITHHELD.splitlines()[0], thread, within=20)
    await house.world.until(lambda: said.gone or None, within=20)
    gus.edit(harmless, phrase("english", 901))
    await house.world.until(lambda: harmless.gone or None, within=20)

    assert DELETE_IT not in "\n".join(thread.texts)


async def test_in_private_messages_its_owner_is_told_to_delete_it(house: House) -> None:
    """Discord lets nobody else."""
    hal = house.world.member("Hal")
    said = hal.dm(f"my words are {phrase('english', 902)}")
    await hal.sees(WITHHELD.splitlines()[0], within=20)
    await hal.sees(DELETE_IT, within=20)

    assert not said.gone
    assert house.world.asked(f"DELETE /channels/{hal.direct.id}/messages/*") == []


async def test_colleagues_are_told_once_that_a_customer_takes_no_messages_and_nothing_is_tried_in_a_loop(
    house: House,
) -> None:
    """D-16: the case stays open, and the next word of theirs is heard as always."""
    ida = house.world.member("Ida")
    ida.dm("/human")
    post = await house.world.until(lambda: house.post_of(ida), within=20)
    house.mei.say("!take", post)
    await house.shows(post, "Mei")
    await house.world.until(lambda: len(ida.direct.from_bot) >= 2 or None, within=20)
    ida.closes_dms()
    before = len(house.world.asked(f"POST /channels/{ida.direct.id}/messages"))
    for words in ("are you there?", "we found it", "please answer"):
        house.mei.say(f"!reply {words}", post)
    reason = "Cannot send messages to this user"
    await house.shows(post, reason)
    await house.shows(post, "\nplease answer")
    tried = len(house.world.asked(f"POST /channels/{ida.direct.id}/messages")) - before
    ida.opens_dms()
    ida.dm("I am back")
    await house.shows(post, "I am back")
    notes = [text for text in post.texts[1:] if reason in text]

    assert len(notes) == 1
    assert tried <= 3
    assert not post.archived
