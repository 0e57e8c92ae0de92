"""Our mail is signed with the key that the settings name, and a key that cannot sign stops the start."""

import base64
import subprocess
from pathlib import Path

import pytest
from nacl.signing import SigningKey
from pydantic import ValidationError
from tests.adapters.email.test_listening import Zone
from tests.adapters.email.transport_world import settings
from tests.worlds.mail import ScriptedSmtp, serving_smtp

from imconnect.domain.messages import Address, Purpose
from imconnect.testing.conformance import saying
from imconnect.testing.kit import MemoryKit
from imconnect_email import EmailAdapter
from imconnect_email.settings import EmailSettings
from imconnect_email.signatures import good_signer


def signing_with(key: Path, port: int = 25, **dkim: str) -> EmailSettings:
    return settings(
        {"user": "u", "password": "p"}, {"port": port}, dkim={"selector": "desk", "key_file": str(key), **dkim}
    )


def rsa_key(folder: Path, bits: int) -> Path:
    key = folder / "desk.pem"
    subprocess.run(["openssl", "genrsa", "-out", str(key), str(bits)], check=True, capture_output=True)
    return key


def published(key: Path) -> str:
    """What DNS says of an RSA key."""
    made = subprocess.run(
        ["openssl", "rsa", "-in", str(key), "-pubout", "-outform", "DER"], check=True, capture_output=True
    )
    return f"v=DKIM1; k=rsa; p={base64.b64encode(made.stdout).decode()}"


async def sent_with(key: Path, **dkim: str) -> bytes:
    """What the server is handed for a reply."""
    async with serving_smtp(ScriptedSmtp()) as server:
        one = EmailAdapter(signing_with(key, server.port, **dkim), Zone({}))
        await one.equip(MemoryKit())
        await one.send(
            saying("a reply", "k-1", Address(one.name, one.account, "customer@test.example"), purpose=Purpose.REPLY)
        )
        await one.close()
    return server.taken[0].raw


async def test_what_is_sent_verifies_with_the_key_in_dns(tmp_path: Path) -> None:
    key = rsa_key(tmp_path, 2048)
    raw = await sent_with(key)
    zone = Zone({"desk._domainkey.test.example": published(key)})
    changed = raw.replace(b"a reply", b"b reply")

    assert good_signer(raw, 0, zone) == "test.example"
    assert changed != raw
    assert good_signer(changed, 0, zone) is None


async def test_an_ed25519_key_signs_for_the_domain_that_is_named(tmp_path: Path) -> None:
    pair, key = SigningKey.generate(), tmp_path / "desk.key"
    key.write_bytes(base64.b64encode(bytes(pair)) + b"\n")
    raw = await sent_with(key, domain="mail.test.example")
    record = f"v=DKIM1; k=ed25519; p={base64.b64encode(bytes(pair.verify_key)).decode()}"

    assert good_signer(raw, 0, Zone({"desk._domainkey.mail.test.example": record})) == "mail.test.example"


@pytest.mark.parametrize("held", ["", "no key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"])
def test_what_is_no_key_stops_the_start_and_is_not_shown(tmp_path: Path, held: str) -> None:
    key = tmp_path / "desk.pem"
    key.write_text(held)
    with pytest.raises(ValidationError, match=r"email\.dkim\.key_file holds no key to sign with: name") as said:
        signing_with(key)

    assert "AAAA" not in str(said.value)


def test_a_key_that_nobody_believes_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="1024 bits or more"):
        signing_with(rsa_key(tmp_path, 768))
