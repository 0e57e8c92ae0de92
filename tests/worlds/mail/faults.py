"""A wire between a client and a server on this machine that breaks as wires do."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class FaultProxy:
    """Carries bytes both ways, until told otherwise. What is set holds for connections that stand and those to come."""

    def __init__(self, target: int) -> None:
        """*target* is the port of a server on 127.0.0.1."""
        self.target = target
        self.port = 0
        self.connections = 0
        self.hanging = False
        """Swallow all bytes: both ends believe the other is only silent."""
        self.refusing = False
        """Reset whoever connects."""
        self.seconds = 0.0
        """How long each piece is held back."""
        self.cut_after: int | None = None
        """Cut a connection once so many bytes came back from the server."""
        self.cut_after_sent: int | None = None
        """Cut a connection once so many bytes went to the server."""
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def standing(self) -> int:
        """Connections that stand now."""
        return len(self._pairs)

    def cut(self) -> None:
        """End all connections as a program does that closes them (FIN)."""
        for pair in list(self._pairs):
            for end in pair:
                end.close()

    def reset(self) -> None:
        """End all connections as a machine does that knows nothing of them (RST)."""
        for pair in list(self._pairs):
            for end in pair:
                _reset(end)

    def heal(self) -> None:
        """Carry what comes from now on. What was swallowed stays lost."""
        self.hanging = self.refusing = False
        self.seconds = 0.0
        self.cut_after = self.cut_after_sent = None

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self.refusing:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            _reset(writer)
            return
        pair = (writer, far_writer)
        self._pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, far_writer, back=False))
                both.create_task(self._pump(far_reader, writer, back=True))
        except* OSError:
            pass
        finally:
            self._pairs.discard(pair)
            for end in pair:
                end.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool) -> None:
        carried = 0
        while data := await reader.read(65536):
            if self.hanging:
                continue
            if self.seconds:
                await asyncio.sleep(self.seconds)
            most = self.cut_after if back else self.cut_after_sent
            if most is not None and carried + len(data) >= most:
                writer.write(data[: max(0, most - carried)])
                await writer.drain()
                raise ConnectionResetError
            carried += len(data)
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError  # one end is gone: the other is told


def _reset(writer: asyncio.StreamWriter) -> None:
    end: socket.socket | None = writer.get_extra_info("socket")
    if end is not None and end.fileno() >= 0:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def proxied(target: int) -> AsyncGenerator[FaultProxy]:
    """A proxy before *target*, until the block ends."""
    proxy = FaultProxy(target)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
