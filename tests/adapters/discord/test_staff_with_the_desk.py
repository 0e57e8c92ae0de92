"""The whole desk with its staff forum: what members bring by the panel, what colleagues see, and what goes back."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from tests.adapters.discord.house import HASH, House, open_house

from imconnect.content import bundled_pack, read_pack
from imconnect.domain.messages import Language

SNIPPET = (read_pack(bundled_pack()).snippet("checking", Language.ENGLISH) or "").splitlines()[0]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[House]:
    async with open_house(tmp_path_factory.mktemp("desk")) as opened:
        yield opened


async def test_a_form_is_answered_in_the_members_thread_and_stands_in_the_forum(house: House) -> None:
    ann = house.world.member("Ann")
    thread, post = await house.waits(ann)
    await house.shows(post, HASH)

    assert thread.is_private
    assert ann.visible(thread)
    assert not ann.visible(house.forum) or post.id not in [one.id for one in ann.threads]


async def test_only_what_an_agent_says_on_purpose_reaches_the_member(house: House) -> None:
    """D-23, with the desk"""
    bob = house.world.member("Bob")
    thread, post = await house.waits(bob)
    house.mei.say("he seems to be confused", post)
    house.mei.say("!reply we are looking into it", post)
    await bob.sees("we are looking into it", thread, within=20)

    assert not [text for text in thread.texts if "confused" in text]


async def test_who_has_the_role_but_is_linked_to_no_agent_is_told_and_not_relayed(house: House) -> None:
    """D-22, with the desk: the role opens the door, the link says who it is."""
    cem, temp = house.world.member("Cem"), house.world.namesake("Mei", roles=[house.agents])
    thread, post = await house.waits(cem)
    temp.say("!reply send me your details", post)
    await house.shows(post, str(temp.id))

    assert not [text for text in thread.texts if "send me your details" in text]


async def test_a_member_who_is_named_like_staff_is_shown_as_what_they_are(house: House) -> None:
    """D-22, the member: told in the header, whatever decorates the name."""
    eve = house.world.member("Mеi of Support ✪")  # with a Cyrillic letter
    thread = await house.comes_in(eve)
    eve.say("/human", thread)
    eve.say("/skip", thread)
    remark = "⚠"
    post = await house.world.until(
        lambda: next((one for one in house.forum.threads if "of Support" in "\n".join(one.texts[:1])), None), within=20
    )

    await house.shows(post, remark)


async def test_a_post_deleted_by_hand_is_opened_again_with_everything_in_it(house: House) -> None:
    """D-17, with the desk"""
    dora = house.world.member("Dora")
    thread, post = await house.waits(dora)
    post.delete()
    dora.say("are you still there, please?", thread)
    again = await house.world.until(
        lambda: ((found := house.post_of(dora)) is not None and found.id != post.id and found) or None, within=20
    )

    await house.shows(again, "are you still there, please?")
    await house.shows(again, HASH)


async def test_an_archived_post_takes_what_comes_and_an_agents_reply_goes_out(house: House) -> None:
    """D-18, with the desk"""
    finn = house.world.member("Finn")
    thread, post = await house.waits(finn)
    post.archive()
    finn.say("one more thing before I forget", thread)
    await house.shows(post, "one more thing before I forget")
    post.archive()
    house.mei.say("!reply noted", post)

    await finn.sees("noted", thread, within=20)


async def test_a_long_edit_reaches_the_copy_whole(house: House) -> None:
    """D-10, with the desk: a message of 3,900 characters, and both versions of it once it was edited."""
    gia = house.world.member("Gia")
    thread, post = await house.waits(gia)
    said = gia.say("my transfer is late " * 195, thread)
    await house.world.until(lambda: "\n".join(post.texts).count("late") >= 195, within=20)
    gia.edit(said, "it has arrived now! " * 95)
    await house.world.until(lambda: "\n".join(post.texts).count("arrived") >= 95, within=20)
    await house.world.until(lambda: "\n".join(post.texts).count("late") >= 195, within=20)

    assert all(len(text) <= 2000 for text in post.texts)


async def test_a_resolved_case_is_locked_and_opens_again_when_the_member_writes(house: House) -> None:
    hana = house.world.member("Hana")
    thread, post = await house.waits(hana)
    house.mei.say("!take", post)
    house.mei.say("!resolve", post)
    await house.world.until(lambda: post.archived and post.locked, within=20)
    hana.say("it is broken again, I need a person", thread)
    hana.say("/human", thread)
    await house.world.until(lambda: not post.archived and not post.locked, within=20)

    await house.shows(post, "it is broken again")


async def test_colleagues_note_snip_and_hand_over_by_slash_commands_and_buttons(house: House) -> None:
    """Each as in the inbox: of a note the customer learns nothing, a snippet is said in their language."""
    ivy = house.world.member("Ivy")
    thread, post = await house.waits(ivy)
    await house.store.add_agent("Lin", "hash-of-lin", datetime.now(UTC), datetime.now(UTC))
    await house.world.until(lambda: len(post.texts) > 1 or None, within=20)  # from then on the desk knows whose it is
    header = post.posts[0]
    await house.mei.press(header, "staff:take").answered()
    await house.shows(post, "Mei")
    await house.mei.slash("note", post, {"text": "a hunch nobody else needs"}).says()
    await house.mei.slash("snippet", post, {"text": "checking"}).says()
    await ivy.sees(SNIPPET, thread, within=20)
    await house.mei.slash("transfer", post, {"text": "Lin"}).says()
    await house.world.until(lambda: "Lin" in header.text or None, within=20)
    await house.shows(post, "a hunch nobody else needs")

    assert not [text for text in thread.texts if "hunch" in text]
