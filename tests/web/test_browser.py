"""The pages in a real browser: what only scripts, style and a network can break."""

import base64
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright, expect
from tests.web.desk import SECRET, Brains, RunningDesk, running_desk, served
from tests.worlds.needs import CHROMIUM, needs_chromium

from imconnect.domain.events import AgentNoted
from imconnect.domain.messages import Address, Attachment, Handle, Incoming
from imconnect.ports import FileResult, FileState
from imconnect.web.sessions import Seals

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]

ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"]
PHRASE = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A picture of one dot."""
PHONE = (360, 740)
DESKTOP = (1280, 820)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def chromium() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def desk(tmp_path: Path, brains: Brains) -> AsyncGenerator[RunningDesk]:
    async with running_desk(tmp_path, brains) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def site(desk: RunningDesk) -> AsyncGenerator[RunningDesk]:
    """The desk with its pages served."""
    async with served(desk):
        yield desk


@dataclass(slots=True)
class Person:
    """Somebody at a page, and what went wrong there."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list[str])
    hosts: set[str] = field(default_factory=set[str])

    async def write(self, text: str) -> None:
        await self.page.fill("#text", text)
        await self.page.press("#text", "Enter")


@asynccontextmanager
async def person(
    browser: Browser, size: tuple[int, int], language: str, *, scripts: bool = True, dark: bool = False
) -> AsyncGenerator[Person]:
    context = await browser.new_context(
        locale=language,
        viewport={"width": size[0], "height": size[1]},
        java_script_enabled=scripts,
        color_scheme="dark" if dark else "light",
    )
    page = await context.new_page()
    page.set_default_timeout(8000)
    somebody = Person(page, context)
    page.on("console", lambda said: somebody.complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: somebody.complaints.append(str(error)))
    page.on("request", lambda request: somebody.hosts.add(re.sub(r"^\w+://([^/:]+).*", r"\1", request.url)))
    try:
        yield somebody
    finally:
        await context.close()


async def sign_in(agent: Person, desk: RunningDesk) -> None:
    await desk.agent("Lin", "one link")
    await agent.page.goto(f"{desk.url}/inbox/sign-in?token=one+link")
    await agent.page.click("button.main")
    await agent.page.wait_for_selector("#list")


