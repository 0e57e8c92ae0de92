"""What is due at a moment is due at that moment, whoever was killed meanwhile."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.adapters.discord.desk import asked, running
from tests.adapters.telegram.light_pack import light_pack
from tests.worlds.discord import Limits, discord_world

GIVEN_UP_AFTER = 10.0
SOON = timedelta(seconds=6)
DUE = "select due_at from timers where kind = 'give_up_collecting'"


def moment(folder: Path, question: str) -> datetime | None:
    rows = asked(folder, question)
    return datetime.fromtimestamp(int(rows[0][0]) / 1e6, UTC) if rows and rows[0][0] else None


async def test_a_countdown_goes_on_after_a_kill_from_where_it_stood(tmp_path: Path) -> None:
    """D-21: details are waited for until the moment that was written down, then a person gets the case as it is."""
    pack = light_pack(tmp_path) / "pack.toml"
    text = pack.read_text(encoding="utf-8")
    pack.write_text(
        re.sub(r"(?m)^give_up_collecting_after = 900", f"give_up_collecting_after = {GIVEN_UP_AFTER:.0f}", text)
    )
    async with discord_world(limits=Limits.none()) as world:
        mei, support = world.member("Mei"), world.channel("support")
        async with running(world, tmp_path) as process:
            [panel] = await world.until(lambda: support.from_bot or None, 30)
            menu = await mei.press(panel, "panel:help:en").says()
            form = mei.select(menu, "tx-not-received")
            await form.shows_form()
            mei.submit(form, {"chain": "ethereum"})
            due = await world.until(lambda: moment(tmp_path, DUE), 20)
            process.kill()
        async with running(world, tmp_path):
            back = datetime.now(UTC)
            still = moment(tmp_path, DUE)
            waits = await world.until(lambda: moment(tmp_path, "select waiting_since from conversations"), 40)

    assert still in (due, None)
    assert due <= waits < max(due, back) + SOON
