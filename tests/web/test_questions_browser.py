"""The page of questions in a real browser: by keyboard, on a phone, in both languages, with scripts and without."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from tests.web.desk import RunningDesk
from tests.web.test_browser import DESKTOP, PHONE, Person, chromium, desk, overflow, person, sign_in, site
from tests.web.test_questions import ODD, says
from tests.worlds.needs import needs_chromium

from imconnect.domain.questions import Became

__all__ = ["chromium", "desk", "site"]  # fixtures of the other pages in a browser

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]

LONG = "転" + "钱从交易所提出来三天了一直显示处理中客服也不回我到底什么时候能到wibble" * 3


async def at_the_questions(lead: Person, desk: RunningDesk, kind: str = "unanswered") -> None:
    await sign_in(lead, desk)
    await lead.page.goto(f"{desk.url}/inbox/questions?kind={kind}")


async def three_questions(desk: RunningDesk) -> None:
    for peer, text in (("ann", "garply one"), ("bob", "garply two"), ("cy", ODD), ("di", ODD)):
        await says(desk, peer, text)
    await says(desk, "cy", "", choice="t:fees")


async def test_a_lead_settles_questions_without_a_mouse_or_a_reload(chromium: Browser, site: RunningDesk) -> None:
    await three_questions(site)
    async with person(chromium, DESKTOP, "en-US") as lead:
        await at_the_questions(lead, site)
        await lead.page.keyboard.press("j")
        await lead.page.keyboard.press("a")  # its topic is selected: the customer chose it
        await expect(lead.page.locator(".question.done")).to_contain_text("Added to “What a transfer costs”.")
        await lead.page.keyboard.press("x")
        await expect(lead.page.locator(".question.done")).to_have_count(2)
        await lead.page.keyboard.press("o")
        await expect(lead.page.locator(".question.done")).to_have_count(3)
        kept = await site.store.examples()

        assert [(one.text, one.became, one.topic) for one in kept] == [
            (ODD, Became.ADDED, "fees"),
            ("garply one", Became.OFF_TOPIC, None),
        ]
        assert lead.complaints == []
        assert lead.hosts == {"127.0.0.1"}


async def test_what_may_not_be_added_stays_as_it_was_typed(chromium: Browser, site: RunningDesk) -> None:
    await says(site, "ann", ODD)
    async with person(chromium, DESKTOP, "en-US") as lead:
        await at_the_questions(lead, site)
        box = lead.page.locator("textarea")
        await box.fill("call me on 13800138000")
        await lead.page.keyboard.press("Control+Enter")
        await expect(lead.page.get_by_role("alert")).to_contain_text("choose the topic first")
        await lead.page.select_option("select", "fees")
        await lead.page.click("button.main")
        await expect(lead.page.get_by_role("alert")).to_contain_text("it still holds a number")
        await expect(box).to_have_value("call me on 13800138000")
        await expect(lead.page.locator("select")).to_have_value("fees")
        await box.fill("call me on …")
        await lead.page.keyboard.press("Control+Enter")
        await expect(lead.page.locator(".question.done")).to_have_count(1)

        assert [one.text for one in await site.store.examples()] == ["call me on …"]


async def test_what_was_settled_by_mistake_is_taken_back(chromium: Browser, site: RunningDesk) -> None:
    await says(site, "ann", ODD)
    async with person(chromium, DESKTOP, "en-US") as lead:
        await at_the_questions(lead, site)
        await lead.page.get_by_role("button", name="Dismiss").click()
        await lead.page.get_by_role("button", name="Take back").click()

        await expect(lead.page.locator("textarea")).to_have_value(ODD)


async def test_the_page_works_without_scripts(chromium: Browser, site: RunningDesk) -> None:
    await says(site, "ann", ODD)
    async with person(chromium, PHONE, "en-US", scripts=False) as lead:
        await at_the_questions(lead, site)
        await lead.page.select_option("select", "fees")
        await lead.page.click("button.main")
        await expect(lead.page.get_by_role("status")).to_contain_text("Learnt when the desk is started next.")
        await lead.page.get_by_role("link", name="Added").click()

        await expect(lead.page.locator(".said")).to_have_text(ODD)


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_the_page_fits_and_can_be_read(
    chromium: Browser, site: RunningDesk, tmp_path: Path, language: str, size: tuple[int, int], dark: bool
) -> None:
    await three_questions(site)
    await says(site, "li", LONG)
    async with person(chromium, size, language, dark=dark) as lead:
        await at_the_questions(lead, site)
        await expect(lead.page.locator("textarea")).to_have_count(4)
        picture = tmp_path / "questions.png"
        await lead.page.screenshot(path=picture, full_page=True)
        heading = await lead.page.inner_text("h2")
        small = await lead.page.eval_on_selector_all(
            ".question button, .question select", "all => all.filter(one => one.offsetHeight < 40).length"
        )

        assert bool(re.search("[\u4e00-\u9fff]", heading)) == language.startswith("zh")
        assert await overflow(lead.page) <= 0
        assert small == 0
        assert picture.stat().st_size > 10_000
