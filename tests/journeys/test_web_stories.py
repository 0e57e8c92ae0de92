"""Five customers of the web chat, each from the first word to the end, as their pages show it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from playwright.async_api import Page, async_playwright, expect
from tests.faults.desks import Desk, Desks
from tests.journeys.stories import PATIENCE, Customer, agent, customer, files_with, reference_in, three_words_of
from tests.web.test_browser import ARGUMENTS, PHONE
from tests.worlds.needs import CHROMIUM, needs_chromium

HASH = "0x8e35c2cd3bf6641bdb0e2050b76932cbb2e6034a0ddacc1d9bea82a6ba57f7cf"
WALLET = "0x52908400098527886e0f7030069857d2e4169ee7"
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"


async def said(page: str, *phrases: str) -> list[int]:
    """How often *page* shows each of *phrases*."""
    return [page.count(one) for one in phrases]


@asynccontextmanager
async def phone(desk: Desk, locale: str) -> AsyncGenerator[Page]:
    """The chat page in a real browser, on a phone."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        context = await browser.new_context(locale=locale, viewport={"width": PHONE[0], "height": PHONE[1]})
        page = await context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        await page.goto(f"{desk.web}/chat")
        yield page
        await browser.close()


async def write(page: Page, text: str) -> None:
    await page.fill("#text", text)
    await page.press("#text", "Enter")


async def sees(page: Page, words: str) -> None:
    await expect(page.locator("#log")).to_contain_text(words, timeout=PATIENCE * 1000)


async def test_a_forgotten_password_is_seen_through_to_a_person_without_one_question_twice(desks: Desks) -> None:
    desk = await desks.start()
    await desk.ready()
    async with customer(desk) as li, agent(desks, "小美") as mei:
        await li.writes("密码忘了怎么办")
        await li.reads("这样解决了吗")
        await li.visitor.press("no")
        await li.reads("重置邮件收到了吗")
        await li.visitor.press("no")
        await li.reads("这次收到了吗")
        await li.writes("没收到")
        page = await li.reads("已经为您排队")
        case = await mei.page(f"/inbox/{reference_in(page)}")
    await desk.stop()

    assert page.index("那就请同事来查") < page.index("已经为您排队")
    assert await said(page, "这样解决了吗", "重置邮件收到了吗", "这次收到了吗", "交易哈希") == [1, 1, 1, 0]
    assert "没收到" in case


async def test_whoever_pastes_a_phrase_is_told_what_to_do_and_it_is_kept_nowhere(desks: Desks) -> None:
    desk = await desks.start()
    await desk.ready()
    async with customer(desk) as wang:
        await wang.writes("有个客服加我让我验证")
        await wang.writes(f"我的助记词是 {PHRASE} 你们帮我看看")
        page = await wang.reads("怎么注册或创建钱包")
    await desk.stop()

    assert page.index("已经移除，没有保存") < page.index("已经为您排队")
    assert PHRASE not in page
    assert files_with(desks.folder, three_words_of(PHRASE)) == {}


async def test_an_angry_line_in_cantonese_is_answered_in_its_own_characters_on_a_page_of_them(desks: Desks) -> None:
    desk = await desks.start()
    await desk.ready()
    async with customer(desk) as chan:
        chan.visitor.http.headers["Accept-Language"] = "zh-CN"
        await chan.writes("搞乜鬼呀啲錢唔見晒")
        page = await chan.reads("已經為您排隊")
    await desk.stop()

    assert '<html lang="zh-Hant"' in page
    assert "向當地警方報案" in page
    assert "排隊中" in page
    assert await said(page, "资产", "为您", "编号") == [0, 0, 0]


async def test_two_things_in_one_message_are_both_seen_to_and_nothing_is_said_twice(desks: Desks) -> None:
    desk = await desks.start()
    await desk.ready()
    async with customer(desk) as smith:
        smith.visitor.http.headers["Accept-Language"] = "en"
        await smith.writes("how do I switch on 2fa? also what does a transfer cost")
        both = await smith.reads("You also asked about")
        await smith.visitor.press("t:fees")
        await smith.reads("There may be two fees")
        await smith.writes("no, I meant how do I convert one coin into another")
        await smith.reads("price impact")
        await smith.writes("what does a transfer cost")
        await smith.reads("a wrong answer would not help you")
        await smith.writes("I want to talk to a person")
        page = await smith.reads("You are in line")
    await desk.stop()

    assert "Two-factor" in both
    assert await said(page, "There may be two fees", "price impact", "scan the code") == [1, 1, 1]


@needs_chromium
async def test_somebody_in_line_learns_the_place_and_reads_the_agent_without_a_reload(desks: Desks) -> None:
    desk = await desks.start()
    await desk.ready()
    async with customer(desk) as first, phone(desk, "zh-CN") as page, agent(desks, "小美") as mei:
        await first.writes("人工")
        ahead = reference_in(await first.reads("已经为您排队"))
        await write(page, "人工")
        await sees(page, "您现在是第 2 位")
        reference = reference_in(await page.inner_text("#standing"))
        await write(page, "我排第几")
        await sees(page, f"编号 {reference}：您现在是第 2 位")
        await mei.act(ahead, "take")
        await sees(page, "下一位就是您了")
        await mei.act(reference, "take")
        await sees(page, "小美 来了")
        await write(page, "我的币没到账")
        await mei.act(reference, "reply", "查到了，链上已经确认，请刷新。")
        await sees(page, "查到了，链上已经确认")
        await mei.act(reference, "resolve")
        await sees(page, f"编号 {reference} 已标记为解决")
        await expect(page.locator("#standing")).to_contain_text("已解决")
        bot_after_the_agent_came = await page.locator("#log .agent ~ .bot").all_inner_texts()
    await desk.stop()

    assert len(bot_after_the_agent_came) == 1


async def test_a_hash_that_was_asked_for_is_taken_as_it_is_copied(desks: Desks) -> None:
    desk = await desks.start()
    await desk.ready()
    async with customer(desk) as li:
        await li.writes("转账三个小时了还没到账")
        await li.reads("请补充下面几项")
        await li.writes(HASH[:-4])
        await li.reads("位数不对")
        await li.writes(HASH)
        async with asyncio.timeout(5):
            await li.reads("收到：交易哈希")
        await li.writes(WALLET)
        page = await heard_of(li, "以太坊")
    await desk.stop()

    assert "消息里有私钥" not in page


async def heard_of(who: Customer, text: str) -> str:
    await who.writes(text)
    return await who.reads("已经为您排队")


async def test_whoever_gave_a_phrase_away_is_heard_afterwards(desks: Desks) -> None:
    desk = await desks.start()
    await desk.ready()
    async with customer(desk) as wang:
        await wang.writes(PHRASE)
        await wang.reads("已经移除，没有保存")
        await wang.writes("我现在怎么办啊")
        await wang.visitor.press("t:account-register")
        await wang.reads("我现在怎么办啊")
        page = await wang.reads("点“创建钱包”")
    await desk.stop()

    assert await said(page, "已经移除，没有保存") == [1]
