"""Discord's payloads read, as its gateway and its history tell them."""

from typing import Any

import pytest

from imconnect.domain.messages import Address, Choice, Remark
from imconnect_discord.translate import (
    addressed,
    buttons,
    edit,
    incoming,
    is_ours,
    key_of,
    nonce_of,
    read,
    read_ref,
    unreadable,
    without_mention,
    words_on,
)

Json = dict[str, Any]

HERE = Address("discord", "1", "u80351110224678912")
LOBBY = Address("discord", "1", "g290926798999357250:80351110224678912")

PLAIN: Json = {
    "type": 0,
    "id": "334385199974967042",
    "channel_id": "290926798999357250",
    "guild_id": "290926798626357999",
    "author": {
        "id": "80351110224678912",
        "username": "mei.2024",
        "global_name": "Mei",
        "discriminator": "0",
        "avatar": None,
        "public_flags": 0,
    },
    "member": {"nick": "Mei 梅", "roles": ["290926798626358000"], "joined_at": "2024-01-01T00:00:00+00:00"},
    "content": "转账没到",
    "timestamp": "2026-02-03T04:05:06.789000+00:00",
    "edited_timestamp": None,
    "tts": False,
    "mention_everyone": False,
    "mentions": [],
    "mention_roles": [],
    "attachments": [],
    "embeds": [{"type": "link", "title": "a title somebody else wrote", "url": "https://example.org/"}],
    "pinned": False,
    "flags": 0,
    "components": [],
    "nonce": 1234567,
}

PICTURE: Json = {
    "id": "334385199974967100",
    "filename": "proof.png",
    "size": 4096,
    "content_type": "image/png; charset=binary",
    "url": "https://cdn.discordapp.com/attachments/1/2/proof.png?ex=65d903de&is=65c68ede&hm=2481f30d",
    "proxy_url": "https://media.discordapp.net/attachments/1/2/proof.png",
}


def test_a_plain_message_is_its_words_its_author_and_its_time() -> None:
    said = read(PLAIN)
    assert said is not None
    message = incoming(said, HERE)

    assert (message.text, message.author.id, message.author.name) == ("转账没到", "80351110224678912", "Mei 梅")
    assert message.id == "290926798999357250:334385199974967042"
    assert message.sent_at.isoformat() == "2026-02-03T04:05:06.789000+00:00"
    assert (message.revises, message.public, message.remarks) == (None, False, ())


def test_the_history_tells_no_member_and_the_name_is_the_accounts() -> None:
    said = read({key: value for key, value in PLAIN.items() if key not in ("member", "guild_id")})

    assert said is not None
    assert said.author.name == "Mei"
    assert said.names == ("Mei", "mei.2024")


@pytest.mark.parametrize("kind", [1, 3, 6, 7, 18, 20, 21, 23, 46, 9999])
def test_what_nobody_wrote_is_no_message(kind: int) -> None:
    assert read(PLAIN | {"type": kind}) is None


@pytest.mark.parametrize("by", [{"webhook_id": "1"}, {"author": PLAIN["author"] | {"bot": True}}])
def test_bots_and_webhooks_are_machines(by: Json) -> None:
    said = read(PLAIN | by)

    assert said is not None
    assert said.by_machine


def test_a_file_is_named_by_an_id_that_outlives_its_link() -> None:
    said = read(PLAIN | {"content": "", "attachments": [PICTURE]})
    assert said is not None
    [file] = incoming(said, HERE).attachments

    assert (file.id, file.name, file.media_type, file.size) == ("334385199974967100", "proof.png", "image/png", 4096)
    assert incoming(said, LOBBY).attachments == ()


def test_a_forwarded_message_is_what_is_in_its_snapshot() -> None:
    """D-13"""
    snapshot = {"message": {"type": 0, "content": "send it to 0xabc", "attachments": [PICTURE], "sticker_items": []}}
    reference = {"type": 1, "channel_id": "5", "message_id": "6"}
    said = read(PLAIN | {"content": "", "message_snapshots": [snapshot], "message_reference": reference})
    assert said is not None
    message = incoming(said, HERE)

    assert message.text == "send it to 0xabc"
    assert [file.name for file in message.attachments] == ["proof.png"]
    assert message.remarks == (Remark.FORWARDED,)
    assert said.answers is None


def test_an_edit_has_an_id_of_its_own_that_is_always_the_same() -> None:
    said = read(PLAIN | {"edited_timestamp": "2026-02-03T05:00:00+00:00", "content": "到了"})
    assert said is not None
    changed = edit(said, HERE)

    assert changed == edit(said, HERE)
    assert changed.revises == "290926798999357250:334385199974967042"
    assert changed.id != changed.revises
    assert changed.text == "到了"
    assert read_ref(changed.id) == (290926798999357250, 334385199974967042)


def test_the_bot_is_addressed_by_its_name_or_by_an_answer_to_it() -> None:
    named = read(PLAIN | {"content": "<@77> hi", "mentions": [{"id": "77", "username": "bot"}]})
    answer = {"type": 19, "referenced_message": PLAIN | {"author": {"id": "77", "username": "bot", "bot": True}}}
    answered, other = read(PLAIN | answer), read(PLAIN)
    assert named is not None
    assert answered is not None
    assert other is not None

    assert [addressed(said, 77) for said in (named, answered, other)] == [True, True, False]
    assert without_mention(named.text, 77) == "hi"
    assert without_mention("is it <@!77> safe", 77) == "is it safe"


def test_what_was_typed_is_in_no_repr() -> None:
    said = read(PLAIN | {"attachments": [PICTURE]})

    assert "转账" not in repr(said)
    assert "proof" not in repr(said)
    assert "Mei" not in repr(said)


def test_what_cannot_be_read_is_named_and_measured_and_not_quoted() -> None:
    strange = PLAIN | {"timestamp": "yesterday"}
    with pytest.raises(ValueError, match="isoformat"):
        read(strange)
    aside = unreadable(strange, "1", "ValueError")

    assert aside.id == "message:334385199974967042"
    assert aside.size > 400
    assert "转账" not in repr(aside)


async def test_buttons_carry_their_keys_and_long_keys_their_number() -> None:
    view = buttons([Choice("t:fees", "What it costs"), Choice("t:" + "x" * 200, "y" * 200)])
    assert view is not None
    shown = view.to_components()
    [short, long] = shown[0]["components"]

    assert (short["custom_id"], key_of(short["custom_id"])) == ("k:t:fees", "t:fees")
    assert (long["custom_id"], key_of(long["custom_id"])) == ("#2", None)
    assert len(long["label"]) == 80
    assert words_on({"components": shown}, "k:t:fees") == "What it costs"
    assert words_on({"components": shown}, "#2") == "2"
    assert [is_ours(name) for name in ("k:t:fees", "#2", "k", "panel:help:en", "#x", "")] == [True] * 3 + [False] * 3


def test_a_nonce_is_short_enough_and_each_parts_and_each_places_own() -> None:
    nonces = {nonce_of("k1", 0, 5), nonce_of("k1", 1, 5), nonce_of("k1", 0, 6), nonce_of("k2", 0, 5)}

    assert len(nonces) == 4
    assert {len(nonce) for nonce in nonces} == {25}
    assert nonce_of("k1", 0, 5) in nonces
