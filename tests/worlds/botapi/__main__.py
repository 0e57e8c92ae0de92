"""`python -m tests.worlds.botapi --port N`: a Telegram on loopback, for a bot in another process."""

import argparse
import asyncio
import signal
import sys

from tests.worlds.botapi.limits import Limits
from tests.worlds.botapi.server import Server
from tests.worlds.botapi.world import TOKEN, World


async def serve(port: int, token: str, limits: Limits) -> None:
    server = Server(World(token=token, limits=limits))
    await server.start(port)
    sys.stdout.write(
        f"telegram.api_root = {server.url}\n"
        f"telegram.token    = {token}\n"
        f"""say something:      curl -s {server.url}/world/says -d '{{"text": "hello"}}'\n"""
        f"see what was said:  curl -s {server.url}/world/chats\n"
    )
    sys.stdout.flush()
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    await over.wait()
    await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.worlds.botapi", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--no-limits", action="store_true", help="let the bot send as much as it likes")
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.port, chosen.token, Limits.none() if chosen.no_limits else Limits()))


if __name__ == "__main__":
    main()
