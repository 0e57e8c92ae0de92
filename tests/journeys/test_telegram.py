"""Customers on Telegram, in two languages at once, through the real adapter over HTTP."""

from tests.faults.desks import Desks
from tests.journeys.stories import PATIENCE, logged, reference_in
from tests.worlds.botapi import Server

ANNS_LINK = "https://etherscan.io/tx/0x" + "5d3f" * 16
ANNS_WALLET = "0x52908400098527886e0f7030069857d2e4169ee7"
LIS_LINK = "https://etherscan.io/tx/0x" + "7ae1" * 16
LIS_WALLET = "0xde709f2102306220921060314715629080e2fb77"


async def test_two_customers_are_each_served_in_their_language_and_never_hear_the_others_answers(
    desks: Desks, telegram: Server
) -> None:
    ann, li = telegram.world.person("Ann", language_code="en"), telegram.world.person("李", language_code="zh-hans")
    desk = await desks.start()
    await desk.ready()
    ann.says("my transfer has not arrived")
    li.says("转账三个小时了还没到账")
    await ann.hears("hash", within=PATIENCE)
    await li.hears("请补充下面几项", within=PATIENCE)
    ann.says(ANNS_LINK)
    li.says(LIS_LINK)
    await ann.hears("Wallet address", within=PATIENCE)
    await li.hears("钱包地址", within=PATIENCE)
    li.says(LIS_WALLET)
    ann.says(ANNS_WALLET)
    to_li = await li.hears("IM-", within=PATIENCE)
    to_ann = await ann.hears("IM-", within=PATIENCE)
    code = await desk.stop()
    said_to_ann, said_to_li = ("\n".join(person.chat.bot_texts) for person in (ann, li))

    assert reference_in(to_ann.text) != reference_in(to_li.text)
    assert not [letter for letter in said_to_ann if "\u4e00" <= letter <= "\u9fff"]
    assert "已经为您排队" in said_to_li
    assert reference_in(to_li.text) not in said_to_ann
    assert code == 0
    assert logged(desk, [ANNS_LINK, ANNS_WALLET, LIS_LINK, LIS_WALLET, "not arrived", "还没到账"]) == []
