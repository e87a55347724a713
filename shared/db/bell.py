"""Rings for those who wait for something to change: one connection per process listens for all of them."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.driver import driver_of
from shared.runtime.logging import get_logger

_PAUSE_SECONDS = 1.0
_SLICE_SECONDS = 0.5

log = get_logger(__name__)


class Bell:
    """Listens on a channel while anybody waits; what is told there is the name of whom it concerns.

    It may miss a ring, so whoever waits looks by themselves now and then.
    """

    def __init__(self, engine: AsyncEngine, channel: str) -> None:
        self._engine = engine
        self._channel = channel
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._listening: asyncio.Task[None] | None = None

    @contextmanager
    def waiting(self, name: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set whenever this name is told."""
        rung = asyncio.Event()
        self._waiting[name].add(rung)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        try:
            yield rung
        finally:
            self._waiting[name].discard(rung)
            if not self._waiting[name]:
                del self._waiting[name]
            if not self._waiting and self._listening is not None:
                self._listening.cancel()
                self._listening = None

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (DBAPIError, OSError) as error:
                log.warning("bell away", channel=self._channel, error=type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _listen_once(self) -> None:
        gone = asyncio.Event()
        async with self._engine.connect() as connection:
            try:
                driver = await driver_of(connection)
                driver.add_termination_listener(lambda _: gone.set())
                await driver.add_listener(self._channel, self._ring)
                await gone.wait()
            finally:
                # It listens: nobody else may get it from the pool.
                await connection.invalidate()

    def _ring(self, _connection: object, _pid: int, _channel: str, name: str) -> None:
        for rung in self._waiting.get(name, ()):
            rung.set()


async def until_rung(rung: asyncio.Event, ended: Callable[[], bool], *, seconds: float) -> None:
    """Wait for the bell, for some seconds at most; a process that stops is noticed within a slice."""
    for _ in range(int(seconds / _SLICE_SECONDS)):
        if ended():
            return
        try:
            async with asyncio.timeout(_SLICE_SECONDS):
                await rung.wait()
        except TimeoutError:
            continue
        return
