"""How fast a mailbox is caught up with and in how much memory, and how soon new mail is seen.

    python -m benchmarks.mail [--mails 10000] [--arrivals 30]

Needs root, Dovecot and Postfix (scripts/install-worlds). Of the mails one in a hundred has 200 kB, the others 4 kB;
they lie in the mailbox before it is opened, so that the figure holds Dovecot's own indexing. Memory is this process's
after a tenth of the mails, which it made itself, against its highest after that. "Told" is a scripted server that
pushes at once; Dovecot gathers changes for half a second before it tells.
"""

import argparse
import asyncio
import itertools
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from resource import getpagesize
from statistics import median
from tempfile import TemporaryDirectory

from tests.adapters.email.transport_world import STEADY, a_mail, at_script, at_servers, reading
from tests.worlds.mail import MailServers, ScriptedImap, running_mail, serving_imap

from imconnect.desk.intake import Intake
from imconnect.desk.kit import InboxKit
from imconnect.domain.messages import Incoming
from imconnect.guard import Guard
from imconnect.metrics import PrometheusMeter
from imconnect.ports import Item
from imconnect.storage import DatabaseUrl, SqlStore
from imconnect.testing.makers import PLAYBOOK
from imconnect_email import EmailAdapter
from imconnect_email.mailbox import Mailbox
from imconnect_email.settings import EmailSettings

DOVECOTS_WAIT = 0.5
MOST_REMEMBERED = 32.0
"""MB that guard and channel may take for what they remember: 2.1 kB of each of the last 10,000 correspondents, and
0.6 kB of the last 2,000. After that nothing grows: 198 MB were taken after 12,000 mails, 199 MB after 24,000."""

FEW, MANY = 100, 10_000
"""Mails in the mailboxes that new mail is told of in."""

LEAST_PER_SECOND, MOST_SECONDS, MOST_GROWTH = 200.0, 0.5, 16.0


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize() / 1e6


async def catch_up(servers: MailServers, mails: int) -> bool:
    user = servers.somebody()
    servers.lay(user, [a_mail(number, size=200_000 if number % 100 == 99 else 4000) for number in range(mails)])
    mailbox = Mailbox(at_servers(servers, user, "implicit"), None, STEADY)
    seen = weight = 0
    early = highest = 0.0
    started = asyncio.get_running_loop().time()
    async with aclosing(mailbox.follow("INBOX", None)) as batches:
        async for batch in batches:
            seen += len(batch.letters)
            weight += sum(len(letter.raw) for letter in batch.letters)
            if seen >= mails // 10:
                early = early or resident_mb()
                highest = max(highest, resident_mb())
            if seen >= mails:
                break
    seconds = asyncio.get_running_loop().time() - started
    print(f"Caught up with {seen} mails ({weight / 1e6:.0f} MB, TLS) in {seconds:.1f} s: {seen / seconds:.0f} a second")
    print(f"Memory: {early:.0f} MB after a tenth of them, {highest:.0f} MB at most after that")
    return seen / seconds >= LEAST_PER_SECOND and highest - early <= MOST_GROWTH


async def arrivals(
    name: str, count: int, bring: Callable[[int], Awaitable[None]], seen: Callable[[int], Awaitable[object]]
) -> float:
    """Bring mails one by one; the median of the seconds until each is seen."""
    taken: list[float] = []
    for number in range(count):
        await bring(number)
        started = asyncio.get_running_loop().time()
        await seen(number + 1)
        taken.append(asyncio.get_running_loop().time() - started)
    print(f"{name}: median {median(taken) * 1000:.0f} ms, longest {max(taken) * 1000:.0f} ms, of {count}")
    return median(taken)


async def pushes(servers: MailServers, count: int) -> bool:
    user = servers.somebody()

    async def brought(number: int) -> None:
        await asyncio.to_thread(servers.bring, user, a_mail(number))

    async with reading(at_servers(servers, user, "implicit")) as reader:
        await asyncio.sleep(0.5)
        await arrivals("Taken by Postfix to seen", count, brought, reader.has)

    async with serving_imap(ScriptedImap()) as server, reading(at_script(server)) as reader:

        async def told(number: int) -> None:
            server.receive(a_mail(number))

        await asyncio.sleep(0.5)
        return await arrivals("Told to seen", count, told, reader.has) <= MOST_SECONDS


