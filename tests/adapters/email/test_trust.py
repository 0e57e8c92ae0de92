"""A sender is believed by our own server's word or by a good signature, aligned with From; by nothing else."""

import base64
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
from Crypto.Hash import SHA1, SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15
from nacl.signing import SigningKey
from tests.adapters.email.samples import mail, raw, written
from tests.adapters.email.test_signing import published, rsa_key

from imconnect_email.reading import read_mail
from imconnect_email.signatures import Signing, signed
from imconnect_email.trust import SIGNATURES, Trust, aligned, judge, organisations, parse_results

SERVER = "mx.im.example"


def trust(name: str) -> Trust:
    return judge(mail(name), raw(name), authserv_id=SERVER).trust


# -------------------------------------------------------------------------------------------------- our server's word


@pytest.mark.parametrize("name", ["trust_dmarc_pass", "trust_dkim_below"])
def test_what_our_server_passed_and_is_aligned_is_trusted(name: str) -> None:
    assert trust(name) is Trust.TRUSTED


@pytest.mark.parametrize(
    "name", ["trust_forged_other_server", "trust_forged_below_fail", "trust_forged_below_spf", "trust_in_comment"]
)
def test_results_the_sender_added_are_not_believed(name: str) -> None:
    """E-03: under another server's name, or under ours below what ours said, or within a comment or a quoted value."""
    assert trust(name) is Trust.UNTRUSTED


def test_a_pass_for_another_domain_is_no_pass() -> None:
    """E-04: SPF and DKIM of the attacker's own domain, From of the customer."""
    assert trust("trust_spf_of_another") is Trust.UNTRUSTED


@pytest.mark.parametrize("name", ["from_two_fields", "from_unbalanced_quotes", "from_missing"])
def test_a_sender_who_is_not_clear_is_never_trusted(name: str) -> None:
    """E-28, the address confusion: whatever our server passed."""
    assert trust(name) is Trust.UNTRUSTED


def test_a_name_that_shows_an_address_lends_it_no_trust() -> None:
    found = mail("from_name_is_an_address")

    assert trust("from_name_is_an_address") is Trust.TRUSTED
    assert found.sender is not None
    assert found.sender.address == "evil@evil.example"


def test_with_no_server_pinned_no_result_is_believed() -> None:
    found = judge(mail("trust_dmarc_pass"), raw("trust_dmarc_pass"))

    assert found.trust is Trust.UNKNOWN


def test_dmarc_passed_for_another_from_is_no_pass() -> None:
    one = written(fields=b"Authentication-Results: mx.im.example; dmarc=pass header.from=other.example\r\n")

    assert judge(read_mail(one), one, authserv_id=SERVER).trust is Trust.UNTRUSTED


def test_a_failure_outweighs_what_passed_beside_it() -> None:
    one = written(fields=b"Authentication-Results: mx.im.example;\r\n dkim=pass header.d=example.com; dmarc=fail\r\n")

    assert judge(read_mail(one), one, authserv_id=SERVER).trust is Trust.UNTRUSTED


@pytest.mark.parametrize("result", ["dkim=fail header.d=example.com", "spf=softfail smtp.mailfrom=a@example.com"])
def test_what_did_not_pass_proves_nothing_however_aligned_it_is(result: str) -> None:
    """E-03: a result that is named is not yet one that is good."""
    one = written(fields=f"Authentication-Results: mx.im.example; {result}\r\n".encode())

    assert judge(read_mail(one), one, authserv_id=SERVER).trust is Trust.UNTRUSTED


def test_spf_that_passed_for_an_aligned_envelope_is_trusted() -> None:
    one = written(fields=b"Authentication-Results: mx.im.example; spf=pass smtp.mailfrom=bounce@mail.example.com\r\n")

    assert judge(read_mail(one), one, authserv_id=SERVER).trust is Trust.TRUSTED


def test_a_comment_within_a_comment_is_a_comment() -> None:
    """E-03: what a sender makes our server quote is no result."""
    one = written(
        fields=b"Authentication-Results: mx.im.example; spf=none "
        b"(said (by a) ; dmarc=pass header.from=example.com or so)\r\n"
    )

    assert judge(read_mail(one), one, authserv_id=SERVER).trust is Trust.UNTRUSTED


def test_all_results_above_our_servers_own_received_are_its_own() -> None:
    one = (
        b"Authentication-Results: mx.im.example; spf=none\r\n"
        b"Authentication-Results: mx.im.example; dkim=pass header.d=example.com\r\nReceived: from a by b\r\n"
    ) + written()

    assert judge(read_mail(one), one, authserv_id=SERVER).trust is Trust.TRUSTED


def test_without_a_received_only_the_topmost_result_is_believed() -> None:
    """E-03: nothing shows where what our server added ends."""
    one = written(
        fields=b"Authentication-Results: mx.im.example; spf=none\r\n"
        b"Authentication-Results: mx.im.example; dmarc=pass header.from=example.com\r\n"
    )

    assert judge(read_mail(one), one, authserv_id=SERVER).trust is Trust.UNTRUSTED


