"""One token, one connection: a second process waits for the first to end, and goes on where it stopped."""

from pathlib import Path

from tests.adapters.discord.desk import started
from tests.adapters.telegram.light_pack import light_pack
from tests.worlds.discord import Limits, discord_world
from tests.worlds.needs import needs_postgres


def answers(texts: list[str]) -> int:
    return sum("/language" in text for text in texts)


@needs_postgres
async def test_a_second_process_stands_by_and_takes_over_when_the_first_is_killed(
    tmp_path: Path, postgres_url: str
) -> None:
    """What is written while nobody is connected is heard by the one that takes over, and answered once."""
    light_pack(tmp_path)
    async with (
        discord_world(limits=Limits.none()) as world,
        started(world, tmp_path, "first", postgres_url) as first,
    ):
        connection, mei = world.connection, world.member("Mei")
        await world.until(lambda: connection.connected or None, 60)
        async with started(world, tmp_path, "second", postgres_url):
            await world.until(lambda: "imconnect: ready" in (tmp_path / "second").read_text() or None, 60)
            mei.dm("/help")
            await world.until(lambda: answers(mei.direct.texts) == 1 or None, 30)
            before = len(connection.identifies)
            first.kill()
            await first.wait()
            mei.dm("/help")
            await world.until(lambda: answers(mei.direct.texts) == 2 or None, 60)
            mei.dm("/help")
            await world.until(lambda: answers(mei.direct.texts) == 3 or None, 30)

    assert before == 1
    assert len(connection.identifies) == 2
    assert answers(mei.direct.texts) == 3


async def test_on_sqlite_a_second_process_does_not_start(tmp_path: Path) -> None:
    light_pack(tmp_path)
    async with discord_world(limits=Limits.none()) as world, started(world, tmp_path, "first"):
        await world.until(lambda: world.connection.connected or None, 60)
        async with started(world, tmp_path, "second") as second:
            code = await second.wait()

    assert code != 0
    assert "another desk" in (tmp_path / "second").read_text()
    assert len(world.connection.identifies) == 1
