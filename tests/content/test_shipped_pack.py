import re
from pathlib import Path

import pytest

import imconnect
from imconnect.content import bundled_pack, check_pack, read_pack
from imconnect.content.checking import asks_for_a_secret, promises
from imconnect.content.needed import NOTICES
from imconnect.domain.messages import Language
from imconnect.domain.playbook import PERSON, Handoff, Playbook, Priority
from imconnect.nlu.details import PROBLEMS

TOPICS = 34
EVERY_LANGUAGE = tuple(Language)


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    return read_pack(bundled_pack())


def test_the_shipped_pack_is_fit_to_go_live() -> None:
    assert [str(fault) for fault in check_pack(bundled_pack())] == []


def test_every_topic_of_the_shipped_pack_is_there(playbook: Playbook) -> None:
    assert len(playbook.topics) == TOPICS


def test_urgent_topics_go_to_a_person_at_once(playbook: Playbook) -> None:
    urgent = {slug for slug, topic in playbook.topics.items() if topic.priority is Priority.URGENT}

    assert urgent == {"stolen-funds", "secret-leaked", "approval-scam", "permission-changed"}
    assert all(playbook.topics[slug].handoff is Handoff.AT_ONCE for slug in urgent)


@pytest.mark.parametrize("language", EVERY_LANGUAGE)
def test_urgent_topics_say_what_to_do_in_the_first_line(playbook: Playbook, language: Language) -> None:
    first_lines = [
        topic.articles[language].answer.split("\n")[0]
        for topic in playbook.topics.values()
        if topic.priority is Priority.URGENT
    ]
    act = re.compile(r"马上|先停|^Now\b|^Stop\b")

    assert [line for line in first_lines if not act.search(line)] == []


@pytest.mark.parametrize("language", EVERY_LANGUAGE)
def test_every_problem_of_a_detail_has_its_sentence(playbook: Playbook, language: Language) -> None:
    unsaid = {
        (name, code)
        for name, codes in PROBLEMS.items()
        for code in codes
        if not playbook.details[name].problems[language].get(code)
    }

    assert unsaid == set()


@pytest.mark.parametrize("language", EVERY_LANGUAGE)
def test_both_languages_have_the_same_labels(playbook: Playbook, language: Language) -> None:
    assert set(playbook.labels[language]) == set(playbook.labels[playbook.default_language])


@pytest.mark.parametrize("language", EVERY_LANGUAGE)
def test_no_answer_promises_recovery_freezing_or_reversal(playbook: Playbook, language: Language) -> None:
    assert [text for text in everything_said(playbook, language) if promises(text)] == []


@pytest.mark.parametrize("language", EVERY_LANGUAGE)
def test_no_answer_asks_for_a_secret(playbook: Playbook, language: Language) -> None:
    assert [text for text in everything_said(playbook, language) if asks_for_a_secret(text)] == []


@pytest.mark.parametrize("language", EVERY_LANGUAGE)
def test_no_reset_mail_leads_step_by_step_to_a_person_with_evidence_of_identity(
    playbook: Playbook, language: Language
) -> None:
    flow = playbook.flows["reset-mail-missing"]
    step, walked = flow.steps[flow.first], [flow.first]
    while step.then is None:
        step = flow.steps[step.leads["no"]]
        walked.append(step.name)

    assert walked == ["look-in-spam", "send-again", "right-address", "other-address", "identity"]
    assert step.then == PERSON
    assert re.search("核实|verify", step.texts[language])


def everything_said(playbook: Playbook, language: Language) -> list[str]:
    """Every text a customer of *language* may read."""
    return [
        *(topic.articles[language].answer for topic in playbook.topics.values()),
        *(topic.articles[language].title for topic in playbook.topics.values()),
        *(detail.questions[language] for detail in playbook.details.values()),
        *(text for detail in playbook.details.values() for text in detail.problems[language].values()),
        *(step.texts[language] for flow in playbook.flows.values() for step in flow.steps.values()),
        *playbook.notices[language].values(),
        *playbook.snippets[language].values(),
        *playbook.labels[language].values(),
    ]


def test_the_brand_lives_in_the_pack_alone() -> None:
    sources = Path(imconnect.__file__).parent
    brand = re.compile(r"IM Wallet|IM钱包|imwallet", re.IGNORECASE)
    found = [
        path.name
        for path in sources.rglob("*")
        if path.suffix in {".py", ".html", ".toml", ".js", ".css"}
        and "responses" not in path.parts
        and brand.search(path.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_the_reference_names_every_notice_placeholder_and_problem() -> None:
    reference = (Path(__file__).parents[2] / "docs" / "packs.md").read_text(encoding="utf-8")
    slugs = {slug for slug in NOTICES if not slug.startswith("secret-removed")}
    placeholders = {f"{{{name}}}" for names in NOTICES.values() for name in names}
    codes = {code for known in PROBLEMS.values() for code in known}

    assert {one for one in slugs | codes if f"`{one}`" not in reference} == set()
    assert {one for one in placeholders if one not in reference} == set()
