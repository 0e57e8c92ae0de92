"""`python -m tests.worlds.botapi --port N`: a Telegram on loopback, for a bot in another process."""

import argparse
import asyncio
import signal
import sys

from tests.worlds.botapi.control import HELP
from tests.worlds.botapi.limits import Limits
from tests.worlds.botapi.server import Server
from tests.worlds.botapi.world import TOKEN, World


async def serve(port: int, world: World) -> None:
    server = Server(world)
    await server.start(port)
    sys.stdout.write(
        f"telegram.api_root = {server.url}\n"
        f"telegram.token    = {world.token}\n"
        f"""say something:      curl -s {server.url}/world/says -d '{{"text": "hello"}}'\n"""
        f"see what was said:  curl -s {server.url}/world/chats\n"
        "everything else:    --help lists it\n"
    )
    sys.stdout.flush()
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    await over.wait()
    await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.worlds.botapi",
        description=__doc__,
        epilog="What people do is asked for beside the Bot API:\n\n" + HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--no-limits", action="store_true", help="let the bot send as much as it likes")
    parser.add_argument("--group-a-minute", type=int, default=20, help="messages a group takes a minute")
    parser.add_argument("--chat-a-second", type=int, help="messages a chat takes a second")
    parser.add_argument("--all-a-second", type=int, default=30, help="messages all chats together take a second")
    parser.add_argument("--hears-all", action="store_true", help="switch the bot's privacy mode off")
    chosen = parser.parse_args()
    limits = Limits(chosen.group_a_minute, chosen.chat_a_second, chosen.all_a_second)
    world = World(
        token=chosen.token, limits=Limits.none() if chosen.no_limits else limits, privacy_mode=not chosen.hears_all
    )
    asyncio.run(serve(chosen.port, world))


if __name__ == "__main__":
    main()
