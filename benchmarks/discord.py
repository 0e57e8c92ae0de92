"""Many members come in within a minute: a thread each, and how long the first answer takes.

    python -m benchmarks.discord [--members 1000] [--within 60] [--way panel|slash]

The desk runs as a program of its own, on SQLite with synchronous=FULL, against a Discord on loopback that holds it to
Discord's limits: 50 requests a second, buckets by route, a ban after 10,000 invalid requests in ten minutes. Each
member presses the button, chooses a topic as soon as the menu is there, and sends the form as soon as that is there;
or types `/help` in the support channel.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.worlds.discord import Asked, Channel, Limits, Member, Post, World, discord_world

TOPIC, FIELD = "tx-not-received", "transaction_hash"
PATIENCE = 600.0


@dataclass(slots=True)
class Visit:
    """One member on their way to an answer: what they did last, and when each thing came."""

    world: World
    member: Member
    number: int
    pressed_at: float = 0.0
    asked: Asked | None = None
    step: str = "outside"
    came: dict[str, float] = field(default_factory=dict[str, float])

    def go_on(self, way: str, panel: Post, thread: Channel | None, now: float) -> None:
        """Do the next thing, if what it waits for is there."""
        if self.step == "outside" and way == "slash":
            self.pressed_at, self.step = now, "receipt"
            self.asked = self.member.slash("help", self.world.channel("support"))
        elif self.step == "outside":
            self.pressed_at, self.step = now, "menu"
            self.asked = self.member.press(panel, "panel:help:en")
        elif self.step == "menu" and self.asked is not None and self.asked.posts:
            self.came["menu"] = now - self.pressed_at
            self.asked, self.step = self.member.select(self.asked.posts[0], TOPIC), "form"
        elif self.step == "form" and self.asked is not None and self.asked.form is not None:
            self.came["form"] = now - self.pressed_at
            self.asked = self.member.submit(self.asked, {FIELD: f"0x{self.number:064x}"})
            self.pressed_at, self.step = now, "receipt"
        elif self.step == "receipt" and self.asked is not None and self.asked.responded:
            self.came["receipt"] = now - self.pressed_at
            self.step = "answer"
        if self.step == "answer" and thread is not None and thread.from_bot:
            self.came["answer"] = now - self.pressed_at
            self.step = "answered"


async def visit(world: World, members: int, within: float, way: str) -> list[Visit]:
    """Have everybody come in, evenly over *within* seconds, and wait for what they wait for."""
    [panel] = world.channel("support").from_bot
    visits = [Visit(world, world.member(f"Member {number}"), number) for number in range(members)]
    began = time.perf_counter()
    while time.perf_counter() - began < PATIENCE:
        now = time.perf_counter()
        come = min(members, int((now - began) / within * members) + 1)
        threads = {one: thread for thread in world.channel("support").threads for one in thread.members}
        for one in visits[:come]:
            if one.step != "answered":
                one.go_on(way, panel, threads.get(one.member.id), now)
        if all(one.step == "answered" for one in visits):
            break
        await asyncio.sleep(0.05)
    return visits


def row(name: str, seconds: list[float]) -> str:
    if not seconds:
        return f"{name:32} {0:6}"
    ordered = sorted(seconds)
    high = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return f"{name:32} {len(seconds):6} {statistics.median(seconds):8.2f} {high:8.2f} {ordered[-1]:8.2f}"


async def main(members: int, within: float, way: str) -> None:
    folder = Path(tempfile.mkdtemp())
    async with discord_world(limits=Limits()) as world:
        environ = {
            **os.environ,
            "IMCONNECT_DATABASE__URL": f"sqlite:///{folder}/desk.db",
            "IMCONNECT_DISCORD__TOKEN": world.token,
            "IMCONNECT_DISCORD__API_ROOT": world.api_root,
            "IMCONNECT_DISCORD__GATEWAY": world.gateway,
            "IMCONNECT_DISCORD__SUPPORT_CHANNEL": str(world.channel("support").id),
            "IMCONNECT_WEB__PORT": "0",
            "IMCONNECT_LOG__LEVEL": "warning",
        }
        with (folder / "log").open("wb") as log:
            desk = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "imconnect",
                "run",
                env=environ,
                stdout=log,
                stderr=log,
                stdin=asyncio.subprocess.DEVNULL,
            )
        try:
            await world.until(lambda: world.channel("support").from_bot, 120)
            await world.until(lambda: "help" in world.commands, 30)
            visits = await visit(world, members, within, way)
        finally:
            desk.terminate()
            await desk.wait()
        report(world, visits)
        print(f"log of the desk: {folder / 'log'}")


def report(world: World, visits: list[Visit]) -> None:
    threads = Counter(one for thread in world.channel("support").threads for one in thread.members)
    print(f"{'seconds from press to …':32} {'came':>6} {'p50':>8} {'p95':>8} {'max':>8}")
    for step, name in {
        "menu": "the menu",
        "form": "the form (menu and choice too)",
        "receipt": "“received” (from form or command)",
        "answer": "first answer (likewise)",
    }.items():
        print(row(name, [one.came[step] for one in visits if step in one.came]))
    alone = sum(threads[one.member.id] == 1 for one in visits)
    refused = Counter(one.status for one in world.requests if one.status is not None and one.status >= 400)
    print(f"members with exactly one thread: {alone} of {len(visits)}")
    print(f"interactions that failed: {sum(one.asked is None or one.asked.failed for one in visits)}")
    print(f"requests {len(world.requests)}, refused {dict(refused)}, counted towards a ban {world.invalid_requests}")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--members", type=int, default=1000)
    arguments.add_argument("--within", type=float, default=60.0)
    arguments.add_argument("--way", choices=("panel", "slash"), default="panel")
    chosen = arguments.parse_args()
    asyncio.run(main(chosen.members, chosen.within, chosen.way))