def test_results_are_read_as_their_standard_has_them() -> None:
    server, results = parse_results(
        b"MX.IM.example 1; dkim=pass (good; d=x) header.d=example.com"
        b' header.i="@example.com"; spf = fail smtp.mailfrom=a@b.example'
    )

    assert server == "mx.im.example"
    assert [(one.method, one.result) for one in results] == [("dkim", "pass"), ("spf", "fail")]
    assert results[0].properties == {"header.d": "example.com", "header.i": "@example.com"}


# ----------------------------------------------------------------------------------------------------------- alignment


@pytest.mark.parametrize(
    ("domain", "authenticated", "one"),
    [
        ("example.com", "example.com", True),
        ("example.com", "bounce.example.com", True),
        ("mail.example.com", "example.com", True),
        ("example.com", "example.com.evil.example", False),
        ("example.com", "badexample.com", False),
        ("a.example.com", "b.example.com", False),
        ("com.cn", "evil.com.cn", False),
        ("example.com", "com", False),
        ("com", "com", False),
        ("example.com", "", False),
    ],
)
def test_without_dns_a_domain_is_aligned_with_those_above_and_below_it(
    domain: str, authenticated: str, one: bool
) -> None:
    assert aligned(domain, authenticated) is one


class Zone:
    """TXT records. What is named in *silent* is not answered."""

    def __init__(self, records: Mapping[str, str], silent: str = "") -> None:
        self.records = records
        self.silent = silent
        self.asked: list[str] = []

    def __call__(self, name: bytes, timeout: int = 5) -> bytes | None:
        asked = name.decode().rstrip(".")
        self.asked.append(asked)
        if asked == self.silent:
            raise TimeoutError
        record = self.records.get(asked)
        return None if record is None else record.encode()


def test_with_dns_neighbours_of_one_organisation_are_aligned() -> None:
    organisation = organisations(Zone({"_dmarc.example.com": "v=DMARC1; p=none"}))

    assert aligned("a.example.com", "b.example.com", organisation)


def test_with_dns_neighbours_below_a_registry_are_not_aligned() -> None:
    organisation = organisations(Zone({"_dmarc.shops.example": "v=DMARC1; p=none; psd=y"}))

    assert not aligned("victim.shops.example", "evil.shops.example", organisation)


def test_with_dns_a_part_that_says_it_is_an_organisation_of_its_own_stands_apart() -> None:
    records = {"_dmarc.example.com": "v=DMARC1; p=none", "_dmarc.shop.example.com": "v=DMARC1; p=none; psd=n"}
    organisation = organisations(Zone(records))

    assert not aligned("shop.example.com", "mail.example.com", organisation)
    assert aligned("a.shop.example.com", "b.shop.example.com", organisation)


def test_a_very_long_domain_takes_few_look_ups() -> None:
    zone = Zone({})
    organisations(zone)(".".join("abcdefghijklmnopqrstuvwxyz"))

    assert len(zone.asked) == 8


# ---------------------------------------------------------------------------------------------------------- signatures

_RSA = RSA.generate(2048)
_PUBLIC = base64.b64encode(_RSA.public_key().export_key("DER")).decode()
_PRIVATE = _RSA.export_key()
_RECORD = {"s1._domainkey.example.com": f"v=DKIM1; k=rsa; p={_PUBLIC}"}


def by_signature(one: bytes, zone: Zone) -> Trust:
    return judge(read_mail(one), one, lookup=zone).trust


def test_a_good_signature_of_the_senders_domain_is_trusted() -> None:
    one = signed(written(), Signing("example.com", "s1", _PRIVATE))

    assert by_signature(one, Zone(_RECORD)) is Trust.TRUSTED


def test_a_good_ed25519_signature_is_trusted() -> None:
    key = SigningKey.generate()
    public = base64.b64encode(bytes(key.verify_key)).decode()
    one = signed(written(), Signing("example.com", "e1", base64.b64encode(bytes(key)), "ed25519-sha256"))

    assert by_signature(one, Zone({"e1._domainkey.example.com": f"v=DKIM1; k=ed25519; p={public}"})) is Trust.TRUSTED


def test_a_changed_text_breaks_the_signature() -> None:
    one = signed(written(b"Send 5 TRX"), Signing("example.com", "s1", _PRIVATE)).replace(b"5 TRX", b"9 TRX")

    assert by_signature(one, Zone(_RECORD)) is Trust.UNTRUSTED


def test_a_good_signature_of_another_domain_is_no_proof() -> None:
    """E-04: as for results, so for signatures."""
    one = signed(written(sender=b"Bob <bob@other.example>"), Signing("example.com", "s1", _PRIVATE))

    assert by_signature(one, Zone(_RECORD)) is Trust.UNTRUSTED


def test_a_from_added_after_signing_is_no_proof() -> None:
    """E-28, the address confusion: two From, one of them signed."""
    one = b"From: Eve <eve@example.com>\r\n" + signed(written(), Signing("example.com", "s1", _PRIVATE))

    assert by_signature(one, Zone(_RECORD)) is Trust.UNTRUSTED


