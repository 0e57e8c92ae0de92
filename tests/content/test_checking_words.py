"""What a program can tell of the words themselves: too long, a question that is none, a language told less."""

from pathlib import Path

import pytest

from imconnect.content import check_pack

STEP = """
[flows.fees.look]
yes = "solved"
no = "tell"

[flows.fees.tell]
then = "person"
"""


@pytest.fixture
def guided(pack: Path) -> Path:
    with (pack / "pack.toml").open("a", encoding="utf-8") as out:
        out.write(STEP)
    for language in ("zh", "en"):
        (pack / language / "flows/fees").mkdir(parents=True)
        write(pack / language / "flows/fees/look.md", "Did it work?")
        write(pack / language / "flows/fees/tell.md", "Then a person.")
    return pack


def told(pack: Path) -> list[str]:
    return [str(fault) for fault in check_pack(pack)]


def write(file: Path, text: str) -> None:
    file.write_text(text + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("en/notices/thanks.md", "word " * 81, "the notice has 81 words; shorten it to 80"),
        ("zh/notices/thanks.md", "字" * 151, "the notice has 151 characters; shorten it to 150"),
        ("en/flows/fees/tell.md", "word " * 121, "the answer has 121 words; shorten it to 120"),
        ("zh/flows/fees/tell.md", "字" * 241, "the answer has 241 characters; shorten it to 240"),
    ],
)
def test_what_fits_no_phone_is_told(guided: Path, file: str, text: str, what: str) -> None:
    write(guided / file, text.strip())

    assert told(guided) == [f"{file}:1: {what}"]


def test_a_title_too_long_for_a_button_is_told(pack: Path) -> None:
    write(pack / "en/topics/fees.md", f"---\ntitle: {'x' * 81}\n---\n\nAnswer fees.")

    assert told(pack) == ["en/topics/fees.md:1: the title has 81 characters; shorten it to 80"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_step_with_yes_and_no_that_asks_nothing_is_told(guided: Path, language: str) -> None:
    write(guided / language / "flows/fees/look.md", "It may work.")

    file = f"{language}/flows/fees/look.md"
    assert told(guided) == [f"{file}: the step does not end in a question; ask what yes and no are to answer"]


def test_a_step_that_leads_on_by_itself_need_not_ask(guided: Path) -> None:
    write(guided / "zh/flows/fees/tell.md", "同事会来看。")

    assert told(guided) == []


def test_a_language_that_is_told_less_is_told_of(pack: Path) -> None:
    write(pack / "en/topics/fees.md", "---\ntitle: Fees\n---\n\nTwo fees:\n1. Gas.\n2. Ours.")
    write(pack / "zh/topics/fees.md", "---\ntitle: 手续费\n---\n\n两种费用：\n1. 矿工费。")

    assert [one for one in told(pack) if "points" in one and "say the same in every language" in one] != []
