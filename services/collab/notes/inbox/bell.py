"""Rings for those whose inbox changed: one connection per process listens for all of its readers."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.collab.notes.inbox.commands import CHANNEL
from shared.runtime.logging import get_logger

_PAUSE_SECONDS = 1.0

log = get_logger(__name__)


class Bell:
    """Listens while anybody waits. It may miss a ring, so whoever waits looks by themselves now and then."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._listening: asyncio.Task[None] | None = None

    @contextmanager
    def waiting(self, recipient: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set whenever the recipient's inbox changes."""
        rung = asyncio.Event()
        self._waiting[recipient].add(rung)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        try:
            yield rung
        finally:
            self._waiting[recipient].discard(rung)
            if not self._waiting[recipient]:
                del self._waiting[recipient]
            if not self._waiting and self._listening is not None:
                self._listening.cancel()
                self._listening = None

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (DBAPIError, OSError) as error:
                log.warning("inbox bell away", error=type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _listen_once(self) -> None:
        gone = asyncio.Event()
        async with self._engine.connect() as connection:
            try:
                raw: Any = (await connection.get_raw_connection()).driver_connection
                raw.add_termination_listener(lambda _: gone.set())
                await raw.add_listener(CHANNEL, self._ring)
                await gone.wait()
            finally:
                # It listens: nobody else may get it from the pool.
                await connection.invalidate()

    def _ring(self, _connection: object, _pid: int, _channel: str, recipient: str) -> None:
        for rung in self._waiting.get(recipient, ()):
            rung.set()
