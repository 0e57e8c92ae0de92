"""What IMAP servers say is read as the standard has it, and anything else does no harm."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imconnect_email.answers import (
    Entry,
    Folder,
    Place,
    Quota,
    body_of,
    entries_of,
    folders_of,
    from_modified_utf7,
    modified_utf7,
    moved_to,
    place_of,
    quota_of,
    quoted,
)

LINES = st.lists(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(bytearray)), max_size=8)


def test_a_selected_folder_has_its_validity_and_perhaps_its_next_uid() -> None:
    told = [b"3 EXISTS", b"OK [UIDVALIDITY 3857529045] UIDs valid", b"OK [UIDNEXT 4392] next", b"[READ-WRITE] done"]

    assert place_of(told) == Place(3857529045, 4392)
    assert place_of(told[:2]) == Place(3857529045, None)
    assert place_of(told[:1]) is None


def test_a_listing_is_in_the_order_of_uids_whatever_the_order_of_its_parts() -> None:
    told = [
        b'2 FETCH (RFC822.SIZE 20 UID 9 INTERNALDATE " 1-Nov-2026 10:00:00 +0800")',
        b'1 FETCH (UID 4 FLAGS (\\Seen) INTERNALDATE "17-Jul-2026 02:44:25 -0700" RFC822.SIZE 10)',
        b"3 FETCH (FLAGS (\\Seen))",
        b"Completed",
    ]
    july = datetime(2026, 7, 17, 2, 44, 25, tzinfo=timezone(timedelta(hours=-7)))

    assert entries_of(told, 1) == [Entry(4, 10, july), Entry(9, 20, datetime(2026, 11, 1, 2, tzinfo=UTC))]


def test_the_last_mail_that_an_open_range_always_has_is_left_out() -> None:
    assert entries_of([b"3 FETCH (UID 7 RFC822.SIZE 10)", b"done"], 8) == []


def test_a_date_that_is_none_costs_no_mail() -> None:
    assert entries_of([b'3 FETCH (UID 7 INTERNALDATE "99-Foo-1 x" RFC822.SIZE 10)'], 1) == [Entry(7, 10, None)]


@pytest.mark.parametrize("mail", [b"", b"abc", b")\r\n* BYE {3}\r\n", "第一行".encode()])
def test_a_mail_is_its_literal(mail: bytes) -> None:
    announced = b"1 FETCH (UID 4 BODY[] {%d}" % len(mail)

    assert body_of([b"2 FETCH (FLAGS ())", announced, bytearray(mail), b")", b"done"]) == mail


def test_a_mail_that_is_gone_is_none_and_one_that_is_not_whole_is_an_error() -> None:
    assert body_of([b"done"]) is None
    spoilt: list[list[bytes | bytearray]] = [
        [b"1 FETCH (UID 4 BODY[] NIL)", b"done"],
        [b"1 FETCH (BODY[] {5}", bytearray(b"abc"), b"done"],
    ]
    for told in spoilt:
        with pytest.raises(ValueError, match="not whole"):
            body_of(told)


def test_moved_mails_tell_their_new_uids_and_quotas_how_full_they_are() -> None:
    assert moved_to([b"OK [COPYUID 38505 304,319:320 3956:3958] done"]) == "3956:3958"
    assert quota_of([b'"User quota" (MESSAGE 1 10 STORAGE 512 1024)']) == Quota(512, 1024)
    assert (moved_to([b"done"]), quota_of([b"done"])) == (None, None)


def test_folders_come_quoted_bare_and_as_literals() -> None:
    told: list[bytes | bytearray] = [
        b'(\\HasNoChildren \\Trash) "/" "[Gmail]/Trash"',
        b"(\\HasNoChildren) NIL INBOX",
        b'() "." "a \\"quoted\\" \\\\ one"',
        b'(\\Noselect) "/" {11}',
        bytearray(b"&XfJZBHQG-x"),
        b"done",
    ]

    assert list(folders_of(told)) == [
        Folder("[Gmail]/Trash", "[Gmail]/Trash", frozenset({r"\hasnochildren", r"\trash"})),
        Folder("INBOX", "INBOX", frozenset({r"\hasnochildren"})),
        Folder('a "quoted" \\ one', 'a "quoted" \\ one', frozenset()),
        Folder("已处理x", "&XfJZBHQG-x", frozenset({r"\noselect"})),
    ]


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("INBOX", "INBOX"),
        ("R&D", "R&-D"),
        ("已处理", "&XfJZBHQG-"),
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
    ],
)
def test_names_are_written_in_modified_utf7(name: str, wire: str) -> None:
    """The last is the example of RFC 3501, section 5.1.3."""
    assert (modified_utf7(name), from_modified_utf7(wire)) == (wire, name)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
def test_every_name_survives_its_writing(name: str) -> None:
    assert modified_utf7(name).isascii()
    assert from_modified_utf7(modified_utf7(name)) == name


@given(st.text(max_size=30))
def test_no_name_of_a_server_breaks_the_reading(wire: str) -> None:
    assert isinstance(from_modified_utf7(wire), str)


@given(LINES)
def test_no_line_of_a_server_breaks_the_reading(lines: list[bytes | bytearray]) -> None:
    place_of(lines)
    moved_to(lines)
    quota_of(lines)
    list(folders_of(lines))

    assert entries_of(lines, 1) == sorted(entries_of(lines, 1), key=lambda entry: entry.uid)


def test_quotes_and_backslashes_are_escaped() -> None:
    assert quoted('a"b\\c') == '"a\\"b\\\\c"'
