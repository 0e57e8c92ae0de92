"""A customer at the chat page, from the first word to the end."""

from tests.faults.desks import Desks
from tests.journeys.stories import agent, customer, logged, place_in, reference_in

SHORT_HASH = "0x" + "5d3f" * 15
LINK = "https://etherscan.io/tx/0x" + "5d3f" * 16
WALLET = "0x52908400098527886e0f7030069857d2e4169ee7"


async def test_a_transfer_that_did_not_arrive_is_prepared_queued_answered_by_an_agent_and_resolved(
    desks: Desks,
) -> None:
    desk = await desks.start()
    await desk.ready()
    async with customer(desk) as li, customer(desk) as wang, agent(desks, "小美") as mei:
        await li.writes("转账三个小时了还没到账")
        asked = await li.reads("请补充下面几项")
        await li.writes(SHORT_HASH)
        await li.reads("位数不对")
        await li.writes(LINK)
        still = await li.reads("钱包地址")
        await li.writes(WALLET)
        queued = await li.reads("已经为您排队")
        reference = reference_in(queued)
        await wang.writes("人工")
        behind = await wang.reads("已经为您排队")
        line = await mei.page("/inbox")
        await mei.act(reference, "take")
        await li.reads("小美")
        moved = await wang.reads("下一位就是您了")
        case = await mei.page(f"/inbox/{reference}")
        async with li.stream() as stream:
            await mei.act(reference, "reply", "链上已经确认，请刷新资产页。")
            at_once = await stream.line_with("链上已经确认")
        await mei.act(reference, "resolve")
        await li.reads(f"编号 {reference} 已标记为解决")
    code = await desk.stop()

    assert "交易哈希" in asked
    assert "位数不对" in still
    assert (place_in(queued), place_in(behind)) == (1, 2)
    assert reference_in(behind) != reference
    assert reference in line
    assert all(part in case for part in ("ethereum", WALLET[2:10], "5d3f5d3f"))
    assert "链上已经确认" in at_once
    assert "您" in moved
    assert code == 0
    assert logged(desk, [*li.typed, *wang.typed, "链上已经确认"]) == []
