"""No mail crashes the reader or holds it up: what is too much becomes a `problem`, and the next one is read."""

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adapters.email.samples import FOLDER, mail, names, raw, written

from imconnect_email.mail import Limits
from imconnect_email.reading import read_mail
from imconnect_email.threading import joined, tokens_of
from imconnect_email.trust import Trust, Verdict, judge

SECONDS = 2.0
MEGABYTES = 200


def nested(levels: int) -> bytes:
    """Multiparts within multiparts."""
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(levels))
    return b"From: a@b.example\r\n" + opened + b"\r\ninnermost\r\n"


def of_type(kind: bytes, body: bytes) -> bytes:
    return written(body, fields=b"Content-Type: " + kind + b"\r\n")


TOO_MUCH = {
    "2,000 nested multiparts": (nested(2_000), "parts nested more than 30 deep"),
    "a 50 MB body": (written(b"hello world\r\n" * 4_000_000), "larger than 33554432 bytes"),
    "5,000 headers": (written(fields=b"X-A: b\r\n" * 5_000), "more than 1000 header fields"),
    "a header of 10 MB": (written(fields=b"X-A: " + b"b" * 10_000_000 + b"\r\n"), "a header of more than 262144 bytes"),
    "100,000 parts": (of_type(b"multipart/mixed; boundary=b", b"--b\r\n\r\nx\r\n" * 100_000), "more than 500 parts"),
    "a text of 30 MB": (written(b"hello world\r\n" * 2_400_000), "a text of more than 500000 characters"),
    "5 million lines like a boundary": (
        of_type(b"multipart/mixed; boundary=b", b"--bb\r\n" * 5_000_000),
        "more than can be told apart of what looks like parts",
    ),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_too_much_of_anything_is_a_problem(name: str) -> None:
    """E-20: and the headers that could be read are there, so that an operator knows whose mail it is."""
    one, problem = TOO_MUCH[name]
    found = read_mail(one)

    assert found.problem == problem
    assert found.sender is not None
    assert read_mail(written()).problem is None, "the next one is read"


SLOW = {
    "deep HTML": of_type(b"text/html", b"<div>" * 300_000),
    "much HTML": of_type(b"text/html", b"<p>" * 600_000),
    "small pieces of HTML": of_type(b"text/html", b"<b>x</b>" * 29_000),
    "many lines quoted very deep": of_type(b"text/html", b"<blockquote>" * 900 + b"<br>x" * 50_000),
    "signs that open tags": of_type(b"text/html", b"<" * 1_900_000),
    "quotes and answers by turns": written(b"> a\r\n\r\nb\r\n" * 40_000, fields=b"In-Reply-To: <a@b>\r\n"),
    "what nearly is an attribution": written(
        (b"On " + b"2026 " * 60 + b"wrote x:\r\n") * 1_400, fields=b"In-Reply-To: <a@b>\r\n"
    ),
    "what nearly is a header block": written(b"From: a\r\n" * 50_000, fields=b"In-Reply-To: <a@b>\r\n"),
    "one line of dashes": written(b"-" * 490_000 + b"x"),
    "one line of spaces": written(b" " * 490_000 + b"x"),
    "soft line ends": of_type(b"text/plain; format=flowed", b"a \r\n" * 160_000),
    "encoded words": written(fields=b"To: " + b"=?utf-8?q?a?= " * 15_000 + b"\r\n"),
    "quotes in From": written(sender=b'"' * 200_000 + b" <a@b.example>"),
    "addresses in From": written(sender=b"a@b.example, " * 15_000),
    "parameters": of_type(b"text/plain" + b"; a*0=b" * 30_000, b"x"),
    "a bounce of numbers": written(b"5." * 200_000, sender=b"mailer-daemon@x.example", fields=b"Return-Path: <>\r\n"),
    "base64 with noise": written(
        (b"QUJD" * 19 + b"=\r\n") * 400_000,
        fields=b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n",
    ),
}


@pytest.mark.parametrize("name", SLOW)
def test_no_mail_takes_long(name: str) -> None:
    """E-20: two seconds of the processor at most, the judging of results and signatures included."""
    one = SLOW[name]
    begun = time.process_time()
    found = read_mail(one)
    judge(found, one, authserv_id="mx.im.example")

    assert time.process_time() - begun < SECONDS
    assert not (found.problem or "").startswith("not understood")


LARGE = """
import re
from pathlib import Path
from imconnect_email.reading import read_mail
base = b"From: a@b.example\\r\\nContent-Type: application/pdf\\r\\nContent-Transfer-Encoding: base64\\r\\n\\r\\n"
found = read_mail({})
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(len(found.attachments), int(peak[1]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
@pytest.mark.parametrize(
    ("made", "files"), [('base + (b"QUJD" * 19 + b"\\r\\n") * 420_000', 1), ('base + b"QUJD" * 12_500_000', 0)]
)
def test_the_largest_mails_fit_into_little_memory(made: str, files: int) -> None:
    """E-20: 200 MB for the whole process, with the mail in it."""
    done = subprocess.run(
        [sys.executable, "-c", LARGE.format(made)], capture_output=True, text=True, check=True, cwd=FOLDER
    )
    found, megabytes = map(int, done.stdout.split())

    assert found == files
    assert megabytes < MEGABYTES


def test_limits_are_arguments() -> None:
    limits = Limits(raw_bytes=100, headers=2)

    assert read_mail(b"x" * 101, limits=limits).problem == "larger than 100 bytes"
    assert read_mail(b"From: a@b.cd\nA: 1\nB: 2\n\n", limits=limits).problem == "more than 2 header fields"


@pytest.mark.parametrize("name", names())
def test_every_mail_there_is_can_be_read(name: str) -> None:
    expected = "no sender: From is missing or holds no address" if name == "from_missing" else None

    assert mail(name).problem == expected


@pytest.mark.parametrize("one", [b"", b"\n", b"\r\n\r\n", b":", b"From", b"\0" * 1_000, bytes(range(256)) * 40])
def test_what_is_hardly_a_mail_has_a_problem(one: bytes) -> None:
    found = read_mail(one)

    assert found.problem == "no sender: From is missing or holds no address"
    assert found.size == len(one)


MAILS = [raw(name) for name in names()]


@given(
    one=st.sampled_from(MAILS),
    other=st.sampled_from(MAILS),
    at=st.floats(0, 1),
    junk=st.one_of(st.binary(max_size=40), st.sampled_from([b"\r\n\r\n", b"--b1\r\n", b'"', b"=?", b"<", b"\x1b$B"])),
    gap=st.integers(0, 200),
)
@settings(max_examples=300, deadline=None)
def test_a_spoilt_mail_is_read_without_a_crash(one: bytes, other: bytes, at: float, junk: bytes, gap: int) -> None:
    place = int(at * len(one))
    spoilt = one[:place] + junk + one[place + gap :] + other[place:]
    found = read_mail(spoilt)
    verdict = judge(found, spoilt, authserv_id="mx.im.example")

    assert not (found.problem or "").startswith("not understood")
    assert not any(ord(letter) < 32 for letter in found.subject + (found.sender.name if found.sender else ""))
    assert "\x00" not in found.text
    found.text.encode()
    joined(found, Verdict(Trust.UNTRUSTED, ""), b"secret")
    tokens_of(found)
    assert verdict.reason


def test_a_mail_that_could_not_be_understood_leaves_the_reader_running(monkeypatch: pytest.MonkeyPatch) -> None:
    """E-20: a defect of ours quarantines one mail, keeps what was read before it, and tells no word of it."""

    def defect(*_: object) -> None:
        raise RuntimeError("words of a customer")

    monkeypatch.setattr("imconnect_email.reading.read_body", defect)
    found = read_mail(written())

    assert found.problem == "not understood: RuntimeError"
    assert found.sender is not None
