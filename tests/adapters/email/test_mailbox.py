"""A mailbox at Dovecot is read whole, once and in order, whatever other clients and the server do with it."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
from tests.adapters.email.transport_world import STEADY, a_mail, at_servers, reading
from tests.worlds.mail import MailServers
from tests.worlds.needs import needs_mail_servers

from imconnect.ports import TryLater, Undeliverable
from imconnect_email.mailbox import Mailbox
from imconnect_email.settings import Tls

pytestmark = needs_mail_servers


@pytest.fixture
def user(mail_servers: MailServers) -> str:
    return mail_servers.somebody()


async def laid(servers: MailServers, user: str, count: int) -> None:
    await asyncio.to_thread(servers.lay, user, [a_mail(number) for number in range(count)])


async def test_what_lies_there_comes_first_and_in_order_then_what_arrives(mail_servers: MailServers, user: str) -> None:
    await laid(mail_servers, user, 120)
    async with reading(at_servers(mail_servers, user)) as reader:
        await reader.has(120)
        for number in (120, 121):  # Postfix brings what it has at once in no order
            await asyncio.to_thread(mail_servers.bring, user, a_mail(number))
            await reader.has(number + 1)

    assert reader.numbers == list(range(122))
    assert not reader.failures


async def test_a_mail_comes_whole_with_its_size_and_when_the_server_got_it(
    mail_servers: MailServers, user: str
) -> None:
    tricky = a_mail(0, "A001 OK done\r\n* 7 EXISTS\r\n)\r\n) OK FETCH\r\n* BYE\r\n{12}\r\n+ idling\r\nends with {5}")
    await asyncio.to_thread(mail_servers.lay, user, [tricky, a_mail(1, "第一行\r\n" * 3), a_mail(2, size=3_000_000)])
    async with reading(at_servers(mail_servers, user)) as reader:
        letters = await reader.has(3)

    assert [letter.raw for letter in letters] == [tricky, a_mail(1, "第一行\r\n" * 3), a_mail(2, size=3_000_000)]
    assert [letter.size for letter in letters] == [len(letter.raw) for letter in letters]
    assert all(
        letter.received_at is not None and abs(letter.received_at - datetime.now(UTC)) < timedelta(days=2000)
        for letter in letters
    )


async def test_a_mail_that_was_read_on_a_phone_is_still_new(mail_servers: MailServers, user: str) -> None:
    """E-14."""
    await laid(mail_servers, user, 3)
    async with reading(at_servers(mail_servers, user)) as reader:
        await reader.has(3)
    await asyncio.to_thread(mail_servers.bring, user, a_mail(3))
    await asyncio.to_thread(mail_servers.wait_for, user, 4)
    await asyncio.to_thread(mail_servers.mark_read, user)
    async with reading(at_servers(mail_servers, user), cursor=reader.cursor) as later:
        await later.has(1)

    assert later.numbers == [3]


async def test_reading_leaves_no_trace_on_the_server(mail_servers: MailServers, user: str) -> None:
    await laid(mail_servers, user, 2)
    async with reading(at_servers(mail_servers, user)) as reader:
        await reader.has(2)

    assert not list((mail_servers.folder / "mail" / user.partition("@")[0]).rglob("*:2,*S*"))


async def test_other_uids_mean_a_rescan_and_nothing_is_lost(mail_servers: MailServers, user: str) -> None:
    """E-15: which of the mails are known is told by Message-ID and hash, further inside."""
    await laid(mail_servers, user, 3)
    async with reading(at_servers(mail_servers, user)) as reader:
        await reader.has(3)
    before = reader.cursor
    assert before is not None
    await asyncio.to_thread(mail_servers.renumber, user, before.validity + 1)
    await asyncio.to_thread(mail_servers.bring, user, a_mail(3))
    await asyncio.to_thread(mail_servers.wait_for, user, 4)
    async with reading(at_servers(mail_servers, user), cursor=before) as later:
        await later.has(4)

    assert (later.numbers, later.rescans) == ([0, 1, 2, 3], 1)
    assert later.cursor is not None
    assert later.cursor.validity == before.validity + 1


async def test_a_mailbox_that_is_renumbered_while_it_is_read_is_read_anew(mail_servers: MailServers, user: str) -> None:
    """E-15, with somebody connected."""
    await laid(mail_servers, user, 3)
    async with reading(at_servers(mail_servers, user, idle_seconds=1)) as reader:
        await reader.has(3)
        assert reader.cursor is not None
        await asyncio.to_thread(mail_servers.renumber, user, reader.cursor.validity + 1)
        await asyncio.to_thread(mail_servers.bring, user, a_mail(3))
        await reader.has(7)

    assert (sorted(reader.numbers), reader.rescans) == ([0, 0, 1, 1, 2, 2, 3], 1)


async def test_what_was_handed_over_but_not_kept_comes_again(mail_servers: MailServers, user: str) -> None:
    """E-16: a crash between the insert and the cursor gives the same mails once more, under the same UIDs."""
    await laid(mail_servers, user, 3)
    async with aclosing(Mailbox(at_servers(mail_servers, user), None).follow("INBOX", None)) as batches:
        begun = await anext(batches)
        handed_over = await anext(batches)
    async with reading(at_servers(mail_servers, user), cursor=begun.cursor) as again:
        letters = await again.has(3)

    assert [letter.uid for letter in letters] == [letter.uid for letter in handed_over.letters]


async def test_the_cursor_after_all_that_lies_there_skips_it(mail_servers: MailServers, user: str) -> None:
    await laid(mail_servers, user, 3)
    end = await Mailbox(at_servers(mail_servers, user), None).end_of("INBOX")
    async with reading(at_servers(mail_servers, user), cursor=end) as reader:
        await asyncio.to_thread(mail_servers.bring, user, a_mail(3))
        await reader.has(1)

    assert reader.numbers == [3]


DOVECOT_GATHERS = 0.5
"""Seconds Dovecot waits after a change for others to tell of with it (NOTIFY_DELAY_MSECS of its source)."""


async def test_new_mail_is_seen_within_half_a_second_of_the_push(mail_servers: MailServers, user: str) -> None:
    async with reading(at_servers(mail_servers, user)) as reader:
        await asyncio.to_thread(mail_servers.bring, user, a_mail(0))
        await reader.has(1)
        taken: list[float] = []
        for number in range(1, 6):
            await asyncio.to_thread(mail_servers.bring, user, a_mail(number))
            brought = asyncio.get_running_loop().time()
            await reader.has(number + 1)
            taken.append(asyncio.get_running_loop().time() - brought)

    assert sorted(taken)[2] <= DOVECOT_GATHERS + 0.5


async def test_a_server_that_is_restarted_or_killed_is_found_again(mail_servers: MailServers, user: str) -> None:
    async with reading(at_servers(mail_servers, user)) as reader:
        for number, ended in enumerate((mail_servers.stop_imap, mail_servers.kill_imap)):
            await asyncio.to_thread(mail_servers.bring, user, a_mail(number))
            await reader.has(number + 1)
            await asyncio.to_thread(ended)
            await asyncio.to_thread(mail_servers.start_imap)
        await asyncio.to_thread(mail_servers.bring, user, a_mail(2))
        await reader.has(3)

    assert reader.numbers == [0, 1, 2]
    assert len(reader.failures) >= 2


@pytest.mark.parametrize("name", ["已处理", "two words", 'a "quoted" one', "R&D", "日本語 & more"])
async def test_folders_may_have_any_name(mail_servers: MailServers, user: str, name: str) -> None:
    await laid(mail_servers, user, 2)
    await asyncio.to_thread(mail_servers.create, user, name)
    await asyncio.to_thread(mail_servers.move, user, name)
    async with reading(at_servers(mail_servers, user, folders=[name]), folder=name) as reader:
        await reader.has(2)
    look = await Mailbox(at_servers(mail_servers, user, folders=[name, "absent"]), None).look()

    assert reader.numbers == [0, 1]
    assert name in look.folders
    assert look.missing == ("absent",)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_mail_comes_over_tls(mail_servers: MailServers, user: str, tls: Tls) -> None:
    await laid(mail_servers, user, 30)
    async with reading(at_servers(mail_servers, user, tls)) as reader:
        await reader.has(30)
        await asyncio.to_thread(mail_servers.bring, user, a_mail(30))
        await reader.has(31)

    assert reader.numbers == list(range(31))


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_a_server_whose_authority_is_unknown_learns_no_password(
    mail_servers: MailServers, user: str, tls: Tls
) -> None:
    chosen = at_servers(mail_servers, user, tls)
    distrusting = chosen.model_copy(update={"imap": chosen.imap.model_copy(update={"ca_file": None})})
    with pytest.raises(TryLater) as refused:
        await Mailbox(distrusting, None, STEADY).look()

    assert "certificate is not trusted" in refused.value.reason
    assert refused.value.after == 60


async def test_a_purged_mail_is_gone_and_its_neighbours_stay(mail_servers: MailServers, user: str) -> None:
    await laid(mail_servers, user, 3)
    mailbox = Mailbox(at_servers(mail_servers, user), None)
    async with reading(at_servers(mail_servers, user)) as reader:
        letters = await reader.has(3)
        await mailbox.purge("INBOX", letters[1].validity, [letters[1].uid])

    assert sorted(mail_servers.mails(user)) == [a_mail(0), a_mail(2)]
    with pytest.raises(Undeliverable, match="UIDs have changed"):
        await mailbox.purge("INBOX", letters[0].validity + 1, [letters[0].uid])
    assert len(mail_servers.mails(user)) == 2


async def test_a_look_tells_what_the_server_can_and_how_full_it_is(mail_servers: MailServers) -> None:
    look = await Mailbox(at_servers(mail_servers, "full@test.example"), None).look()

    assert (look.idles, look.purges, look.missing) == (True, True, ())
    assert look.quota is not None
    assert look.quota.limit == 64


async def test_a_mail_that_is_too_large_is_told_of_and_the_rest_is_read(mail_servers: MailServers, user: str) -> None:
    await asyncio.to_thread(mail_servers.lay, user, [a_mail(0), a_mail(1, size=100_000), a_mail(2)])
    async with reading(at_servers(mail_servers, user, largest_mail=65536)) as reader:
        small, large, after = await reader.has(3)

    assert (small.problem, after.problem) == ("", "")
    assert (large.raw, large.problem, large.size) == (
        b"",
        "larger than email.largest_mail",
        len(a_mail(1, size=100_000)),
    )
