"""HTML becomes harmless text that shows where its links really lead."""

import pytest
from tests.adapters.email.samples import mail

from imconnect_email.html import NESTED, TAGS, render
from imconnect_email.mail import Remark


def test_of_a_hostile_page_only_what_its_reader_sees_remains() -> None:
    """E-26: scripts, event handlers, `javascript:`, remote pixels, forms and hidden words."""
    found = mail("html_hostile")

    assert found.text == "My transfer is missing.\n\npress"
    assert found.links == ()


def test_a_link_that_shows_another_address_than_it_leads_to_is_remarked_on() -> None:
    """E-26: even where the plain text, which says nothing of it, is what is read."""
    found = mail("html_misleading_link")

    assert Remark.MISLEADING_LINK in found.remarks
    assert [(link.shown, link.url) for link in found.links] == [
        ("https://www.imwallet.example/login", "https://imwallet.example.evil.example/login")
    ]


def test_links_are_shown_as_where_they_lead_and_honest_ones_are_not_remarked_on() -> None:
    found = mail("html_links")

    assert found.text == (
        "See this transaction (https://etherscan.io/tx/0xabc), tronscan.org (https://tronscan.org) and "
        "bob@example.com.\n\n- one\n- two\n\nfee 3 USDT"
    )
    assert Remark.MISLEADING_LINK not in found.remarks


@pytest.mark.parametrize(
    ("label", "url", "misleads"),
    [
        ("im.example", "https://im.example/help", False),
        ("www.im.example", "https://im.example", False),
        ("IM.example/help", "https://im.example/help", False),
        ("im.example", "https://im.example.evil.example", True),
        ("https://im.example", "https://im.example@evil.example/", True),
        ("report.pdf", "https://files.example/1", False),
        ("version 5.2", "https://im.example", False),
        ("press here", "https://evil.example", False),
    ],
)
def test_a_label_misleads_only_where_it_names_another_host(label: str, url: str, misleads: bool) -> None:
    (link,) = render(f'<a href="{url}">{label}</a>').links

    assert link.misleading is misleads


def test_quotes_are_marked_by_their_depth() -> None:
    found = render("<p>a</p><blockquote>b<blockquote>c</blockquote></blockquote><p>d</p>").text

    assert [line for line in found.split("\n") if line.strip(">")] == ["a", "> b", ">> c", "d"]


def test_yahoos_and_protons_quotes_are_quotes_though_they_are_no_blockquotes() -> None:
    found = render('<div>new</div><div class="yahoo_quoted"><div>old</div></div>').text

    assert found == "new\n> old"


@pytest.mark.parametrize("html", ["<div>" * (NESTED + 1) + "deep", "<p>x</p>" * TAGS])
def test_a_page_that_would_take_long_to_understand_is_only_rid_of_its_tags(html: str) -> None:
    found = render(html + "&lt;end&gt;")

    assert found.text.endswith("<end>")
    assert "<p>" not in found.text
