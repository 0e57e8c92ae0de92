"""Whatever the desk may offer can be pressed at /chat, in the words and the characters of the customer."""

import re
from html import unescape

import pytest
from tests.web.desk import RunningDesk
from tests.web.test_chat import address_of, spoken_by
from tests.web.visits import Visitor, until

from imconnect.domain.conversations import Conversation
from imconnect.domain.drafting import (
    COMMANDS,
    HELP,
    LANGUAGE,
    LANGUAGE_CHOICE,
    NO,
    PRIVATE,
    SKIP,
    START,
    STATUS,
    TOPIC_CHOICE,
    VERIFY,
    YES,
)
from imconnect.domain.messages import Language, Script
from imconnect.ports import Line, Speaker

EVERY_KEY = [
    *(YES, NO, SKIP, START, STATUS, LANGUAGE, VERIFY, HELP, PRIVATE),
    *COMMANDS.values(),
    *(LANGUAGE_CHOICE + language for language in Language),
    TOPIC_CHOICE + "fees",
]
SIMPLIFIED_ONLY = re.compile("[码钥记发转账请问题会处钱写续类话编号无错误办断线机现这说]")


async def state(desk: RunningDesk, visitor: Visitor) -> Conversation | None:
    return await desk.store.state_at(address_of(visitor))


async def answers(desk: RunningDesk, visitor: Visitor, count: int = 1) -> list[Line]:
    """What the desk said, once it said *count* things or more."""

    async def enough() -> list[Line]:
        said = await spoken_by(desk, visitor, Speaker.BOT)
        return said if len(said) >= count else []

    return await until(enough)


@pytest.mark.parametrize("key", dict.fromkeys(EVERY_KEY))
async def test_every_choice_of_the_desk_can_be_pressed_and_is_answered(
    desk: RunningDesk, visitor: Visitor, key: str
) -> None:
    await visitor.page("/chat")
    pressed = await visitor.press(key)

    assert pressed.status_code == 200
    assert await answers(desk, visitor)


async def test_every_choice_of_the_pack_has_words_to_show(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    await visitor.write("/language")
    offered = [choice for line in await answers(desk, visitor) for choice in line.choices]
    for choice in offered:
        await visitor.press(choice.key)

    said = [line.text for line in await spoken_by(desk, visitor, Speaker.CUSTOMER)]
    assert len(offered) >= 2
    assert said == ["/language", *(choice.label for choice in offered)]


async def test_a_button_pressed_on_a_page_of_another_language_leaves_the_conversation_its_own(
    desk: RunningDesk, visitor: Visitor
) -> None:
    visitor.http.headers["Accept-Language"] = "zh-CN"
    await visitor.page("/chat")
    await visitor.write("How do I reset my password?")
    await answers(desk, visitor)
    await visitor.press(YES)
    await answers(desk, visitor, 2)

    found = await state(desk, visitor)
    assert found is not None
    assert found.language is Language.ENGLISH
    assert [line.text for line in await spoken_by(desk, visitor, Speaker.CUSTOMER)][-1] == "Yes"


async def test_whoever_picks_a_language_in_the_chat_reads_the_page_in_it(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    await visitor.write("/language")
    await answers(desk, visitor)
    pressed = await visitor.press(LANGUAGE_CHOICE + Language.CHINESE)

    assert pressed.json()["tag"] == "zh-Hans"
    assert '<html lang="zh-Hans"' in await visitor.page("/chat")


@pytest.mark.parametrize("accepts", ["zh-TW", "zh-HK,en;q=0.5", "en;q=0.1,zh-Hant-MO", "zh-tw,zh;q=0.9"])
async def test_a_browser_of_traditional_characters_gets_the_whole_page_in_them(visitor: Visitor, accepts: str) -> None:
    page = await visitor.http.get("/chat", headers={"Accept-Language": accepts})

    shown = unescape(page.text).replace("简体", "")
    assert '<html lang="zh-Hant"' in page.text
    assert SIMPLIFIED_ONLY.search(shown) is None


async def test_the_page_follows_the_characters_the_customer_writes(desk: RunningDesk, visitor: Visitor) -> None:
    visitor.http.headers["Accept-Language"] = "zh-CN"
    before = await visitor.page("/chat")
    await visitor.write("轉帳三個小時了還沒到帳")
    await answers(desk, visitor)
    after = await visitor.page("/chat")

    assert '<html lang="zh-Hans"' in before
    assert '<html lang="zh-Hant"' in after
    assert "補充資料" in after


@pytest.mark.parametrize(
    ("wanted", "tag", "script"),
    [("zh-Hant", "zh-Hant", Script.TRADITIONAL), ("zh-Hans", "zh-Hans", Script.SIMPLIFIED)],
)
async def test_the_switch_offers_both_kinds_of_characters_and_the_conversation_follows(
    desk: RunningDesk, visitor: Visitor, wanted: str, tag: str, script: Script
) -> None:
    page = await visitor.page("/chat")
    await visitor.write("my transfer has not arrived")
    await visitor.http.post("/chat/language", data={"language": wanted})

    async def followed() -> bool:
        found = await state(desk, visitor)
        return found is not None and found.language is Language.CHINESE and found.script is script

    assert f'value="{wanted}"' in page
    assert await until(followed)
    assert f'<html lang="{tag}"' in await visitor.page("/chat")


async def test_what_was_chosen_outweighs_what_the_browser_asks_for(visitor: Visitor) -> None:
    visitor.http.headers["Accept-Language"] = "zh-TW"
    await visitor.http.post("/chat/language", data={"language": "zh-Hans"})

    assert '<html lang="zh-Hans"' in await visitor.page("/chat")


async def test_a_number_typed_in_place_of_a_button_is_that_button(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    await visitor.write("hello")
    first = (await answers(desk, visitor))[0].choices[0]
    await visitor.write("1")
    said = await answers(desk, visitor, 2)

    topic = first.key.removeprefix(TOPIC_CHOICE)
    assert said[1].text.startswith(desk.playbook.article(topic, Language.ENGLISH).answer[:40])


async def test_without_scripts_the_answer_is_on_the_page_that_follows(desk: RunningDesk, visitor: Visitor) -> None:
    await visitor.page("/chat")
    form = {"id": "no-scripts-here", "text": "How do I reset my password?"}
    after = await visitor.http.post("/chat/messages", data=form, follow_redirects=True)

    assert "Forgot password" in unescape(after.text)
