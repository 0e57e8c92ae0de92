"""What people typed, made safe to show."""

from datetime import timedelta

import pytest

from imconnect.domain.messages import Language
from imconnect.web.labels import read_labels
from imconnect.web.wording import aim, duration, ours, size_in_words, theirs

OFFICIAL = frozenset({"imwallet.example"})


def goes_to(host: str) -> str:
    return f"goes to {host}"


@pytest.mark.parametrize(
    ("link", "host"),
    [
        ("https://metamask.io@evil.example/claim", "evil.example"),
        ("https://metamask.io:pass@evil.example", "evil.example"),
        ("https://evil.example\\@metamask.io/claim", "evil.example"),
        ("https://evil.example#@metamask.io", "evil.example"),
        ("https://evil.example?@metamask.io", "evil.example"),
        ("https://EVIL.example:8443/x", "evil.example"),
        ("https://mеtamask.io/x", "xn--mtamask-7gg.io"),
        ("https://evil。example/x", "evil.example"),
        ("http:\\\\evil.example\\x", "evil.example"),
        ("https://1.2.3.4/x", "1.2.3.4"),
    ],
)
def test_a_link_is_known_by_the_host_a_browser_would_open(link: str, host: str) -> None:
    assert aim(link).host == host


@pytest.mark.parametrize(
    "link", ["https://imwallet.example/help", "https://help.imwallet.example", "https://tronscan.org/#/transaction/ab"]
)
def test_our_links_and_explorers_can_be_followed(link: str) -> None:
    shown = ours(f"See {link}.", OFFICIAL)

    assert f'<a href="{link}" target="_blank" rel="noopener noreferrer nofollow">{link}</a>.' in shown


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example",
        "http://imwallet.example",
        "https://imwallet.example.evil.example",
        "https://notimwallet.example",
        "https://imwallet.example@evil.example",
        "https://evil.example\\.imwallet.example",
        "https://imwаllet.example",
    ],
)
def test_no_other_link_of_ours_can_be_followed(link: str) -> None:
    assert "<a " not in ours(link, OFFICIAL)


def test_no_link_of_a_customers_can_be_followed_not_even_to_us() -> None:
    assert "<a " not in theirs("https://imwallet.example/help", goes_to)


def test_a_customers_link_shows_its_real_host() -> None:
    shown = theirs("Is https://imwallet.example@evil.example/x safe?", goes_to)

    assert "<b>evil.example</b>" in shown
    assert "goes to evil.example" in shown


def test_an_honest_link_is_not_accused() -> None:
    assert "goes to" not in theirs("https://etherscan.io/tx/0x12", goes_to)


def test_markup_is_shown_as_it_was_typed() -> None:
    typed = "<script>alert(1)</script> https://evil.example/\"onmouseover='x' & <b>"
    for shown in (str(ours(typed, OFFICIAL)), str(theirs(typed, goes_to))):
        assert "<script" not in shown
        assert 'onmouseover="' not in shown
        assert "&lt;b&gt;" in shown


def test_both_languages_have_every_label() -> None:
    labels = read_labels()

    assert labels[Language.CHINESE].texts.keys() == labels[Language.ENGLISH].texts.keys()


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=59), "under a minute"),
        (timedelta(minutes=5, seconds=30), "5 min"),
        (timedelta(hours=2, minutes=7), "2 h 7 min"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
        (timedelta(seconds=-3), "under a minute"),
    ],
)
def test_a_duration_is_as_exact_as_a_person_needs_it(length: timedelta, words: str) -> None:
    assert duration(length, read_labels()[Language.ENGLISH]) == words


@pytest.mark.parametrize(("size", "words"), [(12, "12 B"), (20_480, "20 KB"), (3_500_000, "3.3 MB")])
def test_a_size_is_told_in_its_own_unit(size: int, words: str) -> None:
    assert size_in_words(size) == words
