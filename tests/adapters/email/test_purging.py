"""Removing a mail of a customer's: every copy, no other mail, and what cannot be removed is said to be there."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.adapters.email.transport_world import a_mail, at_script
from tests.worlds.mail import BASIC, Instead, ScriptedImap, serving_imap

from imconnect.domain.messages import Address, Attachment
from imconnect.ports import TryLater, Undeliverable
from imconnect.testing.kit import MemoryKit
from imconnect_email import EmailAdapter
from imconnect_email.mailbox import Mailbox
from imconnect_email.reading import read_mail

ADDRESS = Address("email", "desk@test.example", "somebody@test.example")
FILE = Attachment("0", "notes.txt", "text/plain", 3)


def with_a_file(number: int) -> bytes:
    head, _, text = a_mail(number).partition(b"\r\n\r\n")
    return (
        head
        + b"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
        + text
        + b"--b\r\nContent-Disposition: attachment; filename=notes.txt\r\n\r\nabc\r\n--b--\r\n"
    )


@asynccontextmanager
async def at(imap: ScriptedImap, places: Sequence[tuple[bytes, str]], **others: Any) -> AsyncGenerator[EmailAdapter]:
    """A channel that remembers where mails lie: each mail, and `INBOX:VALIDITY:UID`."""
    kit = MemoryKit()
    for raw, place in places:
        await kit.remember(f"at:{read_mail(raw).id}:{place}", "")
        kit.later(1)
    async with serving_imap(imap):
        adapter = EmailAdapter(at_script(imap, **others))
        await adapter.equip(kit)
        yield adapter
        await adapter.close()


def holding(*mails: bytes, without: tuple[str, ...] = ()) -> ScriptedImap:
    imap = ScriptedImap(tuple(name for name in BASIC if name not in without))
    imap.receive(*mails)
    return imap


async def test_both_copies_go_and_no_other_mail() -> None:
    one, other = a_mail(1), a_mail(2)
    imap = holding(one, other, one)
    async with at(imap, [(one, "INBOX:7:1"), (other, "INBOX:7:2"), (one, "INBOX:7:3")]) as adapter:
        await adapter.erase(ADDRESS, read_mail(one).id)

    assert imap.mails == {2: other}


async def test_a_mail_that_cannot_be_removed_is_said_to_be_there() -> None:
    one = a_mail(1)
    imap = holding(one, without=("UIDPLUS", "MOVE"))
    async with at(imap, [(one, "INBOX:7:1")]) as adapter:
        with pytest.raises(Undeliverable, match="remove it by hand"):
            await adapter.erase(ADDRESS, read_mail(one).id)

    assert imap.mails == {1: one}


async def test_a_mail_nobody_saw_lie_anywhere_is_said_not_to_be_known() -> None:
    async with at(holding(a_mail(1)), []) as adapter:
        with pytest.raises(Undeliverable, match="nobody knows"):
            await adapter.erase(ADDRESS, "unknown")


async def test_uids_of_another_time_remove_nothing() -> None:
    """E-15: what has that UID now is somebody else's mail."""
    one, other = a_mail(1), a_mail(2)
    imap = holding(other)
    async with at(imap, [(one, "INBOX:6:1")]) as adapter:
        with pytest.raises(Undeliverable, match="UIDs have changed"):
            await adapter.erase(ADDRESS, read_mail(one).id)

    assert imap.mails == {1: other}


async def test_one_copy_of_another_time_does_not_keep_the_one_that_is_there() -> None:
    one = a_mail(1)
    imap = holding(one)
    async with at(imap, [(one, "INBOX:6:1"), (one, "INBOX:7:1")]) as adapter:
        await adapter.erase(ADDRESS, read_mail(one).id)

    assert imap.mails == {}


async def test_a_server_that_breaks_is_asked_to_remove_it_again() -> None:
    one = a_mail(1)
    imap = holding(one)
    imap.once("UID EXPUNGE", Instead.CLOSE)
    async with at(imap, [(one, "INBOX:7:1")]) as adapter:
        with pytest.raises(TryLater):
            await adapter.erase(ADDRESS, read_mail(one).id)
        await adapter.erase(ADDRESS, read_mail(one).id)

    assert imap.mails == {}


# --------------------------------------------------------------------------------------------------------------- files


async def test_a_file_is_taken_from_its_own_mail_alone() -> None:
    """Where another mail has the place by now, its file is not shown as this customer's."""
    one, other = with_a_file(1), with_a_file(2)
    imap = holding(other)
    async with at(imap, [(one, "INBOX:7:1")]) as adapter:
        with pytest.raises(Undeliverable, match="not on the server any more"):
            await adapter.fetch(ADDRESS, read_mail(one).id, FILE, 1000)


async def test_what_has_a_uid_at_another_time_is_not_fetched() -> None:
    """E-15"""
    imap = holding(with_a_file(1))
    async with serving_imap(imap):
        brought = await Mailbox(at_script(imap), None).bring("INBOX", imap.validity - 1, 1)

    assert brought is None
    assert not [line for line in imap.said if line.startswith("UID FETCH")]


async def test_the_newest_place_is_looked_at_first() -> None:
    one = with_a_file(1)
    imap = holding(one, one)
    async with at(imap, [(one, "INBOX:7:1"), (one, "INBOX:7:2")]) as adapter:
        content = await adapter.fetch(ADDRESS, read_mail(one).id, FILE, 1000)
    fetched = [line for line in imap.said if line.startswith("UID FETCH")]

    assert content.strip() == b"abc"
    assert [line.split()[2] for line in fetched] == ["2"]


@pytest.mark.parametrize(("told", "most"), [(3, 2), (1, 2)])
async def test_a_file_that_is_too_large_is_not_handed_over_whatever_was_told_of_it(told: int, most: int) -> None:
    one = with_a_file(1)
    imap = holding(one)
    async with at(imap, [(one, "INBOX:7:1")]) as adapter:
        with pytest.raises(Undeliverable, match="more than 2 bytes"):
            await adapter.fetch(ADDRESS, read_mail(one).id, Attachment("0", "notes.txt", "text/plain", told), most)

    assert any(line.startswith("UID FETCH") for line in imap.said) is (told <= most)


@pytest.mark.parametrize("number", ["1", "-1", "x", "999999999999"])
async def test_a_file_the_mail_does_not_have_is_none(number: str) -> None:
    one = with_a_file(1)
    async with at(holding(one), [(one, "INBOX:7:1")]) as adapter:
        with pytest.raises(Undeliverable, match="no such file"):
            await adapter.fetch(ADDRESS, read_mail(one).id, Attachment(number, "n", "text/plain", 1), 1000)
