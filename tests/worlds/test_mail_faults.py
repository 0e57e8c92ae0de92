"""The faulty wire does to connections what it is told, and nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from tests.worlds.mail import FaultProxy, proxied


@asynccontextmanager
async def echoing() -> AsyncGenerator[FaultProxy]:
    """A proxy before a server that says all back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1000):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with proxied(int(server.sockets[0].getsockname()[1])) as proxy:
        yield proxy
    server.close()


@asynccontextmanager
async def connected(proxy: FaultProxy) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def heard(reader: asyncio.StreamReader, seconds: float = 0.3) -> bytes | None:
    """What comes within *seconds*; None if nothing does."""
    try:
        return await asyncio.wait_for(reader.read(1000), seconds)
    except TimeoutError:
        return None


async def test_bytes_are_carried_both_ways() -> None:
    async with echoing() as proxy, connected(proxy) as (reader, writer):
        writer.write(b"hello")

        assert await heard(reader) == b"hello"
        assert (proxy.connections, proxy.standing) == (1, 1)


async def test_a_hanging_wire_swallows_and_a_healed_one_carries_what_comes_then() -> None:
    async with echoing() as proxy, connected(proxy) as (reader, writer):
        proxy.hanging = True
        writer.write(b"lost")
        silent = await heard(reader)
        proxy.heal()
        writer.write(b"found")

        assert (silent, await heard(reader)) == (None, b"found")


async def test_a_cut_wire_ends_and_a_reset_one_breaks() -> None:
    async with echoing() as proxy:
        async with connected(proxy) as (reader, writer):
            writer.write(b"a")
            await heard(reader)
            proxy.cut()

            assert await heard(reader) == b""
        async with connected(proxy) as (reader, writer):
            writer.write(b"a")
            await heard(reader)
            proxy.reset()
            with pytest.raises(ConnectionResetError):
                await heard(reader)


@pytest.mark.parametrize(("back", "sent"), [(3, None), (None, 3)])
async def test_a_wire_is_cut_after_so_many_bytes(back: int | None, sent: int | None) -> None:
    async with echoing() as proxy, connected(proxy) as (reader, writer):
        proxy.cut_after, proxy.cut_after_sent = back, sent
        writer.write(b"abcdef")
        with contextlib.suppress(ConnectionResetError):
            assert len(await asyncio.wait_for(reader.read(), 1)) <= 3
        await asyncio.sleep(0.05)

        assert proxy.standing == 0


async def test_who_connects_is_reset_while_it_refuses() -> None:
    async with echoing() as proxy:
        proxy.refusing = True
        with pytest.raises(OSError, match="reset"):
            async with connected(proxy) as (reader, _):
                await heard(reader)


async def test_pieces_are_held_back() -> None:
    async with echoing() as proxy, connected(proxy) as (reader, writer):
        proxy.seconds = 0.1
        started = asyncio.get_running_loop().time()
        writer.write(b"a")
        await heard(reader, 2)

        assert asyncio.get_running_loop().time() - started >= 0.2
