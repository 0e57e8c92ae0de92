"""The test playbook is a whole one: it has every text the desk needs."""

from imconnect.content.needed import LABELS, NOTICES, SMALLTALK, TOPICS
from imconnect.domain.messages import Language
from imconnect.domain.playbook import Handoff, placeholders
from imconnect.testing.makers import PLAYBOOK


def test_every_notice_and_label_is_there_in_both_languages_with_its_placeholders() -> None:
    for needed, texts in ((NOTICES, PLAYBOOK.notices), (LABELS, PLAYBOOK.labels)):
        for language in Language:
            assert {slug: placeholders(texts[language][slug]) for slug in needed} == dict(needed)


def test_the_topics_the_desk_turns_to_and_every_kind_of_handoff_are_there() -> None:
    assert set(TOPICS) <= set(PLAYBOOK.topics)
    assert {topic.handoff for topic in PLAYBOOK.topics.values()} == set(Handoff)
    assert set(SMALLTALK) == set(PLAYBOOK.smalltalk)
