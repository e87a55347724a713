"""A TCP proxy per link, broken at run time in the ways networks break.

with Proxies() as proxies:
    link = proxies.link("metrics.consumer to kafka", 9092)
    link.port                      # what the process is told
    link.switch(Mode.HALF_OPEN)    # both ends stay connected, nothing moves
    link.switch(Mode.PASS)

All links live on one event loop in a thread. Loss shows above TCP as a late segment, so `DELAY` has a share of
chunks that come later still, as a retransmission would.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self, TypeVar

from deploy.local.ports import LOOPBACK

T = TypeVar("T")
_CHUNK = 64 * 1024
_LINGER_NOT = struct.pack("ii", 1, 0)


class Mode(StrEnum):
    """What a link does with what it is given."""

    PASS = "pass"
    DROP = "drop"  # takes connections and bytes, and forwards nothing
    DELAY = "delay"
    HALF_OPEN = "half-open"  # stops reading: the sender's buffers fill up
    RESET = "reset"  # answers everything with RST
    CUT = "cut"  # closes a connection in the middle of a frame
    THROTTLE = "throttle"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A mode with its numbers: seconds, shares of 1, bytes and bytes per second."""

    mode: Mode = Mode.PASS
    delay: float = 0.5
    lost_share: float = 0.0
    retransmission: float = 0.4
    cut_after: int = 1000
    bytes_per_second: int = 16_384


@dataclass(eq=False, slots=True)
class _Connection:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None

    def reset(self) -> None:
        for writer in (self.client, self.server):
            if writer is not None:
                _reset(writer)


class Link:
    """One listening port that leads to one other port, under control."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, target: int, seed: int) -> None:
        self.name = name
        self.port = 0
        self.target = target
        # Connections reset by the pattern and cut in mid-frame, and chunks that were lost once, since the beginning.
        self.resets = self.cuts = self.lost = 0
        self._loop = loop
        self._random = random.Random(seed)
        self._behaviour = Behaviour()
        self._changed = asyncio.Event()
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._trigger: tuple[bytes, float] | None = None
        self._server: asyncio.Server | None = None

    def switch(self, mode: Mode, **numbers: Any) -> None:
        """Behave in another way from now on; connections that stand keep standing, but for RESET."""
        _call(self._loop, self._switch(Behaviour(mode, **numbers)))

    def reset_when(self, pattern: bytes, *, share: float = 1.0) -> None:
        """Reset a connection when its client sends the pattern: half of the times after it was passed on."""
        _call(self._loop, self._set_trigger((pattern, share)))

    def reset_never(self) -> None:
        """Forget the pattern."""
        _call(self._loop, self._set_trigger(None))

    def reset_all(self) -> None:
        """Reset every connection that stands now."""
        _call(self._loop, self._reset_all())

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0, backlog=256)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and drop all connections."""
        if self._server is not None:
            self._server.close()
        await self._reset_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _switch(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        if behaviour.mode is Mode.RESET:
            await self._reset_all()

    async def _set_trigger(self, trigger: tuple[bytes, float] | None) -> None:
        self._trigger = trigger

    async def _reset_all(self) -> None:
        for connection in self._connections:
            connection.reset()

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        connection = _Connection(client)
        self._connections.add(connection)
        try:
            await self._until_readable()
            if self._behaviour.mode is Mode.RESET:
                return connection.reset()
            from_server, connection.server = await asyncio.open_connection(LOOPBACK, self.target)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, connection.server, connection, from_client=True))
                both.create_task(self._pump(from_server, client, connection, from_client=False))
        except* (OSError, asyncio.IncompleteReadError, _Ended):
            pass
        finally:
            self._connections.discard(connection)
            for writer in (client, connection.server):
                if writer is not None:
                    writer.close()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        connection: _Connection,
        *,
        from_client: bool,
    ) -> None:
        while True:
            await self._until_readable()
            data = await reader.read(_CHUNK)
            if not data:
                raise _Ended
            await self._until_readable()
            if from_client and self._trigger is not None and self._trigger[0] in data:
                await self._meet_trigger(data, writer, connection)
            await self._forward(data, writer, connection)

    async def _until_readable(self) -> None:
        while self._behaviour.mode is Mode.HALF_OPEN:
            await self._changed.wait()

    async def _meet_trigger(self, data: bytes, writer: asyncio.StreamWriter, connection: _Connection) -> None:
        assert self._trigger is not None
        if self._random.random() >= self._trigger[1]:
            return
        self.resets += 1
        if self._random.random() < 0.5:
            writer.write(data)
            await writer.drain()
            # The server gets what was sent before the connection goes: only its answer is lost.
            writer.close()
            _reset(connection.client)
        else:
            connection.reset()
        raise _Ended

    async def _forward(self, data: bytes, writer: asyncio.StreamWriter, connection: _Connection) -> None:
        now = self._behaviour
        match now.mode:
            case Mode.DROP:
                return
            case Mode.RESET:
                connection.reset()
                raise _Ended
            case Mode.CUT if len(data) > now.cut_after:
                self.cuts += 1
                writer.write(data[: now.cut_after])
                await writer.drain()
                raise _Ended
            case Mode.DELAY:
                late = self._random.random() < now.lost_share
                self.lost += late
                await asyncio.sleep(now.delay + (now.retransmission if late else 0.0))
            case Mode.THROTTLE:
                await asyncio.sleep(len(data) / now.bytes_per_second)
            case _:
                pass
        writer.write(data)
        await writer.drain()


class _Ended(Exception):
    """One side has closed, or was made to."""


class Proxies:
    """All links of a run, on a loop of their own."""

    def __init__(self, *, seed: int = 1) -> None:
        self._seed = seed
        self._loop = asyncio.new_event_loop()
        self._links: dict[str, Link] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for link in self._links.values():
            _call(self._loop, link.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def link(self, name: str, target: int) -> Link:
        """Return the link of this name, made when it is first asked for."""
        if name not in self._links:
            link = Link(self._loop, name, target, self._seed + len(self._links))
            _call(self._loop, link.open())
            self._links[name] = link
        return self._links[name]

    def links(self, wanted: Callable[[str], bool] = lambda _: True) -> list[Link]:
        """Return the links whose names are wanted."""
        return [link for name, link in self._links.items() if wanted(name)]

    def heal(self) -> None:
        """Have every link pass everything again."""
        for link in self._links.values():
            link.reset_never()
            link.switch(Mode.PASS)


def _call(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result(30)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN, and throw away what was not sent."""
    found: socket.socket | None = writer.get_extra_info("socket")
    if found is not None:
        with contextlib.suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    writer.transport.abort()
