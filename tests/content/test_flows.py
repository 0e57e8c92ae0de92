"""Guided answers in a pack: what may be written, and what is told of mistakes."""

from pathlib import Path

import pytest

from imconnect.content import PackError, check_pack, read_pack
from imconnect.content.reading import Draft, read_draft
from imconnect.domain.messages import Language

FLOW = """
[flows.fees.look]
yes = "solved"
no = "again"

[flows.fees.again]
yes = "look"
no = "tell"

[flows.fees.tell]
then = "person"
"""
STEPS = ("look", "again", "tell")


@pytest.fixture
def guided(pack: Path) -> Path:
    with (pack / "pack.toml").open("a", encoding="utf-8") as out:
        out.write(FLOW)
    for language in ("zh", "en"):
        (pack / language / "flows/fees").mkdir(parents=True)
        for name in STEPS:
            (pack / language / f"flows/fees/{name}.md").write_text(f"{name} {language}?\n", encoding="utf-8")
    return pack


def told(pack: Path) -> list[str]:
    return [str(fault) for fault in check_pack(pack)]


def spoil(pack: Path, old: str, new: str) -> None:
    text = (pack / "pack.toml").read_text(encoding="utf-8")
    assert old in text
    (pack / "pack.toml").write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_flow_is_read_with_its_words_in_every_language(guided: Path) -> None:
    flow = read_pack(guided).flows["fees"]

    assert told(guided) == []
    assert (flow.first, tuple(flow.steps)) == ("look", STEPS)
    assert flow.steps["look"].leads == {"yes": "solved", "no": "again"}
    assert (flow.steps["tell"].then, flow.steps["tell"].leads) == ("person", {})
    assert flow.steps["look"].texts == {Language.CHINESE: "look zh?", Language.ENGLISH: "look en?"}


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('no = "again"', 'no = "agian"', 'pack.toml:51: there is no step "agian"'),
        ('no = "again"', "", "no is missing or no text"),
        ('then = "person"', 'then = "person"\nyes = "look"', "the step has both then and an answer"),
        ('then = "person"', 'than = "person"', 'the key "than" is unknown'),
        ('then = "person"', 'then = "tell"', "pack.toml:57: from this step nobody comes to an end"),
        ("[flows.fees.tell]", "[flows.fees.person]", '"person" cannot be the name of a step'),
        ('handoff = "never"', 'handoff = "at_once"', '"fees" goes to a person at once'),
        ("[flows.fees.look]", "[flows.costs.look]", 'there is no topic "costs"'),
    ],
)
def test_a_flow_that_would_lead_nowhere_stops_the_reading(guided: Path, old: str, new: str, what: str) -> None:
    spoil(guided, old, new)

    with pytest.raises(PackError):
        read_pack(guided)

    assert any(what in line for line in told(guided)), told(guided)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_step_without_words_is_told_in_every_language(guided: Path, language: str) -> None:
    (guided / language / "flows/fees/again.md").unlink()

    assert told(guided)[0].startswith(f"{language}/flows/fees/again.md: the file is missing")


def test_a_step_nothing_leads_to_is_told(guided: Path) -> None:
    spoil(guided, 'no = "tell"', 'no = "person"')

    assert told(guided) == ["pack.toml: nothing leads to the step fees/tell; let a step lead to it, or take it out"]


def test_what_customers_call_a_detail_is_read(pack: Path) -> None:
    page = pack / "en/details/chain.md"
    page.write_text(page.read_text("utf-8").replace("title: Chain", "title: Chain\nnames: [network]"), "utf-8")

    assert set(read_pack(pack).details["chain"].called()) == {"Chain", "network"}


def test_names_that_are_no_list_are_told(pack: Path) -> None:
    page = pack / "en/details/chain.md"
    page.write_text(page.read_text("utf-8").replace("title: Chain", "title: Chain\nnames: network"), "utf-8")
    draft: Draft = read_draft(pack)

    assert [str(fault) for fault in draft.faults] == [
        "en/details/chain.md:1: names is no list of words; write names: [hash, TXID]"
    ]


def test_a_story_is_for_details_that_take_any_words(pack: Path) -> None:
    spoil(pack, "free = false", "free = false\nstory = true")

    assert "story is for details that take any words" in told(pack)[0]
