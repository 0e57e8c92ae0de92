"""Explorer links, and the one form typed text is brought into."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imconnect.formats import explorers
from imconnect.formats.written import lower, plain

HASH = "ab12" * 16


@pytest.mark.parametrize(
    ("link", "chain"),
    [
        (f"https://etherscan.io/tx/0x{HASH}", "ethereum"),
        (f"https://tronscan.org/#/transaction/{HASH}", "tron"),
        (f"https://mempool.space/tx/{HASH}", "bitcoin"),
        (f"https://www.oklink.com/cn/tron/tx/{HASH}", "tron"),
        (f"https://blockchair.com/litecoin/transaction/{HASH}", "litecoin"),
        (f"optimistic.etherscan.io/tx/0x{HASH}", "optimism"),
    ],
)
def test_a_link_tells_chain_and_hash(link: str, chain: str) -> None:
    found = explorers.LINK.search(link)
    assert found is not None
    shown = explorers.shown(found[1], found[2])

    assert shown is not None
    assert (shown.chain, (shown.transaction or "").removeprefix("0x")) == (chain, HASH)


@pytest.mark.parametrize("host", ["etherscan.io.evil.xyz", "notetherscan.io", "evil.xyz", "io"])
def test_a_host_that_only_contains_an_explorers_name_is_none(host: str) -> None:
    assert explorers.explorer_of(host) is None


def test_widths_and_invisible_characters_are_levelled() -> None:
    assert plain("Ａb\u200bｃ\ufeff１２３：") == "Abc123:"


def test_accents_go_and_voicing_marks_stay() -> None:
    assert lower("ÁBACO がく") == "abaco がく"


def test_a_pile_of_marks_takes_no_longer_than_its_length() -> None:
    assert plain("a" + "\u0301\u0316" * 30_000).startswith(("a", "á"))


@given(st.text())
def test_levelling_twice_changes_nothing_more(text: str) -> None:
    assert lower(lower(text)) == lower(text)
