"""Time to the first reply when many customers write on Telegram at once: the desk beside a bot that only echoes.

    python -m benchmarks.telegram [--customers 2000]

Both run as programs of their own against the same Bot API server on loopback, one after the other. The bot is
python-telegram-bot as its examples have it: it keeps nothing and answers with what was said. The desk guards, stores,
reads, decides and sends from its outbox, on SQLite with synchronous=FULL.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.worlds.botapi import Limits, Person, Server, World, serving

ECHO = """
import sys
from telegram import Update
from telegram.ext import Application, MessageHandler, filters

async def echo(update, context):
    await update.message.reply_text(update.message.text)

root, token = sys.argv[1:]
application = (
    Application.builder().token(token).base_url(root + "/bot").base_file_url(root + "/file/bot")
    .concurrent_updates(256).connection_pool_size(256).pool_timeout(120).build()
)
application.add_handler(MessageHandler(filters.TEXT, echo))
application.run_polling(allowed_updates=Update.ALL_TYPES)
"""

QUESTIONS = (
    "what does a transfer cost?",
    "how do I reset my password?",
    "转账手续费怎么这么贵",
    "忘记密码怎么办",
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds from a customer's words to the first reply; how many had none."""

    seconds: list[float]
    unanswered: int

    def percentile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    def row(self, name: str) -> str:
        middle = statistics.median(self.seconds) if self.seconds else float("nan")
        return (
            f"{name:12} {len(self.seconds):6} {self.unanswered:10} {middle:8.2f} {self.percentile(0.95):8.2f} "
            f"{self.percentile(1.0):8.2f}"
        )


async def measure(server: Server, customers: int, command: list[str], environ: dict[str, str]) -> Figures:
    """Start *command*, have everybody write at once, and time the first reply of each."""
    world = server.world
    log = Path(tempfile.mkdtemp()) / "log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **environ}, stdout=out, stderr=out, stdin=asyncio.subprocess.DEVNULL
        )
    try:
        first = world.person("First")
        first.says("hello")
        await first.hears(within=120)
        people = [world.person(f"Customer {number}") for number in range(customers)]
        said: dict[int, float] = {}
        for number, person in enumerate(people):
            person.says(QUESTIONS[number % len(QUESTIONS)])
            said[person.id] = time.perf_counter()
        return await first_replies(people, said)
    finally:
        process.terminate()
        await process.wait()


async def first_replies(people: list[Person], said: dict[int, float], patience: float = 120.0) -> Figures:
    waiting, seconds, end = list(people), list[float](), time.perf_counter() + patience
    while waiting and time.perf_counter() < end:
        now = time.perf_counter()
        still: list[Person] = []
        for person in waiting:
            if person.chat.from_bot:
                seconds.append(now - said[person.id])
            else:
                still.append(person)
        waiting = still
        await asyncio.sleep(0.05)
    return Figures(seconds, len(waiting))


async def main(customers: int) -> None:
    folder = Path(tempfile.mkdtemp())
    rows: list[Figures] = []
    for name in ("echo bot", "the desk"):
        async with serving(World(limits=Limits.none())) as server:
            if name == "echo bot":
                figures = await measure(
                    server, customers, [sys.executable, "-c", ECHO, server.url, server.world.token], {}
                )
            else:
                environ = {
                    "IMCONNECT_DATABASE__URL": f"sqlite:///{folder}/desk.db",
                    "IMCONNECT_TELEGRAM__TOKEN": server.world.token,
                    "IMCONNECT_TELEGRAM__API_ROOT": server.url,
                    "IMCONNECT_TELEGRAM__MESSAGES_PER_SECOND": "100000",
                    "IMCONNECT_WEB__PORT": "0",
                    "IMCONNECT_LOG__LEVEL": "warning",
                }
                figures = await measure(server, customers, [sys.executable, "-m", "imconnect", "run"], environ)
        if not rows:
            print(f"{'':12} {'answered':>6} {'unanswered':>10} {'p50 s':>8} {'p95 s':>8} {'max s':>8}")
        rows.append(figures)
        print(figures.row(name), flush=True)
    print(f"p95 of the desk is {rows[1].percentile(0.95) / rows[0].percentile(0.95):.2f} times that of the echo bot")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--customers", type=int, default=2000)
    asyncio.run(main(arguments.parse_args().customers))