async def overflow(page: Page) -> int:
    """How many pixels the page is wider than the window."""
    return int(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


async def test_a_chinese_phone_is_answered_without_a_reload(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "zh-CN") as customer:
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("转账三个小时了还没到账")
        await expect(customer.page.locator("#log .bot").last).to_contain_text("交易哈希")
        await expect(customer.page.locator("#log .you")).to_have_count(1)
        await expect(customer.page.locator("#pending li")).to_have_count(0)

        assert await customer.page.input_value("#text") == ""
        assert await overflow(customer.page) <= 0
        assert customer.complaints == []
        assert customer.hosts == {"127.0.0.1"}


async def test_a_reload_loses_nothing_and_shows_nothing_twice(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, DESKTOP, "en-US") as customer:
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("How do I reset my password?")
        await expect(customer.page.locator("#log .bot")).to_have_count(1)
        await customer.page.reload()
        await customer.page.wait_for_timeout(300)

        await expect(customer.page.locator("#log .line")).to_have_count(2)


async def test_two_tabs_show_the_same(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, DESKTOP, "en-US") as customer:
        await customer.page.goto(f"{site.url}/chat")
        other = await customer.context.new_page()
        await other.goto(f"{site.url}/chat")
        await customer.write("How do I reset my password?")

        await expect(other.locator("#log .line")).to_have_count(2)


async def test_what_is_written_offline_waits_and_goes_out_once_in_order(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "en-US") as customer:
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("first words")
        await expect(customer.page.locator("#log .you")).to_have_count(1)
        await customer.context.set_offline(True)
        await customer.write("written offline")
        await customer.write("and this after it")
        await expect(customer.page.locator("#pending .failed")).to_have_count(2)
        await expect(customer.page.locator("#pending .failed button").first).to_have_text("Not sent. Tap to try again")
        await customer.context.set_offline(False)
        await expect(customer.page.locator("#pending li")).to_have_count(0)
        await expect(customer.page.locator("#log .you")).to_have_count(3)
        texts = await customer.page.locator("#log .you .said").all_text_contents()

        assert texts == ["first words", "written offline", "and this after it"]
        assert await customer.page.evaluate("localStorage.length + sessionStorage.length") == 0


async def test_an_answer_that_is_lost_does_not_double_the_message(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "en-US") as customer:
        await customer.page.goto(f"{site.url}/chat")
        lost = 0

        async def lose_the_first_answer(route: Route) -> None:
            nonlocal lost
            lost += 1
            if lost == 1:
                await route.fetch()  # the request arrives,
                await route.abort()  # its answer does not
            else:
                await route.continue_()

        await customer.page.route("**/chat/messages", lose_the_first_answer)
        await customer.write("only once please")
        await customer.page.click("#pending .failed button")
        await expect(customer.page.locator("#pending li")).to_have_count(0)

        await expect(customer.page.locator("#log .you")).to_have_count(1)


async def test_a_slow_answer_never_shows_the_message_twice(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "en-US") as customer:
        await customer.page.goto(f"{site.url}/chat")

        async def answer_late(route: Route) -> None:
            answer = await route.fetch()
            await customer.page.wait_for_timeout(600)  # the stream has brought the line long before
            shown = await customer.page.locator("#log .you, #pending .you").count()
            seen_meanwhile.append(shown)
            await route.fulfill(response=answer)

        seen_meanwhile: list[int] = []
        await customer.page.route("**/chat/messages", answer_late)
        await customer.write("How do I reset my password?")
        await expect(customer.page.locator("#log .bot")).to_have_count(1)

        assert seen_meanwhile == [1]
        await expect(customer.page.locator("#log .you")).to_have_count(1)


async def test_a_page_finds_its_way_back_when_the_desk_restarts(chromium: Browser, desk: RunningDesk) -> None:
    async with person(chromium, PHONE, "en-US") as customer:
        async with served(desk) as url:
            await customer.page.goto(f"{url}/chat")
            await customer.write("How do I reset my password?")
            await expect(customer.page.locator("#log .bot")).to_have_count(1)
            (cookie,) = await customer.context.cookies(f"{url}/chat")
        await expect(customer.page.locator("#connection")).to_be_visible()
        peer = Seals(SECRET).chat(cookie.get("value")) or ""
        await customer.write("written while the desk was away")
        await expect(customer.page.locator("#pending .failed")).to_have_count(1)
        await desk.chat.post(Incoming(f"{peer}:while-away", desk.chat.address(peer), Handle(peer), "x", desk.time()))
        async with served(desk, int(url.rpartition(":")[2])):
            await expect(customer.page.locator("#log .you")).to_have_count(3)
            await expect(customer.page.locator("#pending li")).to_have_count(0)
            await expect(customer.page.locator("#connection")).to_be_hidden()


async def test_a_double_click_on_a_choice_is_one_answer(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "en-US") as customer:
        await customer.page.goto(f"{site.url}/chat")
        await customer.page.dblclick("#intro .choices button[value='t:account-sign-in']")
        await expect(customer.page.locator("#log .bot")).to_have_count(1)
        await customer.page.wait_for_timeout(300)

        await expect(customer.page.locator("#log .you")).to_have_count(1)


async def test_a_phrase_does_not_stay_on_the_screen(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "en-US") as customer:
        await customer.page.goto(f"{site.url}/chat")
        await customer.write(f"my phrase: {PHRASE}")
        await expect(customer.page.locator("#log .you.withheld")).to_have_text(re.compile("removed for your safety"))

        assert "abandon" not in await customer.page.inner_text("body")


async def test_enter_that_ends_a_chinese_word_does_not_send(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "zh-CN") as customer:
        await customer.page.goto(f"{site.url}/chat")
        await customer.page.fill("#text", "转账")
        await customer.page.evaluate(
            """document.getElementById("text").dispatchEvent(
                new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }))"""
        )

        assert await customer.page.input_value("#text") == "转账"
        await customer.page.press("#text", "Enter")
        assert await customer.page.input_value("#text") == ""


async def test_without_scripts_a_customer_is_served_all_the_same(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "en-US", scripts=False) as customer:
        await customer.page.goto(f"{site.url}/chat")
        await customer.page.fill("#text", "How do I reset my password?")
        await customer.page.click(".send")
        await expect(customer.page.locator("#log .you")).to_have_count(1)
        await customer.page.wait_for_timeout(300)
        await customer.page.reload()

        await expect(customer.page.locator("#log .bot")).to_have_count(1)


async def test_too_long_a_text_is_said_to_be_so_and_stays(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "zh-CN") as customer:
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("字" * 6000)

        await expect(customer.page.locator("#fault")).to_contain_text("太长了")
        assert len(await customer.page.input_value("#text")) == 6000


async def test_dark_is_dark_by_the_device_and_by_the_switch(chromium: Browser, site: RunningDesk) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    async with person(chromium, PHONE, "en-US", dark=True) as customer:
        await customer.page.goto(f"{site.url}/chat")
        by_device = await customer.page.evaluate(ground)
        await customer.page.click("#theme button")
        by_switch = await customer.page.evaluate(ground)
        await customer.page.reload()

        assert by_device == "rgb(18, 23, 21)"
        assert by_switch == "rgb(246, 247, 246)"
        assert await customer.page.evaluate(ground) == by_switch


async def test_an_agent_serves_a_customer_by_keyboard_alone(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "en-US") as customer, person(chromium, DESKTOP, "en-US") as agent:
        await sign_in(agent, site)
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("I want to talk to a person")
        row = agent.page.locator(".rows .row a")
        await expect(row).to_have_count(1)  # by itself, while the page was open
        await agent.page.keyboard.press("j")
        await agent.page.keyboard.press("Enter")
        await agent.page.wait_for_selector("#act-take")
        await agent.page.wait_for_load_state()  # a page shows before its script listens
        await agent.page.keyboard.press("t")
        await expect(agent.page.locator("#live")).to_contain_text("with Lin")
        await agent.page.keyboard.press("r")
        await agent.page.keyboard.type("Hello, this is Lin")
        await agent.page.keyboard.press("Control+Enter")
        await expect(customer.page.locator("#log .agent")).to_contain_text("Hello, this is Lin")
        await expect(agent.page.locator("#text-reply")).to_have_value("")
        await agent.page.keyboard.press("Escape")
        await agent.page.keyboard.press("e")
        await expect(agent.page.locator("#live")).to_contain_text("Resolved")

        await expect(customer.page.locator("#standing")).to_contain_text("Solved")
        assert agent.complaints == []
        assert agent.hosts == {"127.0.0.1"}


async def test_a_sentence_typed_outside_of_every_box_does_nothing(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "en-US") as customer, person(chromium, DESKTOP, "en-US") as agent:
        await sign_in(agent, site)
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("I want to talk to a person")
        await agent.page.locator(".rows .row a").click()
        await agent.page.wait_for_selector("#act-take")
        await agent.page.wait_for_load_state()
        await agent.page.keyboard.press("t")
        await expect(agent.page.locator("#live")).to_contain_text("with Lin")
        await agent.page.keyboard.type("Hello, the other team has it")
        await agent.page.wait_for_timeout(500)

        await expect(agent.page.locator("#live")).to_contain_text("with Lin")


async def test_what_an_agent_is_typing_survives_everything_that_happens_meanwhile(
    chromium: Browser, site: RunningDesk
) -> None:
    async with person(chromium, PHONE, "en-US") as customer, person(chromium, DESKTOP, "en-US") as agent:
        await sign_in(agent, site)
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("I want to talk to a person")
        await agent.page.click(".rows .row a")
        await agent.page.click("#text-reply")
        await agent.page.keyboard.type("half a sent")
        await customer.write("and one more thing")
        await site.store.act("IM-1001", AgentNoted("Mei", "a colleague's note"), "meis-note", site.time())
        await expect(agent.page.locator("#live .customer").last).to_contain_text("and one more thing")
        await expect(agent.page.locator("#live .note")).to_contain_text("a colleague's note")
        await agent.page.keyboard.type("ence")

        assert await agent.page.input_value("#text-reply") == "half a sentence"


async def test_a_refused_reply_stays_in_the_box_and_goes_out_once_allowed(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "en-US") as customer, person(chromium, DESKTOP, "en-US") as agent:
        await sign_in(agent, site)
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("I want to talk to a person")
        await agent.page.click(".rows .row a")
        await agent.page.fill("#text-reply", "Hello there")
        await agent.page.click("#box-reply button")
        await expect(agent.page.locator("#flash")).to_contain_text("take the conversation first")
        await expect(agent.page.locator("#text-reply")).to_have_value("Hello there")
        await agent.page.click("#act-take")
        await expect(agent.page.locator("#act-hand_back")).to_be_visible()
        await agent.page.dblclick("#box-reply button")

        await expect(customer.page.locator("#log .agent")).to_have_count(1)


async def test_an_agent_whose_connection_fails_keeps_the_text(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "en-US") as customer, person(chromium, DESKTOP, "en-US") as agent:
        await sign_in(agent, site)
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("I want to talk to a person")
        await agent.page.click(".rows .row a")
        await agent.page.fill("#text-note", "do not lose me")
        await agent.context.set_offline(True)
        await agent.page.click("#box-note button")
        await expect(agent.page.locator("#flash")).to_contain_text("cannot be reached")
        await expect(agent.page.locator("#text-note")).to_have_value("do not lose me")
        await agent.context.set_offline(False)
        await agent.page.click("#box-note button")

        await expect(agent.page.locator("#live .note")).to_have_count(1)


async def test_the_inbox_fits_a_phone(chromium: Browser, site: RunningDesk) -> None:
    async with person(chromium, PHONE, "zh-CN") as customer, person(chromium, PHONE, "zh-CN") as agent:
        await sign_in(agent, site)
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("人工")
        await agent.page.click(".rows .row a")
        await agent.page.click("#act-take")
        await expect(agent.page.locator("#flash")).to_contain_text("已接手")

        assert await overflow(agent.page) <= 0
        assert agent.complaints == []


async def test_an_agent_needs_no_scripts_either(chromium: Browser, site: RunningDesk) -> None:
    async with (
        person(chromium, PHONE, "en-US") as customer,
        person(chromium, DESKTOP, "en-US", scripts=False) as agent,
    ):
        await sign_in(agent, site)
        await customer.page.goto(f"{site.url}/chat")
        await customer.write("I want to talk to a person")
        await expect(customer.page.locator("#standing")).to_contain_text("Place 1")
        await agent.page.reload()
        await agent.page.click(".rows .row a")
        await agent.page.click("#act-take")
        await agent.page.fill("#text-reply", "Hello without scripts")
        await agent.page.click("#box-reply button")

        await expect(customer.page.locator("#log .agent")).to_contain_text("Hello without scripts")


async def test_a_delicate_picture_is_fetched_on_request_and_seen_on_purpose(
    chromium: Browser, site: RunningDesk
) -> None:
    """S-10: nothing is loaded with the page; what is loaded is blurred; and it stays as the agent left it."""
    at = Address("telegram", "bot", "7")
    picture = Attachment("x", "screen.png", "image/png", len(DOT))
    lost = Incoming("m1", at, Handle("7"), "我的助记词丢了，怎么办？", site.time(), (picture,))
    await site.intake.deliver([lost])
    found = await site.store.state_at(at)
    assert found is not None
    dossier = await site.store.dossier(found.reference)
    assert dossier is not None
    (file,) = dossier.lines[0].files
    await site.store.keep_files([FileResult(file.id, FileState.KEPT, "image/png", DOT)], site.time())
    async with person(chromium, DESKTOP, "en-US") as agent:
        fetched: list[str] = []
        agent.page.on("request", lambda request: fetched.append(request.url) if "/files/" in request.url else None)
        await sign_in(agent, site)
        await agent.page.goto(f"{site.url}/inbox/{found.reference}")
        await expect(agent.page.locator("details.picture")).to_have_count(1)
        before = list(fetched)
        await agent.page.click("details.picture summary")
        image = agent.page.locator("details.picture img")
        await expect(image).to_have_js_property("naturalWidth", 1)
        await expect(image).to_have_css("filter", "blur(28px)")
        await agent.page.click(".unveil")
        await expect(image).to_have_css("filter", "none")
        await agent.page.click("#act-take")
        await expect(agent.page.locator("#live")).to_contain_text("with Lin")

        await expect(image).to_have_css("filter", "none")
        assert (before, len(set(fetched))) == ([], 1)
        assert agent.complaints == []
