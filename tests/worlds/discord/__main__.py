"""`python -m tests.worlds.discord --port N`: a Discord on loopback, for a bot in another process."""

import argparse
import asyncio
import signal
import sys

from tests.worlds.discord.limits import Limits
from tests.worlds.discord.server import Server
from tests.worlds.discord.world import TOKEN, World


async def serve(port: int, token: str, limits: Limits) -> None:
    world = World(token=token, limits=limits)
    server = Server(world)
    support, staff = world.channel("support"), world.forum("staff", ("open", "resolved"))
    await server.start(port)
    root = world.cdn.root
    sys.stdout.write(
        f"discord.api_root        = {world.api_root}\n"
        f"discord.gateway         = {world.gateway}\n"
        f"discord.token           = {token}\n"
        f"discord.support_channel = {support.id}\n"
        f"discord.staff_channel   = {staff.id}\n"
        f"the server's id         = {world.guild.id}\n"
        f"""say something:      curl -s {root}/world/says -d '{{"person": "Mei", "text": "hello"}}'\n"""
        f"see what was said:  curl -s {root}/world/channels\n"
    )
    sys.stdout.flush()
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    await over.wait()
    await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.worlds.discord", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--no-limits", action="store_true", help="let the bot send as much as it likes")
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.port, chosen.token, Limits.none() if chosen.no_limits else Limits()))


if __name__ == "__main__":
    main()
