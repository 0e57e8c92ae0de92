"""What the shipped pack leads customers through, and what it asks them for."""

import re

import pytest

from imconnect.content import bundled_pack, read_pack
from imconnect.content.traditional import in_traditional
from imconnect.domain.messages import Language
from imconnect.domain.playbook import PERSON, SOLVED, Playbook
from imconnect.nlu.details import spot

MISCONVERTED = re.compile("隻[有在是能要用]|麵[點上前]|乾(?:什麼|嘛)|髮(?:送|現|生|布)")
"""Where a word of two meanings took the character of the wrong one."""


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    return read_pack(bundled_pack())


@pytest.mark.parametrize("language", Language)
def test_a_forgotten_password_leads_by_way_of_the_mail_to_a_person(playbook: Playbook, language: Language) -> None:
    flow = playbook.flows["password-reset"]
    asked = flow.steps[flow.steps[flow.first].leads["no"]]
    ends = {end for step in flow.steps.values() for end in step.ways if end not in flow.steps}
    unhelped = [flow.steps[asked.leads[said]].leads["no"] for said in ("yes", "no")]

    assert asked.name == "mail-came"
    assert ends == {SOLVED, PERSON}
    assert unhelped == ["identity", "identity"]
    assert re.search("核实|verify", flow.steps["identity"].texts[language])


def test_a_swap_is_asked_about_by_its_order_number_which_is_understood(playbook: Playbook) -> None:
    asked_for = playbook.topics["swap-failed"].details
    found = {one.name: one.value for one in spot("A-20931", frozenset({"order_number"}))}

    assert "order_number" in asked_for
    assert found == {"order_number": "A-20931"}


def test_whoever_must_make_a_new_wallet_is_shown_how_while_waiting(playbook: Playbook) -> None:
    assert "account-register" in playbook.topics["secret-leaked"].guides


def test_no_sentence_turns_into_another_word_in_traditional_characters(playbook: Playbook) -> None:
    chinese = Language.CHINESE
    said = [
        *(topic.articles[chinese].answer for topic in playbook.topics.values()),
        *(step.texts[chinese] for flow in playbook.flows.values() for step in flow.steps.values()),
        *playbook.notices[chinese].values(),
        *playbook.snippets[chinese].values(),
        *playbook.labels[chinese].values(),
    ]

    assert [found[0] for text in said if (found := MISCONVERTED.search(in_traditional(text)))] == []
