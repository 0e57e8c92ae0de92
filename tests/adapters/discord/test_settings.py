"""The section `discord`: what is wrong in it is said before anything starts."""

import base64

import pytest
from pydantic import ValidationError

from imconnect_discord import DiscordSettings
from imconnect_discord.translate import Place, direct_peer, place_of, public_peer, threads_peer

TOKEN = base64.urlsafe_b64encode(b"123456789012345678").decode().rstrip("=") + ".GabcDE.abcdefghijklmnopqrstuvwxyz0123"


def settings(**others: object) -> DiscordSettings:
    return DiscordSettings.model_validate({"token": TOKEN, **others})


def test_a_token_is_enough_and_says_which_bot_it_is() -> None:
    chosen = settings()

    assert chosen.bot_id == "123456789012345678"
    assert chosen.api_root == "https://discord.com/api/v10"
    assert TOKEN not in repr(chosen)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"token": "123456789012345678"}, "no bot token"),
        ({"token": "bm90IGEgbnVtYmVyIGF0IGFsbA.GabcDE.abcdefghijklmnopqrstuvwxyz0123"}, "no bot token"),
        ({"api_root": "discord.com"}, "an address such as https://"),
        ({"gateway": "https://gateway.discord.gg"}, "an address such as wss://"),
        ({"support_channel": 0}, "greater than 0"),
        ({"agent_role": 5}, "set discord.staff_channel too"),
        ({"replies": "any"}, "set discord.staff_channel too"),
        ({"support_channel": 5, "staff_channel": 5}, "a forum of its own"),
        ({"min_account_days": -1}, "greater than or equal to 0"),
        ({"guild": 5}, "Extra inputs"),
    ],
)
def test_a_mistake_is_named_with_its_cure_and_without_the_token(given: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError) as raised:
        settings(**given)

    assert says in str(raised.value)
    assert "abcdefghijklmnopqrstuvwxyz" not in str(raised.value)


def test_another_servers_token_may_be_any_word() -> None:
    chosen = settings(token="fake.token.x", api_root="http://127.0.0.1:9/api/v10")

    assert chosen.bot_id == settings(token="fake.token.x", api_root="http://127.0.0.1:8/api/v10").bot_id != ""
    with pytest.raises(ValidationError, match="no bot token"):
        settings(token="two words", api_root="http://127.0.0.1:9/api/v10")


def test_a_peer_says_who_and_where() -> None:
    assert place_of(threads_peer(7)) == Place(7)
    assert place_of(direct_peer(7)) == Place(7, direct=True)
    assert place_of(public_peer(5, 7)) == Place(7, channel=5)
