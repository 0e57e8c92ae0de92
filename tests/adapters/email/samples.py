"""The mails of these tests: written after the standards and after what each client really sends."""

from pathlib import Path

from imconnect_email.mail import House, Mail
from imconnect_email.reading import read_mail

FOLDER = Path(__file__).parent / "fixtures"

HOUSE = House(
    addresses=frozenset({"support@im.example", "help@im.example"}),
    domains=frozenset({"im.example", "imwallet.example"}),
)


def raw(name: str) -> bytes:
    """The bytes of a fixture."""
    return (FOLDER / f"{name}.eml").read_bytes()


def mail(name: str) -> Mail:
    """A fixture, read."""
    return read_mail(raw(name), house=HOUSE)


def names(*, starting: str = "") -> list[str]:
    """The fixtures there are."""
    return sorted(path.stem for path in FOLDER.glob(f"{starting}*.eml"))


def written(body: bytes = b"Hi", *, fields: bytes = b"", sender: bytes = b"Alice <alice@example.com>") -> bytes:
    """A small mail of one's own."""
    return b"From: " + sender + b"\r\nSubject: Question\r\n" + fields + b"\r\n" + body