def signed_by_hand(
    body: bytes,
    *,
    names: bytes,
    tags: bytes = b"",
    signed_body: bytes | None = None,
    digest: ModuleType = SHA256,
) -> bytes:
    """A small mail signed over these fields with these tags (relaxed/simple), as no honest signer would."""
    fields = {b"from": b"Alice <alice@example.com>", b"subject": b"Question"}
    hashed = base64.b64encode(digest.new(body if signed_body is None else signed_body).digest())
    algorithm = b"rsa-sha1" if digest is SHA1 else b"rsa-sha256"
    value = b"v=1; a=%s; c=relaxed/simple; d=example.com; s=s1;%s h=%s; bh=%s; b=" % (algorithm, tags, names, hashed)
    lines = [name + b":" + fields[name] + b"\r\n" for name in names.split(b":")]
    whole = digest.new(b"".join([*lines, b"dkim-signature:" + value]))
    signature = b"DKIM-Signature: " + value + base64.b64encode(pkcs1_15.new(_RSA).sign(whole)) + b"\r\n"
    return signature + b"From: Alice <alice@example.com>\r\nSubject: Question\r\n\r\n" + body


def test_a_signature_made_by_hand_is_as_good_as_any() -> None:
    one = signed_by_hand(b"Hi\r\n", names=b"from:subject")

    assert by_signature(one, Zone(_RECORD)) is Trust.TRUSTED


def test_a_signature_that_leaves_room_for_more_text_is_no_proof() -> None:
    one = signed_by_hand(b"Hi, and more\r\n", names=b"from:subject", tags=b" l=2;", signed_body=b"Hi")

    assert by_signature(one, Zone(_RECORD)) is Trust.UNTRUSTED


def test_a_signature_that_leaves_from_out_is_no_proof() -> None:
    one = signed_by_hand(b"Hi\r\n", names=b"subject")

    assert by_signature(one, Zone(_RECORD)) is Trust.UNTRUSTED


def test_what_our_server_refused_no_signature_makes_good() -> None:
    """E-03: our server saw more than the signature, such as what DMARC asks for."""
    one = b"Authentication-Results: mx.im.example; dmarc=fail\r\n" + signed(
        written(), Signing("example.com", "s1", _PRIVATE)
    )

    assert judge(read_mail(one), one, authserv_id=SERVER, lookup=Zone(_RECORD)).trust is Trust.UNTRUSTED


def test_of_very_many_signatures_only_the_first_are_looked_up() -> None:
    many = b"".join(
        b"DKIM-Signature: v=1; a=rsa-sha256; d=d%d.example; s=x; h=from; bh=aGk=; b=aGk=\r\n" % n for n in range(40)
    )
    zone = Zone(_RECORD)
    one = many + signed(written(), Signing("example.com", "s1", _PRIVATE))

    assert by_signature(one, zone) is Trust.UNTRUSTED
    assert len(zone.asked) <= SIGNATURES


def test_a_signature_by_a_broken_digest_is_no_proof() -> None:
    """RFC 8301: SHA-1 is not to be believed."""
    one = signed_by_hand(b"Hi\r\n", names=b"from:subject", digest=SHA1)

    assert by_signature(one, Zone(_RECORD)) is Trust.UNTRUSTED


def test_a_signature_by_a_short_key_is_no_proof(tmp_path: Path) -> None:
    """RFC 8301, 3.2: below 1024 bits anybody may have it."""
    key = rsa_key(tmp_path, 768)
    one = signed(written(), Signing("example.com", "s1", key.read_bytes()))

    assert by_signature(one, Zone({"s1._domainkey.example.com": published(key)})) is Trust.UNTRUSTED


def test_an_unsigned_mail_is_untrusted() -> None:
    assert by_signature(written(), Zone(_RECORD)) is Trust.UNTRUSTED


def test_while_dns_does_not_answer_nobody_knows() -> None:
    one = signed(written(), Signing("example.com", "s1", _PRIVATE))

    assert by_signature(one, Zone(_RECORD, silent="s1._domainkey.example.com")) is Trust.UNKNOWN


def test_a_revoked_key_proves_nothing() -> None:
    one = signed(written(), Signing("example.com", "s1", _PRIVATE))

    assert by_signature(one, Zone({"s1._domainkey.example.com": "v=DKIM1; k=rsa; p="})) is Trust.UNTRUSTED


@pytest.mark.parametrize(
    "signature",
    [b"", b";;;", b"v=1", b"v=1; a=none; d=x; s=y; h=from; bh=a; b=a", b"\xff\xfe", b"v=1; " * 500, b"=" * 9_000],
)
def test_a_spoilt_signature_proves_nothing(signature: bytes) -> None:
    one = b"DKIM-Signature: " + signature + b"\r\n" + written()

    assert by_signature(one, Zone(_RECORD)) is Trust.UNTRUSTED


def test_a_signature_is_not_checked_where_checking_would_take_for_ever() -> None:
    one = signed(written(), Signing("example.com", "s1", _PRIVATE)) + b" " * 300_000 + b"x"
    zone = Zone(_RECORD)

    assert by_signature(one, zone) is Trust.UNTRUSTED
    assert zone.asked == []