async def stored(servers: MailServers, mails: int) -> bool:
    """The same with a desk behind it: read, judged, seen by the guard and committed, one conversation a mail."""
    user = servers.somebody()
    servers.lay(user, [a_mail(number, size=4000) for number in range(mails)])
    chosen = at_servers(servers, user, "implicit", address=user, check_signatures=False, first_read="all")
    early = highest = 0.0

    def weighed(kept: int) -> None:
        nonlocal early, highest
        if kept >= mails // 10:
            early = early or resident_mb()
            highest = max(highest, resident_mb())

    started = asyncio.get_running_loop().time()
    async with storing(chosen, weighed) as has:
        await has(mails)
        seconds = asyncio.get_running_loop().time() - started
        print(f"Stored {mails} mails, each a conversation: {seconds:.1f} s, {mails / seconds:.0f} a second")
        print(f"Memory: {early:.0f} MB after a tenth of them, {highest:.0f} MB at most after that")

        async def brought(number: int) -> None:
            await asyncio.to_thread(servers.bring, user, a_mail(mails + number))

        soon = await arrivals("Taken by Postfix to stored", 20, brought, lambda number: has(mails + number))
    fast = mails / seconds >= LEAST_PER_SECOND and highest - early <= MOST_REMEMBERED
    return fast and soon <= DOVECOTS_WAIT + MOST_SECONDS


async def told_to_stored(mails: int, count: int) -> bool:
    """From the server's EXISTS to the store's commit, with *mails* in the mailbox: what the desk itself takes."""
    script = ScriptedImap()
    script.receive(*(a_mail(number) for number in range(mails)))
    async with serving_imap(script) as server:

        async def told(number: int) -> None:
            server.receive(a_mail(mails + number))

        async with storing(at_script(server, check_signatures=False), lambda _: None) as has:
            await asyncio.sleep(1.0)
            return await arrivals(f"Told to stored, with {mails} mails there", count, told, has) <= MOST_SECONDS


@asynccontextmanager
async def storing(
    chosen: EmailSettings, committed: Callable[[int], None]
) -> AsyncGenerator[Callable[[int], Awaitable[None]]]:
    """A desk's intake at a mailbox. *committed* hears how many mails are stored; yields what waits for so many."""
    adapter = EmailAdapter(chosen)
    with TemporaryDirectory() as folder:
        store = await SqlStore.open(
            DatabaseUrl.parse(f"sqlite:///{folder}/desk.db"), new_reference=partial(next, map(str, itertools.count()))
        )
        guard = Guard()
        intake = Intake(store, guard, _now, PrometheusMeter())
        await adapter.equip(InboxKit(store, adapter.name, adapter.account, bytes(32), PLAYBOOK, _now, guard))
        kept = 0

        async def deliver(items: Sequence[Item]) -> None:
            nonlocal kept
            await intake.deliver(items)
            kept += sum(isinstance(item, Incoming) for item in items)
            committed(kept)

        async def has(number: int) -> None:
            while kept < number:
                if listening.done():
                    listening.result()
                await asyncio.sleep(0.002)

        listening = asyncio.create_task(adapter.listen(deliver))
        try:
            yield has
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await adapter.close()
            await store.close()


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--mails", type=int, default=10_000, help="mails to catch up with (default 10000)")
    options.add_argument("--arrivals", type=int, default=30, help="mails that arrive one by one (default 30)")
    chosen = options.parse_args()
    with running_mail() as servers:
        met = {
            "catching up": asyncio.run(catch_up(servers, chosen.mails)),
            "storing": asyncio.run(stored(servers, chosen.mails)),
            "told to stored, few": asyncio.run(told_to_stored(FEW, chosen.arrivals)),
            "told to stored, many": asyncio.run(told_to_stored(MANY, chosen.arrivals)),
            "pushes": asyncio.run(pushes(servers, chosen.arrivals)),
        }
    print("\nBars met:", ", ".join(f"{name} {'yes' if right else 'NO'}" for name, right in met.items()))
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
