"""The chat page in a real browser: buttons, languages, and what a customer sees of a conversation that goes on."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, async_playwright, expect
from tests.web.desk import Brains, RunningDesk, running_desk, served
from tests.web.test_browser import ARGUMENTS, DESKTOP, PHONE, overflow, person
from tests.worlds.needs import CHROMIUM, needs_chromium

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def chromium() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def site(tmp_path: Path, brains: Brains) -> AsyncGenerator[RunningDesk]:
    async with running_desk(tmp_path, brains) as desk, served(desk):
        yield desk


async def test_a_language_is_chosen_in_the_chat_and_the_page_is_drawn_in_it(
    chromium: Browser, site: RunningDesk
) -> None:
    async with person(chromium, PHONE, "en-US") as customer:
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("/language")
        await customer.page.click("#log button[value='l:zh']")
        await expect(customer.page.locator("html")).to_have_attribute("lang", "zh-Hans")
        await expect(customer.page.locator("#log .bot").last).to_contain_text("中文")

        assert await overflow(customer.page) <= 0
        assert customer.complaints == []


async def test_the_page_turns_traditional_with_the_customer(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "zh-CN") as customer:
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("轉帳三個小時了還沒到帳")
        await expect(customer.page.locator("html")).to_have_attribute("lang", "zh-Hant")
        await expect(customer.page.locator("#log .you")).to_have_count(1)
        await expect(customer.page.locator("#standing")).to_contain_text("補充資料")

        assert await overflow(customer.page) <= 0


async def test_what_is_being_typed_is_never_lost_to_a_page_that_changes_its_characters(
    chromium: Browser, site: RunningDesk
) -> None:
    async with person(chromium, PHONE, "zh-CN") as customer:
        await customer.page.goto(f"{site.url}/chat")
        await customer.page.fill("#text", "我還沒寫完")
        form: dict[str, str | float | bool] = {"id": "from-another-tab", "text": "轉帳三個小時了還沒到帳"}
        await customer.context.request.post(f"{site.url}/chat/messages", form=form, headers={"Origin": site.url})
        await expect(customer.page.locator("#standing")).to_contain_text("補充資料")
        await customer.page.wait_for_timeout(300)

        assert await customer.page.input_value("#text") == "我還沒寫完"


async def test_of_several_questions_only_the_newest_can_be_answered_with_yes_or_no(
    chromium: Browser, site: RunningDesk
) -> None:
    async with person(chromium, DESKTOP, "zh-CN") as customer:
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("收不到重置邮件")
        for count in (1, 2):
            no = customer.page.locator("#log button[value='no']").locator("visible=true")
            await expect(customer.page.locator("#log .bot")).to_have_count(count)
            await expect(no).to_have_count(1)
            await no.click()
        await expect(customer.page.locator("#log .bot")).to_have_count(3)
        await customer.page.reload()

        await expect(customer.page.locator("#log button[value='yes']").locator("visible=true")).to_have_count(1)


async def test_on_a_phone_a_long_answer_is_read_from_its_beginning(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "zh-CN") as customer:
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("转账三个小时了还没到账")
        await expect(customer.page.locator("#log .bot")).to_have_count(2)
        shown = customer.page.locator("#log .you, #log .bot .bubble").first
        await expect(shown).to_be_in_viewport()
        await customer.page.reload()
        await expect(shown).to_be_in_viewport()
        await customer.page.reload()
        await customer.write("/help")
        await expect(customer.page.locator("#log .bot")).to_have_count(3)
        await expect(customer.page.locator("#log .bot").last).to_be_in_viewport()


async def test_what_does_not_fit_below_is_announced_and_one_tap_away(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "zh-CN") as customer:
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("转账三个小时了还没到账")
        await expect(customer.page.locator("#log .bot")).to_have_count(2)
        skip = customer.page.locator("#log button[value='skip']")
        await expect(skip).not_to_be_in_viewport()
        await customer.page.click("#to-latest")

        await expect(skip).to_be_in_viewport()
        await expect(customer.page.locator("#to-latest")).to_be_hidden()


async def test_what_is_refused_for_good_holds_nothing_back(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "en-US") as customer:
        await customer.page.goto(f"{site.url}/chat")
        refused: list[str] = []

        async def refuse_once(route: Route) -> None:
            if refused:
                await route.continue_()
                return
            refused.append(route.request.post_data or "")
            await route.fulfill(status=400, json={"error": "not this one"})

        await customer.page.route("**/chat/messages", refuse_once)
        await customer.write("the first")
        await expect(customer.page.locator("#pending .failed")).to_contain_text("not this one")
        await customer.write("How do I reset my password?")
        await expect(customer.page.locator("#log .bot")).to_have_count(1)

        assert len(refused) == 1
        assert await customer.page.locator("#log .you").count() == 1
