"""Links are judged by the host they really lead to."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imconnect.domain.readings import Link, LinkVerdict
from imconnect.guard.links import BlockList, BlockListUnreadable, inspect_links

OFFICIAL = frozenset({"imwallet.example", "onekey.so"})
LIST = BlockList.parse(
    json.dumps(
        {
            "version": 2,
            "tolerance": 2,
            "fuzzylist": ["opensea.io"],
            "whitelist": ["good.blocked.io"],
            "blacklist": ["blocked.io"],
        }
    )
)


@pytest.mark.parametrize(
    ("text", "host", "verdict"),
    [
        ("https://imwallet.example/help", "imwallet.example", LinkVerdict.OFFICIAL),
        ("https://help.imwallet.example.", "help.imwallet.example", LinkVerdict.OFFICIAL),
        ("www.imwallet.example", "www.imwallet.example", LinkVerdict.OFFICIAL),
        ("打开https://etherscan.io/tx/0x1看看", "etherscan.io", LinkVerdict.EXPLORER),
        ("https://docs.python.org", "docs.python.org", LinkVerdict.UNKNOWN),
        ("bit.ly/abc", "bit.ly", LinkVerdict.UNKNOWN),
        ("https://monkey.com", "monkey.com", LinkVerdict.UNKNOWN),
        ("https://www.binance.com", "www.binance.com", LinkVerdict.UNKNOWN),
        ("https://etherscan.io.evil.xyz/tx/0x1", "etherscan.io.evil.xyz", LinkVerdict.LOOKALIKE),
        ("https://ethersсan.io/tx", "xn--ethersan-kch.io", LinkVerdict.LOOKALIKE),
        ("https://xn--etherscn-4fg.io", "xn--etherscn-4fg.io", LinkVerdict.LOOKALIKE),
        ("https://0nekey.so", "0nekey.so", LinkVerdict.LOOKALIKE),
        ("https://rnetamask.io", "rnetamask.io", LinkVerdict.LOOKALIKE),
        ("访问imwallet-help.com领取", "imwallet-help.com", LinkVerdict.LOOKALIKE),
        ("https://im-wallet.com", "im-wallet.com", LinkVerdict.LOOKALIKE),
        ("https://imwallet。com", "imwallet.com", LinkVerdict.LOOKALIKE),
        ("hxxps://imwallet.top", "imwallet.top", LinkVerdict.LOOKALIKE),
        ("https://okx.com.login.top", "okx.com.login.top", LinkVerdict.LOOKALIKE),
        ("https://imwallet.example@evil.tld/x", "evil.tld", LinkVerdict.LOOKALIKE),
        ("https://evil.com\\@imwallet.example", "evil.com", LinkVerdict.UNKNOWN),
        ("http://127.0.0.1/x", "127.0.0.1", LinkVerdict.BLOCKED),
        ("http://3232235777/", "3232235777", LinkVerdict.BLOCKED),
        ("http://[::1]/", "[::1]", LinkVerdict.BLOCKED),
        ("https://a.blocked.io/", "a.blocked.io", LinkVerdict.BLOCKED),
        ("https://good.blocked.io/", "good.blocked.io", LinkVerdict.UNKNOWN),
        ("https://opensae.io", "opensae.io", LinkVerdict.LOOKALIKE),
    ],
)
def test_a_link_is_judged_by_its_real_host(text: str, host: str, verdict: LinkVerdict) -> None:
    """S-15: user names, punycode, numbers, shortened links, look-alikes."""
    assert inspect_links(text, OFFICIAL, LIST) == (Link(host, verdict),)


def test_the_text_of_a_link_does_not_hide_where_it_leads() -> None:
    links = inspect_links("[https://imwallet.example](https://evil.tld)", OFFICIAL, None)

    assert [link.host for link in links] == ["imwallet.example", "evil.tld"]


@pytest.mark.parametrize("text", ["main.py", "version 5.3.1", "e.g. this", "li@example.com", "等等.我", ""])
def test_what_is_no_link_is_none(text: str) -> None:
    assert inspect_links(text, OFFICIAL, None) == ()


@given(st.text(max_size=200))
def test_any_text_may_be_searched_for_links(text: str) -> None:
    assert all(link.host for link in inspect_links("https://" + text, OFFICIAL, LIST))


def test_a_list_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_text(json.dumps([{"blocklist": ["one.io"]}, {"blocklist": ["two.io"], "allowlist": ["three.io"]}]))

    assert BlockList.read(file).blocked == {"one.io", "two.io"}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"blacklist": 3}', "[1]", '"x"'])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(BlockListUnreadable):
        BlockList.parse(text)
