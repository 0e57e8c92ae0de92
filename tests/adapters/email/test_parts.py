"""Every part of a mail is found, named and decoded."""

from tests.adapters.email.samples import mail, written

from imconnect_email.mail import Remark
from imconnect_email.reading import read_mail


def test_plain_text_is_taken_before_html_and_other_parts_follow() -> None:
    found = mail("nested")

    assert found.text == "The plain text.\n\nA footer of the list."
    assert [(one.media_type, one.inline) for one in found.attachments] == [("image/png", True)]


def test_an_empty_plain_part_gives_way_to_the_html() -> None:
    assert mail("blank_plain_part").text == "Only here."


def test_lines_of_flowed_text_are_joined_without_their_space_where_delsp_says_so() -> None:
    assert mail("flowed_delsp").text == "转账没有到账，请帮忙。\n-- \nAlice"


def test_files_keep_their_names_and_lose_their_folders() -> None:
    found = mail("file_names").attachments

    assert [one.name for one in found] == ["转账记录.pdf", "截图.png", "notes.txt", "4.bin"]
    assert [one.content[:4] for one in found] == [b"%PDF", b"\x89PNG", b"some", b"\x00\x01"]
    assert [one.size for one in found] == [8, 66, 10, 2]


def test_a_winmail_dat_is_named_and_remarked_on() -> None:
    found = mail("winmail")

    assert [one.name for one in found.attachments] == ["winmail.dat"]
    assert Remark.WINMAIL in found.remarks


def test_an_invitation_is_a_file_beside_the_text() -> None:
    found = mail("calendar")

    assert found.text == "A call on Monday?"
    assert [(one.name, one.media_type) for one in found.attachments] == [("calendar.ics", "text/calendar")]


def test_an_attached_mail_goes_by_its_subject() -> None:
    (found,) = mail("attached_mail").attachments

    assert (found.name, found.media_type) == ("账户 notice.eml", "message/rfc822")
    assert found.content.startswith(b"From: Notice")


def test_a_picture_within_the_text_is_inline_and_leaves_its_description() -> None:
    found = mail("inline_image")

    assert found.text == "Look here:\n\nerror 42\n\nWhy?"
    assert [(one.name, one.inline, one.content_id) for one in found.attachments] == [
        ("shot.png", True, "shot@example.com")
    ]


def test_an_encrypted_mail_is_told_as_such() -> None:
    found = mail("encrypted")

    assert Remark.ENCRYPTED in found.remarks
    assert "encrypted.asc" in [one.name for one in found.attachments]


def test_a_part_that_is_never_closed_is_read_to_the_end() -> None:
    found = read_mail(
        written(
            b"--b\r\nContent-Type: text/plain\r\n\r\nto the end",
            fields=b"Content-Type: multipart/mixed; boundary=b\r\n",
        )
    )

    assert found.text == "to the end"


def test_a_boundary_that_begins_like_another_is_not_taken_for_it() -> None:
    body = (
        b"--b\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n\r\ninner\r\n--bb--\r\n"
        b"--b\r\n\r\nouter\r\n--b--\r\n"
    )
    found = read_mail(written(body, fields=b"Content-Type: multipart/mixed; boundary=b\r\n"))

    assert found.text == "inner\n\nouter"


def test_base64_with_noise_in_it_is_decoded() -> None:
    found = read_mail(
        written(b"aGVs*bG8g\r\nd29ybGQ", fields=b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n")
    )

    assert found.text == "hello world"


def test_text_that_only_says_it_is_base64_is_read_as_it_is() -> None:
    found = read_mail(written(b"My transfer is late, please look", fields=b"Content-Transfer-Encoding: base64\r\n"))

    assert found.text == "My transfer is late, please look"


def test_a_picture_of_a_name_its_senders_made_up_has_an_ending() -> None:
    found = read_mail(written(b"x", fields=b"Content-Type: image/jpg\r\n"))

    assert [one.name for one in found.attachments] == ["1.jpg"]


def test_base64_that_begins_anew_after_its_padding_is_decoded() -> None:
    found = read_mail(written(b"aGVsbG8g==*d29ybGQ=", fields=b"Content-Transfer-Encoding: base64\r\n"))

    assert found.text == "hello world"


def test_uuencoded_text_is_decoded() -> None:
    body = b"begin 644 a.txt\r\n+:&5L;&\\@=V]R;&0 \r\n`\r\nend\r\n"
    found = read_mail(written(body, fields=b"Content-Transfer-Encoding: x-uuencode\r\n"))

    assert found.text == "hello world"


def test_a_mail_with_carriage_returns_alone_is_read() -> None:
    found = read_mail(written(b"one\r\ntwo").replace(b"\n", b""))

    assert found.sender is not None
    assert found.text == "one\ntwo"


def test_typed_words_stay_out_of_a_mails_repr() -> None:
    found = mail("file_names")

    assert "Files." not in repr(found)
    assert "notes.txt" not in repr(found)
